/** Two whole coordinators on memory adapters and one virtual clock. */
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { MemoryPeerWire } from "../../src/adapters/memory-peer-channel.ts";
import { MemoryStore } from "../../src/adapters/memory-store.ts";
import { MemoryWitness, MemoryWitnessServer } from "../../src/adapters/memory-witness.ts";
import { NoWitness } from "../../src/adapters/no-witness.ts";
import { NodeDigest } from "../../src/adapters/basics.ts";
import type { Rules } from "../../src/actors/rules.ts";
import { createCoordinator } from "../../src/coordinator/create-coordinator.ts";
import type { Coordinator, CoordinatorPorts, SubmitOutcome } from "../../src/coordinator/types.ts";
import type { AlarmCode } from "../../src/core/events.ts";
import { otherLabel, type Label } from "../../src/core/ids.ts";
import { DEFAULT_COMMANDS, resolveFailover } from "../../src/core/settings.ts";
import type { CommandSettings, FailoverSettings } from "../../src/core/settings.ts";
import { SimEngine, type EngineFaults, type Pasts } from "../../src/simulation/ports/sim-engine.ts";
import { SimIds } from "../../src/simulation/ports/sim-ids.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

export interface PairSettings {
  readonly failover?: Partial<FailoverSettings>;
  readonly commands?: Partial<CommandSettings>;
  readonly witness?: boolean;
  readonly wrapPorts?: (ports: CoordinatorPorts, label: Label) => CoordinatorPorts;
  readonly rules?: Partial<Rules>;
}

/** One life of one engine. */
export interface Member {
  readonly label: Label;
  readonly coordinator: Coordinator;
  readonly store: MemoryStore;
  readonly engine: SimEngine;
  readonly faults: EngineFaults;
  readonly closed: string[];
}

const quiet = (): void => undefined;
const LOGGER = { debug: quiet, info: quiet, warn: quiet, error: quiet };

export class Pair {
  readonly clock = new VirtualClock();
  readonly wire = new MemoryPeerWire({ clock: this.clock }, { links: ["red"] });
  readonly server = new MemoryWitnessServer({ clock: this.clock });
  readonly disks: Readonly<Record<Label, MemoryDisk>> = { a: new MemoryDisk(), b: new MemoryDisk() };
  readonly #ids: Readonly<Record<Label, SimIds>> = { a: new SimIds({ label: "a" }), b: new SimIds({ label: "b" }) };
  readonly #pasts: Pasts = new Map();
  readonly #settings: PairSettings;
  readonly #living = new Set<Label>();
  readonly members: Partial<Record<Label, Member>> = {};

  constructor(settings: PairSettings = {}) {
    this.#settings = settings;
  }

  /** Both started, `a` leads, `b` is ready. */
  static async started(settings: PairSettings = {}): Promise<Pair> {
    const pair = new Pair(settings);
    await Promise.all([pair.start("a"), pair.start("b")]);
    await pair.until(() => pair.of("a").mayAct() && pair.of("b").ready());
    return pair;
  }

  member(label: Label): Member {
    const member = this.members[label];
    if (member === undefined) throw new Error(`engine ${label} was never started`);
    return member;
  }

  of(label: Label): Coordinator {
    return this.member(label).coordinator;
  }

  /** A new life of `label`. */
  async start(label: Label): Promise<Member> {
    const member = this.#build(label);
    this.members[label] = member;
    this.#living.add(label);
    const starting = member.coordinator.start();
    await this.clock.turn();
    await starting;
    return member;
  }

  async stop(label: Label): Promise<void> {
    const stopping = this.of(label).stop();
    await this.untilDone(stopping);
    this.#living.delete(label);
  }

  /** Time passes in small steps until `condition` holds; throws when it does not within 30 s of virtual time. */
  async until(condition: () => boolean, withinMs = 30_000): Promise<void> {
    const endMs = this.clock.monoMs() + withinMs;
    while (!condition()) {
      if (this.clock.monoMs() > endMs) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`);
      await this.clock.pass(5);
    }
  }

  /** Time passes until `work` has ended. */
  async untilDone<Result>(work: Promise<Result>): Promise<Result> {
    let done = false;
    const note = (): void => void (done = true);
    work.then(note, note);
    await this.until(() => done);
    return work;
  }

  async submit(label: Label, source: string, idempotencyKey?: string): Promise<SubmitOutcome> {
    return this.untilDone(this.of(label).submit({ kind: "POST /switch/cut", payload: { source }, idempotencyKey }));
  }

  alarm(label: Label, code: AlarmCode): boolean {
    return this.of(label)
      .state()
      .alarms.some((alarm) => alarm.code === code);
  }

  #build(label: Label): Member {
    const { clock, server } = this;
    const ids = this.#ids[label];
    const faults: EngineFaults = { slowMs: 0, health: "ok" };
    const closed: string[] = [];
    const store = new MemoryStore({ ids, disk: this.disks[label] });
    const engine = new SimEngine({ clock, pasts: this.#pasts, faults, observer: { executed: quiet } });
    const { failover = {}, commands = {}, witness = true, wrapPorts = (given) => given } = this.#settings;
    Object.assign(engine, { close: async () => void closed.push("engine") });
    const ports: CoordinatorPorts = {
      ...{ clock, ids, store, engine, logger: LOGGER, digest: new NodeDigest() },
      random: { next: () => 0.5 },
      witness: witness ? new MemoryWitness({ server }) : new NoWitness({ clock }),
      peerChannel: this.wire.end(label === "a" ? 0 : 1, { pair: "studio-1", label }),
      peerProbe: { probe: async () => (this.#living.has(otherLabel(label)) ? "alive" : "refused") },
      clockSource: {
        reading: () => ({ mode: "free", offsetNs: 0, jitterNs: 0 }),
        close: async () => void closed.push("clock"),
      },
      changeoverSwitches: [
        {
          name: "router",
          reassertMs: 5_000,
          withdraw: () => undefined,
          route: async () => "confirmed",
          close: async () => void closed.push("switch"),
        },
      ],
    };
    const options = {
      ...{ pair: "studio-1", label, version: "0.1.0", peerUrl: `http://${otherLabel(label)}` },
      failover: resolveFailover(failover, ports.witness.kind),
      commands: { ...DEFAULT_COMMANDS, ...commands },
    };
    const coordinator = createCoordinator(wrapPorts(ports, label), options, this.#settings.rules);
    return { label, coordinator, store, engine, faults, closed };
  }
}
