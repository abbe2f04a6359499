/** Purpose: what did not survive a split, with both sides, and what an operator decides about it. */
import { useEffect, useState } from "preact/hooks";
import type { Conflict } from "../../core/command.ts";
import type { Connection } from "./connection.ts";
import type { EngineAt } from "./model.ts";

const SHOWN = 50;

export function Conflicts({
  engines,
  connection,
}: {
  readonly engines: readonly EngineAt[];
  readonly connection: Connection;
}) {
  const counts = engines.map(({ state }) => state?.conflicts);
  const mark = counts.map((count) => (count === undefined ? "" : `${count.revision}/${count.open}`)).join();
  const [conflicts, setConflicts] = useState<readonly Conflict[]>([]);
  const [told, setTold] = useState("");
  const any = counts.some((count) => (count?.total ?? 0) > 0);
  useEffect(() => {
    if (any) void read(connection).then(setConflicts);
  }, [mark, any, connection]);
  if (!any) return null;
  const open = conflicts.filter(({ outcome }) => outcome === "open");
  const settled = conflicts.filter(({ outcome }) => outcome !== "open");
  const resolve = async (id: string, choice: "keep" | "reapply"): Promise<void> => {
    const answer = await connection.call("POST", `/api/conflicts/${encodeURIComponent(id)}/resolve`, { choice });
    setTold(answer.ok ? `Resolved: ${choice}.` : await refusal(answer));
    setConflicts(await read(connection));
  };
  return (
    <section class="conflicts" aria-label="Conflicts">
      <header>
        <h2>Conflicts</h2>
        <span class={`chip ${open.length > 0 ? "warn" : ""}`}>{open.length} open</span>
        <p role="status">{told}</p>
      </header>
      {[...open, ...settled].slice(0, SHOWN).map((conflict) => (
        <Row key={conflict.id} conflict={conflict} onResolve={resolve} />
      ))}
    </section>
  );
}

interface RowProps {
  readonly conflict: Conflict;
  readonly onResolve: (id: string, choice: "keep" | "reapply") => Promise<void>;
}

function Row({ conflict, onResolve }: RowProps) {
  const { id, divergent, standing, outcome, reason, resolution } = conflict;
  const from =
    conflict.kind === "command" ? `engine ${conflict.divergentFrom}` : `${conflict.entity} ${conflict.field}`;
  // Also what was settled by rule may be settled otherwise, once.
  const isOpen = resolution === null;
  return (
    <article class={`conflict ${outcome}`} aria-label={`Conflict ${divergent.kind}`} data-conflict={id}>
      <Side title={`${from}, did not stand`} sides={[divergent]} />
      <Side title="stands" sides={standing} />
      <footer>
        <span class="chip">{outcome}</span>
        <span class="small">{resolution === null ? reason : `${resolution.choice} by ${resolution.by}`}</span>
        {isOpen && (
          <button
            type="button"
            onClick={() => void onResolve(id, "keep")}
            aria-label={`Keep what stands, ${divergent.kind}`}
          >
            Keep what stands
          </button>
        )}
        {isOpen && (
          <button
            type="button"
            onClick={() => void onResolve(id, "reapply")}
            aria-label={`Send it again, ${divergent.kind}`}
          >
            Send it again
          </button>
        )}
      </footer>
    </article>
  );
}

type OneSide = Conflict["divergent"];

function Side({ title, sides }: { readonly title: string; readonly sides: readonly OneSide[] }) {
  return (
    <div class="side">
      <h3>{title}</h3>
      {sides.length === 0 && <p class="quiet">nothing of the same kind</p>}
      {sides.map(({ origin, originSeq, kind, payload, ...at }) => (
        <p key={`${origin}/${originSeq}`}>
          <b>{kind}</b>{" "}
          <span class="small">
            {"seq" in at && at.seq !== undefined
              ? `epoch ${at.epoch}, seq ${at.seq}`
              : `change ${originSeq} of ${origin}`}
          </span>
          <code>{JSON.stringify(payload)}</code>
        </p>
      ))}
    </div>
  );
}

async function read(connection: Connection): Promise<readonly Conflict[]> {
  const answer = await connection.call("GET", `/api/conflicts?limit=${SHOWN * 2}`);
  return answer.ok ? ((await answer.json()) as { conflicts: Conflict[] }).conflicts : [];
}

async function refusal(answer: Response): Promise<string> {
  const { detail } = (await answer.json().catch(() => ({}))) as { detail?: string };
  return detail ?? `refused (${answer.status})`;
}
