/**
 * Purpose: the composition root: joins the actors to one coordinator.
 * Keeps true: the same object runs in production and in simulation; only the ports differ.
 */
import { Alarms } from "../actors/alarms.ts";
import { EngineGuard } from "../actors/engine-guard.ts";
import type { CoordinatorOptions } from "../actors/options.ts";
import { zeroCounters, type Kit } from "../actors/kit.ts";
import { Pauses } from "../actors/pauses.ts";
import { trueRules, type Rules } from "../actors/rules.ts";
import { Stamps } from "../actors/stamps.ts";
import type { CoordinatorEvent } from "../core/events.ts";
import type { CoordinatorPorts } from "../ports/coordinator-ports.ts";
import { Actors } from "./actors.ts";
import { Broadcast } from "./broadcast.ts";
import { nextIncarnation } from "./next-incarnation.ts";
import { PairCoordinator } from "./pair-coordinator.ts";
import type { Coordinator } from "./types.ts";

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
  const kit: Kit = {
    ports: { ...ports, engine },
    options,
    self: { engineId: stored.engineId, incarnation: nextIncarnation(ports), version: options.version },
    failover: options.failover,
    rules: { ...trueRules, ...rules },
    alarms,
    counters: zeroCounters(),
    pauses: new Pauses(ports),
    stamps: new Stamps(ports, { origin: stored.engineId, last: stored.hlc }),
    emit,
    nowMs: () => kit.rules.nowMs(ports.clock),
  };
  return new PairCoordinator(kit, new Actors(kit, engine), broadcast, stored);
}
