/** Who is on air: the one thing to see from across the room. */
import type { CoordinatorState } from "../../coordinator/types.ts";
import type { Label } from "../../core/ids.ts";
import type { EngineAt } from "./model.ts";
import { absence, isOnAir, type LastOnAir } from "./on-air.ts";
import { clockTime, longDuration } from "./words.ts";

interface Props {
  readonly engines: readonly EngineAt[];
  readonly nowMs: number;
  readonly isVirtual: boolean;
  readonly isLive: boolean;
  readonly lastOnAir: LastOnAir | null;
}

const ABSENT = { "not-connected": "Not connected", changing: "Changing over", nobody: "Nobody on air" } as const;

/** Who vouches for a leader, in words. The vote of a peer that is dead is the proof of its death. */
function confirmedWords({ confirmedBy, peer }: CoordinatorState): string {
  if (confirmedBy === "none") return "nobody";
  if (confirmedBy === "witness") return "witness";
  const vote = peer.state === "dead" ? "proof of death" : "peer";
  return confirmedBy === "both" ? `${vote} and witness` : vote;
}

export function Tally({ engines, nowMs, isVirtual, isLive, lastOnAir }: Props) {
  const onAir = engines.filter((engine) => isOnAir(engine, isLive));
  const [first] = onAir;
  const absent = onAir.length > 0 ? null : isLive ? absence(engines, lastOnAir, nowMs) : "nobody";
  const kind = absent ?? (onAir.length === 1 ? "one" : "both");
  return (
    <section class={`tally ${kind}`} aria-label="Who is on air" aria-live="polite">
      <p class="sign">{absent !== null ? ABSENT[absent] : kind === "both" ? "Both on air" : "On air"}</p>
      {absent !== null && isLive && lastOnAir !== null && (
        <p class="last-known">
          last known: {lastOnAir.label.toUpperCase()} on air, {longDuration(nowMs - lastOnAir.atMs)} ago
        </p>
      )}
      {first !== undefined && kind === "one" && <p class="who">Engine {first.label.toUpperCase()}</p>}
      {kind === "both" && <p class="who">A and B</p>}
      <div class="facts">
        {onAir.map((engine) => (
          <Facts key={engine.label} engine={engine} nowMs={nowMs} isVirtual={isVirtual} named={kind === "both"} />
        ))}
      </div>
    </section>
  );
}

function Facts({
  engine,
  nowMs,
  isVirtual,
  named,
}: {
  engine: EngineAt;
  nowMs: number;
  isVirtual: boolean;
  named: boolean;
}) {
  const { epoch, sinceMs } = leadershipOf(engine, engine.label);
  const word = engine.state?.state;
  return (
    <dl class="fact-row">
      {named && <Fact name="engine" value={engine.label} />}
      {word !== undefined && <Fact name="programme" value={word.programSource} />}
      <Fact name="epoch" value={epoch === null ? "–" : String(epoch)} />
      <Fact name="since" value={sinceMs === null ? "–" : (clockTime(sinceMs, isVirtual).split(".")[0] ?? "")} />
      <Fact name="for" value={sinceMs === null ? "–" : longDuration(nowMs - sinceMs)} />
      {word?.role === "leader" && !isVirtual && <Fact name="confirmed by" value={confirmedWords(word)} />}
    </dl>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function leadershipOf({ state, last }: EngineAt, label: Label): { epoch: number | null; sinceMs: number | null } {
  const standing = state?.leadership.find(({ leader, toUnixMs }) => leader === label && toUnixMs === null);
  const entry = last["leadership"];
  return {
    epoch: (state?.state.role === "leader" ? state.state.epoch : entry?.epoch) ?? entry?.epoch ?? null,
    sinceMs: standing?.fromUnixMs ?? entry?.atUnixMs ?? null,
  };
}
