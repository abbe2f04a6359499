/** What did not survive a split, or was changed on both engines apart, and what an operator decides about it. */
import { useEffect, useState } from "preact/hooks";
import type { Conflict } from "../../core/command.ts";
import type { EngineId } from "../../core/ids.ts";
import { recordOrigin } from "../../core/operation.ts";
import type { Connection } from "./connection.ts";
import { ConflictRow, type Choice } from "./conflict-row.tsx";
import type { EngineAt } from "./model.ts";

const SHOWN = 50;

interface Props {
  readonly engines: readonly EngineAt[];
  readonly connection: Connection;
}

export function Conflicts({ engines, connection }: Props) {
  const counts = engines.map(({ state }) => state?.conflicts);
  const mark = counts.map((count) => (count === undefined ? "" : `${count.revision}/${count.open}`)).join();
  const [conflicts, setConflicts] = useState<readonly Conflict[]>([]);
  const [told, setTold] = useState("");
  const any = counts.some((count) => (count?.total ?? 0) > 0);
  useEffect(() => {
    if (any) void read(connection).then(setConflicts, () => undefined);
  }, [mark, any, connection]);
  if (!any) return null;
  const open = conflicts.filter(({ outcome }) => outcome === "open");
  const settled = conflicts.filter(({ outcome }) => outcome !== "open");
  const resolve = async (id: string, choice: Choice): Promise<void> => {
    try {
      const answer = await connection.call("POST", `api/conflicts/${encodeURIComponent(id)}/resolve`, choice);
      setTold(answer.ok ? `Resolved: ${choice.choice}.` : await refusal(answer));
      setConflicts(await read(connection));
    } catch {
      setTold("The engine that served this page does not answer; nothing was decided.");
    }
  };
  const nameOf = (origin: string): string => {
    const known = engines.find(({ state }) => state !== null && makes(state.state.engineId, origin));
    return known === undefined ? origin : `engine ${known.label}`;
  };
  const row = (conflict: Conflict) => <ConflictRow key={conflict.id} {...{ conflict, nameOf }} onResolve={resolve} />;
  return (
    <section class="conflicts" aria-label="Conflicts">
      <header>
        <h2>Conflicts</h2>
        <span class={`chip ${open.length > 0 ? "warn" : ""}`}>{open.length} open</span>
        <p role="status">{told}</p>
      </header>
      {open.slice(0, SHOWN).map(row)}
      {settled.length > 0 && (
        <details>
          <summary>{settled.length} settled</summary>
          <div>{settled.slice(0, SHOWN).map(row)}</div>
        </details>
      )}
    </section>
  );
}

/** Whether an engine makes commands, or changes of records, under this name. */
function makes(engineId: string, origin: string): boolean {
  return origin === engineId || origin === recordOrigin(engineId as EngineId);
}

async function read(connection: Connection): Promise<readonly Conflict[]> {
  const answer = await connection.call("GET", `api/conflicts?limit=${SHOWN * 2}`);
  return answer.ok ? ((await answer.json()) as { conflicts: Conflict[] }).conflicts : [];
}

async function refusal(answer: Response): Promise<string> {
  const { detail } = (await answer.json().catch(() => ({}))) as { detail?: string };
  return detail ?? `refused (${answer.status})`;
}
