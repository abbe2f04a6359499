/** Purpose: who is on air: the one thing to see from across the room. */
import type { CoordinatorState } from "../../coordinator/types.ts";
import type { Label } from "../../core/ids.ts";
import type { EngineAt } from "./model.ts";
import { activePaths } from "./state-paths.ts";
import { clockTime, longDuration } from "./words.ts";

interface Props {
  readonly engines: readonly EngineAt[];
  readonly nowMs: number;
  readonly isVirtual: boolean;
  readonly isLive: boolean;
}

/**
 * Whether the engine is on air. Its statechart comes at once, its own word at whole fifths of a second: while it is live it
 * must lead by the first, and where the second speaks of a leader, by that as well.
 */
export function isOnAir(engine: EngineAt, isLive: boolean): boolean {
  const leads = activePaths(engine.values["leadership"]).includes("role.leader");
  if (!isLive || !leads) return leads;
  const word = engine.state?.state;
  return engine.reachable && !engine.outdated && word !== undefined && (word.role !== "leader" || word.mayAct);
}

/** Who vouches for a leader, in words. The vote of a peer that is dead is the proof of its death. */
function confirmedWords({ confirmedBy, peer }: CoordinatorState): string {
  if (confirmedBy === "none") return "nobody";
  if (confirmedBy === "witness") return "witness";
  const vote = peer.state === "dead" ? "proof of death" : "peer";
  return confirmedBy === "both" ? `${vote} and witness` : vote;
}

export function Tally({ engines, nowMs, isVirtual, isLive }: Props) {
  const onAir = engines.filter((engine) => isOnAir(engine, isLive));
  const [first] = onAir;
  const kind = onAir.length === 0 ? "nobody" : onAir.length === 1 ? "one" : "both";
  return (
    <section class={`tally ${kind}`} aria-label="Who is on air" aria-live="polite">
      <p class="sign">{kind === "nobody" ? "Nobody on air" : kind === "both" ? "Both on air" : "On air"}</p>
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
