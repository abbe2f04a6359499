/**
 * Whole engines that are not the pair's [A35]: each runs a real coordinator under the pair's name, with its own disk, id and
 * key, unless said otherwise.
 * - `stray`: an engine with a copied configuration, which reaches only the witness.
 * - `copy`: the same on a copy of an engine's data folder, so with the id, the key and the pinned peer of that one. The peer's
 *   address refuses it, or does not answer.
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
import { type DiskCopy, SimDisk } from "./sim-disk.ts";
import { SimProcess } from "./sim-process.ts";
import { type Watch, Watchers } from "./watch.ts";
import type { WorldGround } from "./world-ground.ts";

export type StrangerKind = "stray" | "copy" | "pair" | "impostor";

/** What somebody finds at the address that a copied configuration names for the peer. */
export type PeerAddress = "refuses" | "silent";

const NEAR = { shortestMs: 0.1, meanExtraMs: 0.3 };
/** A clean stop has ended by then, and those that have not stopped are killed. */
const STOPS_WITHIN_MS = 300;
/** People stop a copy when the record has stood still for this share of the time after which it may be taken. */
const STOOD_STILL_SHARE = 0.5;

/** What of the world the strangers need. */
interface Surroundings {
  readonly ground: WorldGround;
  readonly settings: {
    readonly failover: { readonly maxClockDriftPpm: number; readonly campaignWaitMs: number };
    readonly linkNames: readonly string[];
  };
  watch(watch: Watch): void;
  contentOf(place: Label): DiskContent | null;
  copyOf(label: Label): DiskCopy;
  clearWitness(): void;
  violate(invariant: string, detail: string): void;
}

/** Those that are there at one time. */
export interface Visit {
  readonly kind: StrangerKind;
  readonly processes: readonly SimProcess[];
  readonly witnessWays: WorldGround["witnessWays"];
}

/** Who comes. `as`: whose label they bear. */
interface Coming {
  readonly kind: StrangerKind;
  readonly as: Label;
  /** Of a stray engine. */
  readonly peer?: PeerAddress;
}

export class SimStrangers {
  readonly #world: Surroundings;
  /** Names are never used twice, by any visitor. */
  readonly #ids = { a: new SimIds({ label: "xa" }), b: new SimIds({ label: "xb" }) };
  readonly #copyIds = { a: new SimIds({ label: "xc" }), b: new SimIds({ label: "xd" }) };
  #visit: Visit | null = null;
  /** When one of the pair rewrote the record last. */
  #movedAtMs = 0;

  constructor(world: Surroundings) {
    this.#world = world;
    // A blank disk pins the first one that comes: before the pair has met, the network must be trusted.
    world.watch({
      diskReplaced: () => {
        if (this.#visit?.kind === "impostor") this.leave(this.#visit, false);
      },
      swapped: () => void (this.#movedAtMs = this.#world.ground.scheduler.nowMs),
      afterStep: () => {
        if (this.#visit?.kind === "copy" && !this.#pairIsSeen()) this.leave(this.#visit, false);
      },
    });
  }

  /** Who is there now; null: nobody. */
  get visit(): Visit | null {
    return this.#visit;
  }

  /** They start. One visit at a time, to which a copy gives way; null: others are there, or there is nothing for them. */
  come({ kind, as, peer = "silent" }: Coming): Visit | null {
    const { ground } = this.#world;
    if (kind !== "copy" && this.#visit?.kind === "copy") this.leave(this.#visit, false);
    if (this.#visit !== null || (kind !== "impostor" && ground.witness === null)) return null;
    const met = kind === "impostor" ? otherLabel(as) : as;
    if ((kind === "impostor" || kind === "copy") && !this.#knowsPeer(met)) return null;
    if (kind === "copy" && !this.#pairIsSeen()) return null;
    const own = this.#createGround(kind, as, peer);
    const labels: readonly Label[] = kind === "pair" ? ["a", "b"] : [as];
    const processes = labels.map(
      (label) =>
        new SimProcess(own, {
          machine: own.machines[label],
          disk: new SimDisk(),
          faults: { slowMs: 0, health: "ok" },
        }),
    );
    if (kind === "copy") for (const { disk } of processes) disk.replaceBy(this.#world.copyOf(as));
    const visit = { kind, processes, witnessWays: own.witnessWays };
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
      if (visit.kind !== "copy") this.#world.clearWitness();
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

  #knowsPeer(label: Label): boolean {
    return (this.#world.contentOf(label)?.pinnedPeer?.key ?? null) !== null;
  }

  /**
   * Whether the witness shows that the pair lives. Where it does not, nothing tells a copy from an engine that starts when its
   * peer has died: it may take the role.
   */
  #pairIsSeen(): boolean {
    const { ground, settings } = this.#world;
    const { witness, scheduler } = ground;
    if (witness === null || !witness.up || witness.stalledUntilMs > scheduler.nowMs) return false;
    const { standing } = witness.server;
    if (standing !== null && !("content" in standing) && standing.released) return false;
    return scheduler.nowMs - this.#movedAtMs < settings.failover.campaignWaitMs * STOOD_STILL_SHARE;
  }

  #createGround(kind: StrangerKind, as: Label, peer: PeerAddress): WorldGround {
    const { ground, settings } = this.#world;
    // A copy draws from streams of its own, so that the others stay what they are.
    const who = kind === "copy" ? "copied folder" : "strangers";
    const chanceOf: WorldGround["chanceOf"] = (concern) => ground.chanceOf(`${who}: ${concern}`);
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
      links: kind === "impostor" ? ground.links : this.#ownLinks(kind !== "pair" && peer === "silent", chanceOf),
      machines: kind === "impostor" ? { ...ground.machines, [as]: machines[as] } : machines,
      ids: kind === "copy" ? this.#copyIds : this.#ids,
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

  /** A stray engine reaches only the witness. At its peer's address nobody listens, or nothing answers. */
  #ownLinks(silent: boolean, chanceOf: WorldGround["chanceOf"]): readonly Link[] {
    const links = this.#world.settings.linkNames.map((name) => createLink(name, NEAR, chanceOf));
    if (silent) for (const { from } of links) for (const path of [from.a, from.b]) path.cutOff();
    return links;
  }

  /** The strangers keep the rules too: the pair is strange to them, and a copy moves nothing [VT7]. */
  #watch(kind: StrangerKind): Watch {
    const won = new Set<number>();
    const isOurs = (engineId: EngineId): boolean => !isStranger(engineId);
    return {
      swapped: (_from, previous, next) => {
        if (kind === "copy" || (previous !== null && isOurs(previous.engineId)))
          this.#world.violate("VT7", `a stranger (${kind}) overwrote the record of ${previous?.engineId ?? "nobody"}`);
        won.add(next.epoch);
      },
      told: (_label, event) => {
        if (event.type !== "role" || event.role !== "leader") return;
        if (kind === "copy") this.#world.violate("VT7", `an engine on a copied folder leads in epoch ${event.epoch}`);
        if (kind !== "stray" || won.has(event.epoch)) return;
        this.#world.violate("A35", `a stray engine leads in epoch ${event.epoch} without peer or witness`);
      },
    };
  }
}
