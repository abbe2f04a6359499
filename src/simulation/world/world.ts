/**
 * The virtual world: two machines with a process each, the links between them, a witness, and time.
 * Keeps true: one thing happens at a time; after each, the promises that it resolved are run to their end and the
 * onlookers are asked; the same settings give the same history.
 */
import type { InspectionEvent } from "xstate";
import type { DiskContent } from "../../adapters/memory-disk.ts";
import { type IdentityRules, trueIdentityRules } from "../../adapters/peer-gate.ts";
import type { Rules } from "../../actors/rules.ts";
import type { CoordinatorOptions, CoordinatorPorts } from "../../coordinator/types.ts";
import type { FederationPeerPort } from "../../ports/sync-transport.ts";
import { ChangeoverError } from "../../core/errors.ts";
import type { LogPosition } from "../../core/command.ts";
import type { EngineId, Label } from "../../core/ids.ts";
import { recordOrigin } from "../../core/operation.ts";
import { type CommandSettings, DEFAULT_OUTBOX, type FailoverSettings } from "../../core/settings.ts";
import { HostClock } from "../ground/host-clock.ts";
import { Machine } from "../ground/machine.ts";
import type { SimPeerChannel } from "../ports/sim-peer-channel.ts";
import { createLink, Path } from "../ground/network.ts";
import { streamOf, type Prng } from "../ground/prng.ts";
import { Scheduler, type Scheduled } from "../ground/scheduler.ts";
import type { EngineFaults, Pasts } from "../ports/sim-engine.ts";
import { EngineProcess, type EngineTells } from "../ports/sim-engine-process.ts";
import { SimFeed } from "../ports/sim-feed.ts";
import { SimIds } from "../ports/sim-ids.ts";
import { SimRouter, SimScriptTarget } from "../ports/sim-switch.ts";
import { FaultsUnderWay } from "./faults-under-way.ts";
import { type DiskCopy, SimDisk } from "./sim-disk.ts";
import { SimImpostor } from "./sim-impostor.ts";
import { engineObserver } from "./sim-ports.ts";
import { SimProcess } from "./sim-process.ts";
import type { PlaceComponents, SimPlace } from "./sim-place.ts";
import { peerPort, SimSite, type SiteInit } from "./sim-site.ts";
import { SimSpoke, type SpokeInit } from "./sim-spoke.ts";
import { SimStrangers } from "./sim-strangers.ts";
import { SimSyncTransport, syncObserver } from "./sim-sync-transport.ts";
import { engineEnd, type SyncEnd } from "./sync-ends.ts";
import type { PlaceParts } from "./place-parts.ts";
import { Trace, type TraceSink } from "../ground/trace.ts";
import { Watchers, type Watch } from "./watch.ts";
import { WitnessHost } from "../ground/witness-host.ts";
import type { CoordinatorFactory, Lifetime, WorldGround } from "./world-ground.ts";

/** On a LAN, as measured between two hosts of a plant. */
const LAN = { shortestMs: 0.1, meanExtraMs: 0.3 };
/** Between a plant and a place elsewhere. */
const WAN = { shortestMs: 4, meanExtraMs: 6 };
/** Steps after which the real event loop gets a turn. */
const STEPS_PER_TURN = 4_096;
/** Between two looks of the people who wait with clearing the witness. */
const CLEARS_WITNESS_EVERY_MS = 300;
/** Steps without true time moving on, after which somebody is in a circle. */
const MOST_STEPS_AT_ONCE = 100_000;

/** What a world is made of. */
export interface WorldSettings {
  readonly seed: number;
  readonly failover: FailoverSettings;
  readonly commands: CommandSettings;
  readonly linkNames: readonly string[];
  readonly witness: boolean;
  /** Drift of each monotonic clock, within ρ. */
  readonly driftPpm: Readonly<Record<Label, number>>;
  /** Spokes of the pair. */
  readonly spokes: readonly SpokeInit[];
  /** Sites elsewhere that federate with the pair. */
  readonly sites: readonly SiteInit[];
  /** Whether changes are published. */
  readonly feed: boolean;
  /** The engines run beside the coordinators, and tell this of themselves; null: they are inside of them. */
  readonly engineTells: EngineTells | null;
}

/** What a world is run with. */
export interface WorldComponents {
  readonly factory: CoordinatorFactory;
  readonly rules?: Partial<Rules>;
  readonly identityRules?: Partial<IdentityRules>;
  readonly wrapPorts?: (ports: CoordinatorPorts, label: Label) => CoordinatorPorts;
  readonly wrapSpoke?: (parts: PlaceParts) => PlaceParts;
  readonly wrapSite?: (parts: PlaceParts) => PlaceParts;
  readonly sink?: TraceSink | null;
}

/** A broken invariant. */
export interface Violation {
  readonly invariant: string;
  readonly detail: string;
  readonly atMs: number;
}

/** One step of a statechart. `from`: "" at its start. */
export interface ChartStep {
  readonly chart: string;
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

/** The world. */
export class World {
  readonly settings: WorldSettings;
  readonly scheduler = new Scheduler();
  readonly watchers = new Watchers();
  readonly faults = new FaultsUnderWay();
  readonly trace: Trace;
  readonly ground: WorldGround;
  readonly processes: Readonly<Record<Label, SimProcess>>;
  readonly spokes: readonly SimSpoke[];
  readonly sites: readonly SimSite[];
  /** Spokes and sites. */
  readonly around: readonly SimPlace[];
  readonly impostor: SimImpostor;
  readonly strangers: SimStrangers;
  /** No panel sends a new command before this. */
  quietUntilMs = 0;
  /** The faults are a schedule that somebody wrote, and no others come between them. */
  scripted = false;
  /** Origins whose engine got an older disk: their history may be withdrawn and begun again under another name [RP2]. */
  readonly #rewritten = new Set<string>();
  readonly #gone = new Set<string>();
  /** A process may die in the middle of a step. What it still does in that step is not real: its store may be closed. */
  diesWithinSteps = false;
  /** Told of every step of every statechart of the pair; null: nobody looks. */
  onChart: ((label: Label, step: ChartStep) => void) | null = null;
  readonly #engineFaults: Readonly<Record<Label, EngineFaults>> = {
    a: { slowMs: 0, health: "ok" },
    b: { slowMs: 0, health: "ok" },
  };
  readonly #charts = new WeakMap<object, string>();
  readonly #streams = new Map<string, Prng>();
  #violation: Violation | null = null;
  #steps = 0;

  constructor(components: WorldComponents, settings: WorldSettings) {
    this.settings = settings;
    this.trace = new Trace(components.sink ?? null);
    this.ground = this.#createGround(components);
    this.processes = { a: this.#createProcess("a"), b: this.#createProcess("b") };
    const { processes } = this;
    this.spokes = settings.spokes.map((init) => new SimSpoke({ ...this.#placeNamed(init.name), processes }, init));
    this.sites = settings.sites.map((init) => new SimSite(this.#placeNamed(init.name), init));
    this.around = [...this.spokes, ...this.sites];
    this.impostor = new SimImpostor(this);
    this.strangers = new SimStrangers(this);
  }

  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  /** The first broken invariant; a world with one does not run on. */
  get violation(): Violation | null {
    return this.#violation;
  }

  watch(watch: Watch): void {
    this.watchers.add(watch);
  }

  /** The stream of chance of a concern, the same object at every call. */
  chanceOf(concern: string): Prng {
    const known = this.#streams.get(concern);
    if (known !== undefined) return known;
    const stream = streamOf(this.settings.seed, concern);
    this.#streams.set(concern, stream);
    return stream;
  }

  /** Something that nobody caught: nothing may be. */
  thrown(error: unknown): void {
    const ofTheDead = this.diesWithinSteps && error instanceof ChangeoverError && error.code === "stopped";
    if (!ofTheDead) this.violate("no-throw", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }

  violate(invariant: string, detail: string): void {
    if (this.#violation !== null) return;
    this.#violation = { invariant, detail, atMs: this.nowMs };
    this.trace.note(this.nowMs, "world", `violated ${invariant}`, 0, detail);
  }

  /** What is on the disk of an engine, a spoke or a site; null before its first life. */
  contentOf(place: string): DiskContent | null {
    if (place === "a" || place === "b") return this.processes[place].disk.content;
    return this.around.find(({ name }) => name === place)?.disk.content ?? null;
  }

  /** A copy of the data folder of an engine, also of one that runs. */
  copyOf(label: Label): DiskCopy {
    return this.processes[label].disk.copy();
  }

  /** The engine `engineId` may have lost some of its own operations. */
  mayRewrite(engineId: EngineId): void {
    this.#rewritten.add(recordOrigin(engineId));
  }

  /**
   * People remove what strangers left in the witness; but not beside a new engine that has met nobody, which would then lead
   * blind. They adopt that one first, as the runbook says (decision 0045).
   */
  clearWitness(): void {
    const { a, b } = this.processes;
    const isBlind = [a, b].some(
      ({ diskReplaced, disk }) => diskReplaced && (disk.content?.pinnedPeer ?? null) === null,
    );
    if (isBlind) this.scheduler.after(CLEARS_WITNESS_EVERY_MS, () => this.clearWitness());
    else this.ground.witness?.clearStrange();
  }

  /** Both engines held a command, one of them has compacted it away, and the other one came back from an older copy. */
  noteGone({ epoch, seq }: LogPosition): void {
    this.#gone.add(`${epoch}/${seq}`);
  }

  isGone({ epoch, seq }: LogPosition): boolean {
    return this.#gone.has(`${epoch}/${seq}`);
  }

  isRewritten(origin: string): boolean {
    return this.#rewritten.has(origin.split(".", 1)[0] ?? "");
  }

  /** Whether any engine got an older disk: then others may read a whole log again for what was issued again [RP2]. */
  get hasRewritten(): boolean {
    return this.#rewritten.size > 0;
  }

  /** A call to a coordinator was rejected: fine when it says so in its own words, a broken promise else. */
  rejected(who: string, error: unknown): void {
    if (error instanceof ChangeoverError) this.trace.note(this.nowMs, who, `rejected: ${error.code}`);
    else this.violate("no-throw", `${who}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }

  boot(): void {
    this.processes.a.boot();
    this.processes.b.boot();
    for (const place of this.around) place.boot();
  }

  /** Runs until true time `untilMs`, until `stop` says so, or until an invariant breaks. */
  async runUntil(untilMs: number, stop: () => boolean = () => false): Promise<void> {
    // What was called from outside since the last run may have begun something.
    await promisesRun();
    if (stop()) return;
    let stepsNow = 0;
    let seenMs = -1;
    while (this.#violation === null) {
      const event = this.scheduler.take(untilMs);
      if (event === null) return this.scheduler.advanceTo(untilMs);
      if (!this.#perform(event)) continue;
      await promisesRun();
      this.watchers.afterStep();
      this.#steps += 1;
      stepsNow = this.nowMs === seenMs ? stepsNow + 1 : 0;
      seenMs = this.nowMs;
      if (stepsNow > MOST_STEPS_AT_ONCE) this.violate("no-throw", `${stepsNow} steps at one instant: a circle`);
      if (this.#steps % STEPS_PER_TURN === 0) await turnOfTheLoop();
      if (stop()) return;
    }
  }

  /** Runs for `forMs`. */
  run(forMs: number): Promise<void> {
    return this.runUntil(this.nowMs + forMs);
  }

  get steps(): number {
    return this.#steps;
  }

  #perform(event: Scheduled): boolean {
    if (event.life?.paused === true) {
      event.life.backlog.push(event);
      return false;
    }
    const run = event.run;
    event.run = null;
    try {
      run?.();
    } catch (error) {
      this.thrown(error);
    }
    return true;
  }

  #createGround(components: WorldComponents): WorldGround {
    const { seed, driftPpm, linkNames, witness, engineTells } = this.settings;
    const pasts: Pasts = new Map();
    const chanceOf = (concern: string): Prng => this.chanceOf(concern);
    const offsets = streamOf(seed, "wall clocks");
    const machine = (label: Label): Machine<SimPeerChannel> =>
      new Machine(
        label,
        new HostClock({
          driftPpm: driftPpm[label],
          unixOffsetMs: offsets.between(-20, 20),
          onStep: (byMs) => this.watchers.each((watch) => watch.wallStepped?.(label, byMs)),
        }),
      );
    const engine = (label: Label): EngineProcess =>
      new EngineProcess({
        ...{ scheduler: this.scheduler, pasts, faults: this.#engineFaults[label] },
        chance: chanceOf(`engine of ${label}`),
        observer: engineObserver(this, label),
        tells: engineTells ?? { instance: true, position: true },
      });
    const way = (label: Label): { there: Path; back: Path } => ({
      there: new Path({ chance: chanceOf(`way of ${label} to the witness`) }, LAN),
      back: new Path({ chance: chanceOf(`way of the witness to ${label}`) }, LAN),
    });
    return {
      scheduler: this.scheduler,
      trace: this.trace,
      watchers: this.watchers,
      links: linkNames.map((name) => createLink(name, LAN, chanceOf)),
      machines: { a: machine("a"), b: machine("b") },
      ids: { a: new SimIds({ label: "a" }), b: new SimIds({ label: "b" }) },
      pasts,
      engines: engineTells === null ? null : { a: engine("a"), b: engine("b") },
      witness: witness ? new WitnessHost(this.scheduler) : null,
      witnessWays: { a: way("a"), b: way("b") },
      feed: this.settings.feed ? new SimFeed() : null,
      router: new SimRouter(),
      scriptTarget: new SimScriptTarget(),
      factory: components.factory,
      rules: components.rules ?? {},
      identityRules: { ...trueIdentityRules, ...components.identityRules },
      isImpostor: false,
      wrapPorts: components.wrapPorts ?? ((ports) => ports),
      wrapSpoke: components.wrapSpoke ?? ((parts) => parts),
      wrapSite: components.wrapSite ?? ((parts) => parts),
      peersOf: (label, origin, lifetime) => this.#peersOf(label, origin, lifetime),
      optionsOf: (label) => this.#optionsOf(label),
      chanceOf,
      violate: (invariant, detail) => this.violate(invariant, detail),
    };
  }

  #createProcess(label: Label): SimProcess {
    const { machines } = this.ground;
    return new SimProcess(this.ground, {
      machine: machines[label],
      disk: new SimDisk(),
      faults: this.#engineFaults[label],
    });
  }

  /** A machine elsewhere: its clock, and its ways to the engines. */
  #placeNamed(name: string): PlaceComponents {
    const chance = streamOf(this.settings.seed, `clock of ${name}`);
    const drift = this.settings.failover.maxClockDriftPpm;
    const clock = new HostClock({ driftPpm: chance.between(-drift, drift), unixOffsetMs: chance.between(-200, 200) });
    const path = (way: string): Path => new Path({ chance: this.chanceOf(`${name} ${way}`) }, WAN);
    const endAt = (label: Label): SyncEnd =>
      engineEnd(this.processes[label], { there: path(`to ${label}`), back: path(`from ${label}`) });
    return { ground: this.ground, clock, engines: { a: endAt("a"), b: endAt("b") } };
  }

  #peersOf(label: Label, caller: string, { life, clock }: Lifetime): readonly FederationPeerPort[] {
    const { scheduler } = this;
    const observer = syncObserver(this.ground, label);
    return this.sites.map((site) => {
      const end = site.endFrom(label);
      const chance = this.chanceOf(`calls of ${label} to ${site.name}`);
      const asks = { caller, pageOps: site.init.pageOps, route: () => end };
      return peerPort(end, new SimSyncTransport({ scheduler, clock, life, chance, observer }, asks));
    });
  }

  #optionsOf(label: Label): CoordinatorOptions {
    const { failover, commands, feed, sites } = this.settings;
    const options: CoordinatorOptions = {
      pair: "simulated",
      label,
      version: "0.1.0",
      failover,
      commands,
      ...(sites[0] === undefined ? {} : { replication: federating(sites[0]) }),
      ...(feed ? { outbox: { ...DEFAULT_OUTBOX, maxAttempts: 3, sink: "file" as const } } : {}),
      peerUrl: label === "a" ? "http://engine-b.simulated" : "http://engine-a.simulated",
    };
    if (!this.trace.listening && this.onChart === null) return options;
    return { ...options, inspect: (event) => this.#tellTransition(label, event as InspectionEvent) };
  }

  /** Statechart transitions go into a trace file beside the steps, so that a failing seed can be looked at as charts. */
  #tellTransition(label: Label, event: InspectionEvent): void {
    if (event.type !== "@xstate.snapshot") return;
    const { value } = event.snapshot as { value?: unknown };
    // A step that a chart has invoked is no chart.
    if (value === undefined) return;
    const [chart = "?"] = (event.actorRef as { id?: string }).id?.split(":", 1) ?? [];
    if (this.onChart !== null) {
      const to = stateText(value);
      const from = this.#charts.get(event.actorRef) ?? "";
      this.#charts.set(event.actorRef, to);
      this.onChart(label, { chart, from, event: event.event.type, to });
    }
    this.trace.aside(this.nowMs, label, `chart ${chart}`, JSON.stringify({ event: event.event, value }));
  }
}

/** How an engine of the pair takes part where there are sites. */
function federating({ intervalMs }: SiteInit): NonNullable<CoordinatorOptions["replication"]> {
  return { mode: "sync", hubIntervalMs: intervalMs, federationIntervalMs: intervalMs };
}

/** Resolves once every promise that is ready, and whatever follows from it, has run: ticks come after all of them. */
function promisesRun(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** `renewing.readingBack` for nested states; parallel ones side by side. */
function stateText(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const parts = Object.entries(value as Record<string, unknown>);
  return parts.map(([name, inner]) => `${name}.${stateText(inner)}`).join(" ");
}
