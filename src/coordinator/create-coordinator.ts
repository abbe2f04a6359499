/**
 * The composition root: joins the actors to one coordinator.
 * The same object runs in production and in simulation; only the ports differ.
 */
import { Alarms } from "../actors/alarms.ts";
import { EngineGuard } from "../actors/engine-guard.ts";
import type { CoordinatorOptions } from "../actors/options.ts";
import { zeroCounters, type Kit } from "../actors/kit.ts";
import { PairRoot } from "../actors/pair-root.ts";
import { Pauses } from "../actors/pauses.ts";
import { trueRules, type Rules } from "../actors/rules.ts";
import { Stamps } from "../actors/stamps.ts";
import type { CoordinatorEvent } from "../core/events.ts";
import type { CoordinatorPorts } from "../ports/coordinator-ports.ts";
import { Actors } from "./actors.ts";
import { Broadcast, PairCoordinator } from "./pair-coordinator.ts";
import type { Coordinator } from "./types.ts";
import { ChangeoverError } from "../core/errors.ts";
import { type IncarnationId, withStart } from "../core/ids.ts";
import { isReachable, MAX_NUMBER } from "../core/epoch.ts";

/**
 * Joins one engine to its pair. Nothing runs before `start()`.
 *
 * Throws `ChangeoverError` when the store cannot be read. `rules` is for the simulator alone: it replaces decisions by
 * wrong ones, to prove that the invariants notice.
 */
export function createCoordinator(
  ports: CoordinatorPorts,
  options: CoordinatorOptions,
  rules: Partial<Rules> = {},
): Coordinator {
  const broadcast = new Broadcast(ports.logger);
  const emit = (event: CoordinatorEvent): void => broadcast.emit(event);
  const stored = ports.store.load();
  const alarms = new Alarms({ clock: ports.clock, logger: ports.logger, emit });
  const engine = new EngineGuard({ engine: ports.engine, clock: ports.clock, alarms });
  const allRules = { ...trueRules, ...rules };
  const root = new PairRoot({ ports, options, rules: allRules });
  const kit: Kit = {
    ports: { ...ports, engine },
    options,
    root,
    self: {
      engineId: stored.engineId,
      incarnation: nextIncarnation(ports, () => root.ended),
      version: options.version,
    },
    failover: options.failover,
    rules: allRules,
    alarms,
    counters: zeroCounters(),
    pauses: new Pauses(ports),
    stamps: new Stamps(ports, { origin: stored.engineId, last: stored.hlc }),
    emit,
    nowMs: () => kit.rules.nowMs(ports.clock),
  };
  return new PairCoordinator(kit, { actors: new Actors(kit, engine), root, broadcast, stored });
}

// The name of this start. Of any two starts of this engine it says which was the later one: what an earlier one left in
// a pipe may arrive long after the later one has greeted. It rises with every start, whichever way the wall clock went,
// and never comes near the bound of numbers [EP6]: a wall clock beyond the year 2248 does not count. A full disk delays no
// start: until it takes the note, only the wall clock tells.

const KEY = "start";

/** The highest start number that the wall clock gives, ms since 1970; what counts beyond it rises by one each start. */
const MAX_CLOCK_START = 2 ** 43;
/** Until the disk takes the note of this start. Without it the next start, on a clock that was put back, is refused. */
const NOTE_AGAIN_MS = 200;

export function nextIncarnation(
  ports: Pick<CoordinatorPorts, "store" | "clock" | "ids" | "logger">,
  hasEnded: () => boolean,
): IncarnationId {
  const kept = Number(ports.store.replica.peerState.get(KEY) ?? 0);
  // A broken note counts as none.
  const last = isReachable(kept) && kept < MAX_NUMBER ? kept : 0;
  const start = Math.max(last + 1, Math.min(Math.floor(ports.clock.unixMs()), MAX_CLOCK_START));
  const fault = noteStart(ports, start);
  if (fault !== null) {
    ports.logger.warn({ err: fault }, "this start could not be noted; it is tried again until the disk takes it");
    const again = (): void => {
      if (!hasEnded() && noteStart(ports, start) !== null) ports.clock.setTimeout(again, NOTE_AGAIN_MS);
    };
    ports.clock.setTimeout(again, NOTE_AGAIN_MS);
  }
  return withStart(ports.ids.next("incarnation"), start);
}

/** What the disk said; null: it took the note. */
function noteStart({ store }: Pick<CoordinatorPorts, "store">, start: number): ChangeoverError | null {
  try {
    store.replica.peerState.set(KEY, String(start));
    return null;
  } catch (error) {
    if (error instanceof ChangeoverError) return error;
    throw error;
  }
}
