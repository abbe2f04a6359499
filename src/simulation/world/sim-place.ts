/**
 * A place outside the pair, a spoke or a site: the real replication over simulated ports, through its lives and
 * deaths.
 * Keeps true: nothing of a dead life ever runs again; a new one begins with what the dead one had made durable.
 * Does not know: whom it exchanges with (`sim-spoke.ts`, `sim-site.ts`).
 */
import { Stamps } from "../../actors/stamps.ts";
import { MemoryDisk } from "../../adapters/memory-disk.ts";
import { MemoryStore } from "../../adapters/memory-store.ts";
import { NodeDigest } from "../../adapters/basics.ts";
import type { Label } from "../../core/ids.ts";
import { recordOrigin } from "../../core/operation.ts";
import type { ReplicationParts } from "../../replication/parts.ts";
import { Replication, type ReplicationInit } from "../../replication/replication.ts";
import { type HostClock, ProcessClock } from "../ground/host-clock.ts";
import type { PlaceParts } from "./place-parts.ts";
import type { Prng } from "../ground/prng.ts";
import type { Life } from "../ground/scheduler.ts";
import { SimIds } from "../ports/sim-ids.ts";
import { simLogger } from "../ports/sim-logger.ts";
import { SimSyncTransport, syncObserver, type SyncRoute } from "./sim-sync-transport.ts";
import type { SyncEnd, SyncWay } from "./sync-ends.ts";
import type { WorldGround } from "./world-ground.ts";

/** What a place is made of. */
export interface PlaceComponents {
  readonly ground: WorldGround;
  readonly clock: HostClock;
  /** The engines, at the ends of its ways. */
  readonly engines: Readonly<Record<Label, SyncEnd>>;
}

/** How one life of a place reaches others. */
export type Ties = Pick<ReplicationParts, "hub" | "federation">;

/** Makes the transports of one life. */
export type TieMaker = (route: Pick<SyncRoute, "pageOps" | "route">) => SimSyncTransport;

interface Living extends PlaceParts {
  readonly life: Life;
  readonly replication: Replication;
}

/** One place, over all its lives. */
export abstract class SimPlace {
  readonly name: string;
  readonly clock: HostClock;
  readonly engines: Readonly<Record<Label, SyncEnd>>;
  protected readonly ground: WorldGround;
  readonly #ids: SimIds;
  readonly #chance: Prng;
  #disk = new MemoryDisk({ loseUnsynced: true });
  #living: Living | null = null;

  constructor({ ground, clock, engines }: PlaceComponents, init: { readonly name: string; readonly chance: Prng }) {
    this.ground = ground;
    this.clock = clock;
    this.engines = engines;
    this.name = init.name;
    this.#ids = new SimIds({ label: init.name });
    this.#chance = init.chance;
  }

  get disk(): MemoryDisk {
    return this.#disk;
  }

  /** The ways to the engines. */
  get ways(): Readonly<Record<Label, SyncWay>> {
    return { a: this.engines.a.way, b: this.engines.b.way };
  }

  /** Its replication; null while it is dead. */
  get replication(): Replication | null {
    return this.#living?.replication ?? null;
  }

  /** What its present life runs on; null while it is dead. */
  get parts(): PlaceParts | null {
    return this.#living;
  }

  /** Its present life; null while it is dead. */
  get life(): Life | null {
    return this.#living?.life ?? null;
  }

  /** Starts a new life; nothing when one is running. With a full disk there is no first one. */
  boot(): void {
    if (this.#living !== null || (this.disk.full && this.disk.content === null)) return;
    const { scheduler, trace } = this.ground;
    const life: Life = { alive: true, paused: false, backlog: [] };
    const { parts, stamps, disk, settings } = this.wrapped(this.#partsOf(life));
    const replication = new Replication(parts, settings, {
      stamps,
      committed: (ops, via) => {
        for (const op of ops) this.ground.watchers.each((watch) => watch.recorded?.(this.name, op, via));
        trace.note(scheduler.nowMs, this.name, "holds", ops.at(-1)?.originSeq ?? 0);
      },
      progress: () => this.ground.watchers.each((watch) => watch.exchanged?.(this.name)),
    });
    this.#living = { life, replication, parts, stamps, disk, settings };
    trace.note(scheduler.nowMs, this.name, "boot");
    replication.start();
  }

  /** SIGKILL, or its power is gone: to the pair it is the same. */
  kill(): void {
    if (this.#living === null) return;
    this.#living.life.alive = false;
    this.#living = null;
    this.disk.ownerDied();
    this.ground.trace.note(this.ground.scheduler.nowMs, this.name, "killed");
  }

  /** Its wall clock is moved. */
  stepClock(byMs: number): void {
    this.ground.watchers.each((watch) => watch.clockSteps?.(this.name));
    this.clock.stepUnix(byMs);
  }

  protected abstract readonly settings: ReplicationInit;
  protected abstract ties(make: TieMaker): Ties;
  /** Its parts, or those that a planted bug puts in their place. */
  protected abstract wrapped(parts: PlaceParts): PlaceParts;

  /** Begins anew with an empty disk. */
  protected takeNewDisk(): void {
    this.#disk = new MemoryDisk({ loseUnsynced: true });
  }

  #partsOf(life: Life): PlaceParts {
    const { scheduler } = this.ground;
    const lateness = this.ground.chanceOf(`timers ${this.name}`);
    const clock = new ProcessClock({ scheduler, host: this.clock, life, lateness });
    const store = new MemoryStore({ ids: this.#ids, disk: this.disk });
    const { engineId, hlc } = store.load();
    const observer = syncObserver(this.ground, this.name);
    const chance = this.#chance;
    const caller = recordOrigin(engineId);
    const parts: ReplicationParts = {
      store,
      clock,
      digest: new NodeDigest(),
      ids: this.#ids,
      random: chance,
      logger: simLogger(this.ground, this.name),
      ...this.ties((route) => new SimSyncTransport({ scheduler, clock, life, chance, observer }, { caller, ...route })),
    };
    const { settings, disk } = this;
    return { parts, settings, stamps: new Stamps({ clock }, { origin: engineId, last: hlc }), disk };
  }
}
