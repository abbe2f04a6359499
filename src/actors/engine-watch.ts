/**
 * Offers the role to the peer when this engine fails while it leads, if the peer is healthy and caught up [HO5];
 * otherwise raises an alarm, and nothing moves. A failed engine may recover, so it is given `unhealthyHoldMs`. A disk that
 * refuses writes is certain: the role is offered at once [EN7]. Tests the disk once a second until it takes writes again.
 */
import type { PeerMonitor } from "./peer-monitor.ts";
import type { Kit } from "./kit.ts";
import type { Restraints } from "./restraints.ts";

export interface EngineWatchDeps {
  readonly monitor: PeerMonitor;
  readonly restraints: Restraints;
  leads(): boolean;
  handoverUnderWay(): boolean;
  /** Offers the role to the peer, for this reason. */
  offer(reason: string): void;
}

const STORE_TEST_EVERY_MS = 1_000;
const STORE_TEST_KEY = "store-test";
/** Longer than what a store may still have room for when its disk is full. */
const STORE_TEST_TEXT = "x".repeat(131_072);

export class EngineWatch {
  readonly #kit: Kit;
  readonly #deps: EngineWatchDeps;
  #failedSinceMs: number | null = null;
  /** Null while the disk is not known to fail. */
  #nextTestMs: number | null = null;

  constructor(kit: Kit, deps: EngineWatchDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  /** Looks once a beat, and at once when a command could not be stored. */
  look(): void {
    const { alarms, ports, failover } = this.#kit;
    const health = ports.engine.health();
    alarms.set("engine-failed", health === "failed", "the engine reports that it has failed");
    const now = this.#kit.nowMs();
    const storeFailed = alarms.stands("store-failed") && !this.#storeWorks(now);
    if (!storeFailed) this.#nextTestMs = null;
    if (health === "failed") this.#failedSinceMs ??= now;
    else this.#failedSinceMs = null;
    if (this.#failedSinceMs === null && !storeFailed) return alarms.clear("no-valid-backup");
    const due = storeFailed || (this.#failedSinceMs !== null && now - this.#failedSinceMs >= failover.unhealthyHoldMs);
    if (!this.#deps.leads() || !due || this.#deps.handoverUnderWay()) return;
    const what = storeFailed ? "this engine's disk refuses writes" : "this engine has failed";
    this.#giveAway(what);
  }

  /** Writes and removes a text, once a second, until the disk takes it; then the alarm is over. */
  #storeWorks(now: number): boolean {
    this.#nextTestMs ??= now + STORE_TEST_EVERY_MS;
    if (now < this.#nextTestMs) return false;
    this.#nextTestMs = null;
    const { peerState } = this.#kit.ports.store.replica;
    try {
      peerState.set(STORE_TEST_KEY, STORE_TEST_TEXT);
      peerState.delete(STORE_TEST_KEY);
    } catch {
      return false;
    }
    this.#kit.alarms.clear("store-failed");
    return true;
  }

  #giveAway(what: string): void {
    const { alarms } = this.#kit;
    const held = this.#deps.restraints.maintenanceOn || this.#deps.restraints.heldDownUntilMs() !== null;
    const valid = backupIsValid(this.#deps.monitor);
    alarms.set("no-valid-backup", !valid, `${what}, and the peer is not healthy and caught up`);
    alarms.set(
      "maintenance-blocks-failover",
      valid && this.#deps.restraints.maintenanceOn,
      "a person holds the role where it is",
    );
    if (valid && !held) this.#deps.offer(what);
  }
}

/** Whether the peer could take over: heard, healthy and caught up. */
export function backupIsValid(monitor: PeerMonitor): boolean {
  const heartbeat = monitor.last?.heartbeat;
  return monitor.alive && heartbeat?.health !== "failed" && heartbeat?.sync === "ready";
}
