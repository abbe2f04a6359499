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

/** Whether the engine is on air: by its own word while it is live, by its statechart in the past. */
export function isOnAir(engine: EngineAt, isLive: boolean): boolean {
  if (isLive) return engine.reachable && !engine.outdated && engine.state?.state.mayAct === true;
  return leads(engine);
}

const leads = ({ values }: EngineAt): boolean => activePaths(values["leadership"]).includes("role.leader");

/**
 * Who is on air. An engine's word comes at whole fifths of a second, its statechart at once: when both say that they are on
 * air, one that has left `leader` since is not counted.
 */
function whoIsOnAir(engines: readonly EngineAt[], isLive: boolean): readonly EngineAt[] {
  const byTheirWord = engines.filter((engine) => isOnAir(engine, isLive));
  return byTheirWord.length > 1 && byTheirWord.some(leads) ? byTheirWord.filter(leads) : byTheirWord;
}

/** Who vouches for a leader, in words. The vote of a peer that is dead is the proof of its death. */
function confirmedWords({ confirmedBy, peer }: CoordinatorState): string {
  if (confirmedBy === "none") return "nobody";
  if (confirmedBy === "witness") return "witness";
  const vote = peer.state === "dead" ? "proof of death" : "peer";
  return confirmedBy === "both" ? `${vote} and witness` : vote;
}

export function Tally({ engines, nowMs, isVirtual, isLive }: Props) {
  const onAir = whoIsOnAir(engines, isLive);
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
  return (
    <dl class="fact-row">
      {named && <Fact name="engine" value={engine.label} />}
      <Fact name="epoch" value={epoch === null ? "–" : String(epoch)} />
      <Fact name="since" value={sinceMs === null ? "–" : (clockTime(sinceMs, isVirtual).split(".")[0] ?? "")} />
      <Fact name="for" value={sinceMs === null ? "–" : longDuration(nowMs - sinceMs)} />
      {engine.state !== null && !isVirtual && <Fact name="confirmed by" value={confirmedWords(engine.state.state)} />}
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
    epoch: state?.state.epoch ?? entry?.epoch ?? null,
    sinceMs: standing?.fromUnixMs ?? entry?.atUnixMs ?? null,
  };
}
