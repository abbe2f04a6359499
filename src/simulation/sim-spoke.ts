/**
 * Purpose: a spoke of the pair: the real replication over simulated ports, through its lives and deaths.
 * Keeps true: nothing of a dead life ever runs again; a new one begins with what the dead one had made durable.
 */
import { Stamps } from "../actors/stamps.ts";
import { MemoryDisk } from "../adapters/memory-disk.ts";
import { MemoryStore } from "../adapters/memory-store.ts";
import { NodeDigest } from "../adapters/node-digest.ts";
import type { Label } from "../core/ids.ts";
import { recordOrigin } from "../core/operation.ts";
import type { ReplicationParts } from "../replication/parts.ts";
import { Replication } from "../replication/replication.ts";
import { type HostClock, ProcessClock } from "./host-clock.ts";
import type { Prng } from "./prng.ts";
import type { Life } from "./scheduler.ts";
import { SimIds } from "./sim-ids.ts";
import { simLogger } from "./sim-logger.ts";
import type { SimProcess } from "./sim-process.ts";
import { SimSyncTransport, type SpokeWay } from "./sim-sync-transport.ts";
import type { SpokeParts } from "./spoke-parts.ts";
import type { WorldGround } from "./world-ground.ts";

/** Where a spoke's requests go: to whoever leads, as a load balancer does it, or always to one engine. */
export type SpokeRoute = "leader" | Label;

export interface SpokeInit {
  readonly name: string;
  readonly route: SpokeRoute;
  readonly intervalMs: number;
  /** Operations of one page that it is given. */
  readonly pageOps: number;
}

interface Living extends SpokeParts {
  readonly life: Life;
  readonly replication: Replication;
}

/** One spoke, over all its lives. */
export class SimSpoke {
  readonly name: string;
  readonly clock: HostClock;
  readonly disk = new MemoryDisk({ loseUnsynced: true });
  readonly ways: Readonly<Record<Label, SpokeWay>>;
  readonly #ground: WorldGround;
  readonly #engines: Readonly<Record<Label, SimProcess>>;
  readonly #init: SpokeInit;
  readonly #ids: SimIds;
  readonly #chance: Prng;
  #living: Living | null = null;
  #ledBy: Label = "a";

  constructor(
    components: {
      readonly ground: WorldGround;
      readonly engines: Readonly<Record<Label, SimProcess>>;
      readonly clock: HostClock;
      readonly ways: Readonly<Record<Label, SpokeWay>>;
    },
    init: SpokeInit,
  ) {
    this.#ground = components.ground;
    this.#engines = components.engines;
    this.clock = components.clock;
    this.ways = components.ways;
    this.name = init.name;
    this.#init = init;
    this.#ids = new SimIds({ label: init.name });
    this.#chance = components.ground.chanceOf(`spoke ${init.name}`);
  }

  /** Its replication; null while it is dead. */
  get replication(): Replication | null {
    return this.#living?.replication ?? null;
  }

  /** What its present life runs on; null while it is dead. */
  get parts(): SpokeParts | null {
    return this.#living;
  }

  /** Starts a new life; nothing when one is running. With a full disk there is no first one. */
  boot(): void {
    if (this.#living !== null || (this.disk.full && this.disk.content === null)) return;
    const { scheduler, trace, wrapSpoke } = this.#ground;
    const life: Life = { alive: true, paused: false, backlog: [] };
    const { parts, stamps, disk } = wrapSpoke(this.#partsOf(life));
    const { intervalMs } = this.#init;
    const settings = { hubId: this.name, version: "0.1.0", mode: "sync", hubIntervalMs: intervalMs } as const;
    const replication = new Replication(parts, settings, {
      stamps,
      committed: (ops, via) => {
        for (const op of ops) this.#ground.watchers.each((watch) => watch.recorded?.(this.name, op, via));
        trace.note(scheduler.nowMs, this.name, "holds", ops.at(-1)?.originSeq ?? 0);
      },
      progress: () => this.#ground.watchers.each((watch) => watch.exchanged?.(this.name)),
    });
    this.#living = { life, replication, parts, stamps, disk };
    trace.note(scheduler.nowMs, this.name, "boot");
    replication.start();
  }

  /** SIGKILL, or its power is gone: to the pair it is the same. */
  kill(): void {
    if (this.#living === null) return;
    this.#living.life.alive = false;
    this.#living = null;
    this.disk.ownerDied();
    this.#ground.trace.note(this.#ground.scheduler.nowMs, this.name, "killed");
  }

  /** Its wall clock is moved. */
  stepClock(byMs: number): void {
    this.#ground.watchers.each((watch) => watch.clockSteps?.(this.name));
    this.clock.stepUnix(byMs);
  }

  /** A person asks for an exchange now. */
  exchange(): void {
    void this.#living?.replication.spoke?.exchangeNow();
  }

  #partsOf(life: Life): SpokeParts {
    const { scheduler } = this.#ground;
    const lateness = this.#ground.chanceOf(`timers ${this.name}`);
    const clock = new ProcessClock({ scheduler, host: this.clock, life, lateness });
    const store = new MemoryStore({ ids: this.#ids, disk: this.disk });
    const { engineId, hlc } = store.load();
    const parts: ReplicationParts = {
      store,
      clock,
      digest: new NodeDigest(),
      ids: this.#ids,
      random: this.#chance,
      logger: simLogger(this.#ground, this.name),
      hub: this.#transport(life, clock, recordOrigin(engineId)),
    };
    return { parts, stamps: new Stamps({ clock }, { origin: engineId, last: hlc }), disk: this.disk };
  }

  #transport(life: Life, clock: ProcessClock, caller: string): SimSyncTransport {
    const { scheduler, watchers } = this.#ground;
    return new SimSyncTransport(
      {
        scheduler,
        engines: this.#engines,
        ways: this.ways,
        clock,
        life,
        chance: this.#chance,
        observer: {
          asked: (to, after) => watchers.each((watch) => watch.asked?.(this.name, to, after)),
          pulled: (from, page) => watchers.each((watch) => watch.pulled?.(this.name, from, page)),
          pushed: (to, base) => watchers.each((watch) => watch.pushed?.(this.name, to, base)),
        },
      },
      { caller, pageOps: this.#init.pageOps, route: () => this.#route() },
    );
  }

  #route(): Label {
    const { route } = this.#init;
    if (route !== "leader") return route;
    const led = (["a", "b"] as const).find((label) => this.#engines[label].mayAct());
    this.#ledBy = led ?? this.#ledBy;
    return this.#ledBy;
  }
}
