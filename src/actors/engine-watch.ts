/**
 * Purpose: an engine that fails while it leads: the role is offered to the peer, if that one is healthy and caught up
 * [HO5]; else an alarm, and nothing moves.
 */
import type { PeerMonitor } from "./peer-monitor.ts";
import type { Kit } from "./kit.ts";
import type { Restraints } from "./restraints.ts";

export interface EngineWatchDeps {
  readonly monitor: PeerMonitor;
  readonly restraints: Restraints;
  leads(): boolean;
  handoverUnderWay(): boolean;
  offer(): void;
}

export class EngineWatch {
  readonly #kit: Kit;
  readonly #deps: EngineWatchDeps;
  #failedSinceMs: number | null = null;

  constructor(kit: Kit, deps: EngineWatchDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  /** Looks once a beat. */
  look(): void {
    const { alarms, ports, failover } = this.#kit;
    const health = ports.engine.health();
    alarms.set("engine-failed", health === "failed", "the engine reports that it has failed");
    if (health !== "failed") {
      this.#failedSinceMs = null;
      alarms.clear("no-valid-backup");
      return;
    }
    const now = this.#kit.nowMs();
    this.#failedSinceMs ??= now;
    if (!this.#deps.leads() || now - this.#failedSinceMs < failover.unhealthyHoldMs || this.#deps.handoverUnderWay())
      return;
    const held = this.#deps.restraints.maintenanceOn || this.#deps.restraints.heldDownUntilMs() !== null;
    const valid = backupIsValid(this.#deps.monitor);
    alarms.set("no-valid-backup", !valid, "the own engine fails, and the peer is not healthy and caught up");
    alarms.set(
      "maintenance-blocks-failover",
      valid && this.#deps.restraints.maintenanceOn,
      "a person holds the role where it is",
    );
    if (valid && !held) this.#deps.offer();
  }
}

/** Whether the peer could take over: heard, healthy and caught up. */
export function backupIsValid(monitor: PeerMonitor): boolean {
  const heartbeat = monitor.last?.heartbeat;
  return monitor.alive && heartbeat?.health !== "failed" && heartbeat?.sync === "ready";
}
