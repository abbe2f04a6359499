/**
 * Whole engines that are not the pair's [A35]: each runs a real coordinator with its own disk, id and key, under the pair's
 * name.
 * - `stray`: an engine with a copied configuration, which reaches only the witness.
 * - `pair`: two engines that hear each other, and use the same witness.
 * - `impostor`: an engine with the pair's token at the address of one of the two, which also reaches the witness.
 *
 * They live in a ground of their own over the pair's witness and links, so that nothing they do is taken for the pair's.
 * What they must not do is watched here; that the pair names them and obeys none is watched in `invariants/strangers.ts`.
 */
import type { DiskContent } from "../../adapters/memory-disk.ts";
import { type EngineId, type Label, otherLabel } from "../../core/ids.ts";
import { HostClock } from "../ground/host-clock.ts";
import { Machine } from "../ground/machine.ts";
import { createLink, Path, type Link } from "../ground/network.ts";
import { Trace } from "../ground/trace.ts";
import { isStranger } from "../ground/witness-host.ts";
import type { SimPeerChannel } from "../ports/sim-peer-channel.ts";
import { SimIds } from "../ports/sim-ids.ts";
import { SimRouter, SimScriptTarget } from "../ports/sim-switch.ts";
import { SimDisk } from "./sim-disk.ts";
import { SimProcess } from "./sim-process.ts";
import { type Watch, Watchers } from "./watch.ts";
import type { WorldGround } from "./world-ground.ts";

export type StrangerKind = "stray" | "pair" | "impostor";

const NEAR = { shortestMs: 0.1, meanExtraMs: 0.3 };
/** A clean stop has ended by then, and those that have not stopped are killed. */
const STOPS_WITHIN_MS = 300;

/** What of the world the strangers need. */
interface Surroundings {
  readonly ground: WorldGround;
  readonly settings: {
    readonly failover: { readonly maxClockDriftPpm: number };
    readonly linkNames: readonly string[];
  };
  watch(watch: Watch): void;
  contentOf(place: Label): DiskContent | null;
  clearWitness(): void;
  violate(invariant: string, detail: string): void;
}

/** Those that are there at one time. */
export interface Visit {
  readonly kind: StrangerKind;
  readonly processes: readonly SimProcess[];
}

export class SimStrangers {
  readonly #world: Surroundings;
  /** Names are never used twice, by any visitor. */
  readonly #ids = { a: new SimIds({ label: "xa" }), b: new SimIds({ label: "xb" }) };
  #visit: Visit | null = null;

  constructor(world: Surroundings) {
    this.#world = world;
    // A blank disk pins the first one that comes: before the pair has met, the network must be trusted.
    world.watch({
      diskReplaced: () => {
        if (this.#visit?.kind === "impostor") this.leave(this.#visit, false);
      },
    });
  }

  /** Who is there now; null: nobody. */
  get visit(): Visit | null {
    return this.#visit;
  }

  /** They start. One visit at a time; null: others are there, or there is nothing for them. `as`: whose label they bear. */
  come(kind: StrangerKind, as: Label): Visit | null {
    const { ground } = this.#world;
    if (this.#visit !== null || (kind !== "impostor" && ground.witness === null)) return null;
    if (kind === "impostor" && (this.#world.contentOf(otherLabel(as))?.pinnedPeer?.key ?? null) === null) return null;
    const own = this.#createGround(kind, as);
    const labels: readonly Label[] = kind === "pair" ? ["a", "b"] : [as];
    const processes = labels.map(
      (label) =>
        new SimProcess(own, {
          machine: own.machines[label],
          disk: new SimDisk(),
          faults: { slowMs: 0, health: "ok" },
        }),
    );
    const visit = { kind, processes };
    this.#visit = visit;
    this.#note(`${kind} comes`);
    for (const process of processes) process.boot();
    return visit;
  }

  /** They end, and people remove what they have left in the witness. `cleanly`: each says goodbye [DP3]. */
  leave(visit: Visit, cleanly: boolean): void {
    if (this.#visit !== visit) return;
    const end = (): void => {
      for (const process of visit.processes) process.kill(0);
      if (this.#visit === visit) this.#visit = null;
      this.#world.clearWitness();
      this.#note(`${visit.kind} has gone`);
    };
    if (!cleanly) return end();
    for (const process of visit.processes) process.stop();
    this.#world.ground.scheduler.after(STOPS_WITHIN_MS, end);
  }

  #note(what: string): void {
    const { trace, scheduler } = this.#world.ground;
    trace.note(scheduler.nowMs, "strangers", what);
  }

  #createGround(kind: StrangerKind, as: Label): WorldGround {
    const { ground, settings } = this.#world;
    const chanceOf: WorldGround["chanceOf"] = (concern) => ground.chanceOf(`strangers: ${concern}`);
    const drift = settings.failover.maxClockDriftPpm;
    const machine = (label: Label): Machine<SimPeerChannel> => {
      const chance = chanceOf(`clock of ${label}`);
      const clock = new HostClock({ driftPpm: chance.between(-drift, drift), unixOffsetMs: chance.between(-200, 200) });
      return new Machine(label, clock);
    };
    const way = (label: Label): WorldGround["witnessWays"]["a"] => ({
      there: new Path({ chance: chanceOf(`way of ${label} to the witness`) }, NEAR),
      back: new Path({ chance: chanceOf(`way of the witness to ${label}`) }, NEAR),
    });
    const machines = { a: machine("a"), b: machine("b") };
    const watchers = new Watchers();
    watchers.add(this.#watch(kind));
    return {
      ...ground,
      trace: new Trace(null),
      watchers,
      links: kind === "impostor" ? ground.links : this.#ownLinks(kind, chanceOf),
      machines: kind === "impostor" ? { ...ground.machines, [as]: machines[as] } : machines,
      ids: this.#ids,
      engines: null,
      witnessWays: { a: way("a"), b: way("b") },
      feed: null,
      router: new SimRouter(),
      scriptTarget: new SimScriptTarget(),
      wrapPorts: (ports) => ports,
      isImpostor: kind === "impostor",
      peersOf: () => [],
      optionsOf: (label) => {
        const { inspect: _inspect, replication: _replication, outbox: _outbox, ...options } = ground.optionsOf(label);
        return options;
      },
      chanceOf,
    };
  }

  /** A stray engine reaches nobody but the witness. */
  #ownLinks(kind: StrangerKind, chanceOf: WorldGround["chanceOf"]): readonly Link[] {
    const links = this.#world.settings.linkNames.map((name) => createLink(name, NEAR, chanceOf));
    if (kind === "stray") for (const { from } of links) for (const path of [from.a, from.b]) path.cutOff();
    return links;
  }

  /** The strangers keep the rules too: the pair is strange to them [VT7]. */
  #watch(kind: StrangerKind): Watch {
    const won = new Set<number>();
    const isOurs = (engineId: EngineId): boolean => !isStranger(engineId);
    return {
      swapped: (_from, previous, next) => {
        if (previous !== null && isOurs(previous.engineId))
          this.#world.violate("VT7", `a stranger overwrote the record of ${previous.engineId}`);
        won.add(next.epoch);
      },
      told: (_label, event) => {
        if (kind !== "stray" || event.type !== "role" || event.role !== "leader" || won.has(event.epoch)) return;
        this.#world.violate("A35", `a stray engine leads in epoch ${event.epoch} without peer or witness`);
      },
    };
  }
}
