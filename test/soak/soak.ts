/**
 * One pair on real processes for as long as asked: fault after fault, commands all along, and a look at everything that may
 * grow once a second. Engine a is never killed, so that what it leaks shows; engine b dies and comes back.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Label } from "../../src/core/ids.ts";
import { logs, type Violation } from "../campaign/checker.ts";
import { acknowledgement, Clients } from "../campaign/clients.ts";
import { stateOf } from "../campaign/evidence.ts";
import { Nemesis } from "../campaign/faults.ts";
import { MachineWatch, PAUSE_MS, stalledMs } from "../campaign/machine-watch.ts";
import { PlantNetwork } from "../campaign/network.ts";
import { AS_OPERATOR, LABELS, Plant } from "../campaign/plant.ts";
import { Recorder, type Sample } from "../campaign/recorder.ts";
import { addressOf, leaderAndReadyFollower } from "../campaign/round.ts";
import { describeStep, Draw, type Fault, type Schedule, scheduleOf } from "../campaign/schedule.ts";
import { call } from "../support/http-call.ts";
import { LogTail } from "./log-tail.ts";
import type { SoakOptions } from "./options.ts";
import { Samples } from "./samples.ts";

export interface Episode {
  readonly seed: number;
  /** Seconds since the beginning. */
  readonly atSec: number;
  readonly steps: readonly string[];
  /** From the healing to a leader with a ready follower; null: not in time. */
  readonly readyMs: number | null;
}

export interface SoakResult {
  readonly options: SoakOptions;
  readonly lastsSec: number;
  readonly samples: Samples;
  readonly episodes: readonly Episode[];
  readonly violations: readonly Violation[];
  /** Configuration, data and logs; removed where nothing was found, unless they are to be kept. */
  readonly folder: string;
  readonly commands: number;
}

const START_WITHIN_MS = 60_000;
/** A leader with a ready follower, from the healing: what the campaign allows where a whole state is fetched. */
const READY_WITHIN_MS = 6_000;
const READY_GIVEN_UP_MS = 40_000;
const LOOK_EVERY_MS = 1_000;
/** Between two faults, so that there is a time in which nothing may move. */
const CALM_MS = { least: 4_000, most: 9_000 } as const;
const EQUAL_WITHIN_MS = 20_000;
const POLL_MS = 50;
/** A machine that held somebody up for longer may move the role. */
const MACHINE_STOOD_STILL_MS = 200;
const MACHINE_IS_BUSY_MS = 50;
const DISK_MEGABYTES = 128;
const MOST_VIOLATIONS = 50;

/** Small enough that the store is full before a run of half an hour is judged. */
const RETENTION = {
  commands: { keep: 10_000, checkpointEvery: 500 },
  outbox: { retentionMs: 60_000 },
} as const;

/** A schedule that needs all that a plant can have. */
const EVERYTHING = { proxied: true, smallDisk: true, fakeClock: true, load: "both", steps: [] } as const;

export async function playSoak(options: SoakOptions, onEpisode: (episode: Episode) => void): Promise<SoakResult> {
  const network = PlantNetwork.open();
  try {
    const { seed, policy, witness, engine } = options;
    const plant = await Plant.prepare(
      network,
      { ...EVERYTHING, plan: { seed, policy, witness, engine } },
      { config: RETENTION, diskMegabytes: DISK_MEGABYTES },
    );
    const soak = new Soak(plant, options);
    try {
      return await soak.run(onEpisode);
    } finally {
      await plant.close({ keep: options.keep || soak.violations.length > 0 });
    }
  } finally {
    await network.close();
  }
}

class Soak {
  readonly violations: Violation[] = [];
  readonly #plant: Plant;
  readonly #options: SoakOptions;
  readonly #samples = new Samples();
  readonly #episodes: Episode[] = [];
  readonly #tails: Readonly<Record<Label, LogTail>>;
  #beganMs = 0;
  #commands = 0;
  /** Nothing is broken now, and the pair had recovered. */
  #isCalm = false;

  constructor(plant: Plant, options: SoakOptions) {
    this.#plant = plant;
    this.#options = options;
    this.#tails = { a: new LogTail(plant.hosts.a.logFile), b: new LogTail(plant.hosts.b.logFile) };
  }

  async run(onEpisode: (episode: Episode) => void): Promise<SoakResult> {
    const plant = this.#plant;
    await plant.start();
    if ((await leaderAndReadyFollower(plant, START_WITHIN_MS)) === null)
      throw new Error(`no leader with a ready follower within ${START_WITHIN_MS} ms of a cold start`);
    const urls = { a: plant.hosts.a.url, b: plant.hosts.b.url };
    const recorder = new Recorder({ a: addressOf(urls.a), b: addressOf(urls.b) });
    const clients = new Clients(urls, null);
    const watch = new MachineWatch(() => LABELS.flatMap((label) => plant.hosts[label].coordinator.pid ?? []));
    this.#beganMs = performance.now();
    const looking = setInterval(() => void this.#look(clients, watch), LOOK_EVERY_MS);
    try {
      const endMs = this.#beganMs + this.#options.lastsMs;
      for (let nth = 0; performance.now() < endMs; nth += 1) {
        const seed = this.#options.seed + nth;
        const episode = await this.#episode(seed, recorder, watch, endMs).catch((error: unknown) => {
          // Whatever it was, what was seen until then is judged and drawn.
          this.violations.push({ rule: "soak", detail: `seed ${seed}: ${String(error)}` });
          return null;
        });
        if (episode === null) break;
        this.#episodes.push(episode);
        onEpisode(episode);
        if (episode.readyMs === null || this.violations.length > MOST_VIOLATIONS) break;
      }
      await clients.stop();
      await this.#compare();
    } finally {
      clearInterval(looking);
      recorder.stop();
      watch.stop();
      await clients.stop();
      clients.close();
    }
    const lastsSec = (performance.now() - this.#beganMs) / 1_000;
    await Promise.all(LABELS.map(async (label) => plant.hosts[label].coordinator.terminate()));
    this.#readLogs();
    for (const label of LABELS) {
      for (const death of plant.hosts[label].deaths) this.violations.push({ rule: "process", detail: death });
    }
    return {
      options: this.#options,
      lastsSec,
      samples: this.#samples,
      episodes: this.#episodes,
      violations: this.violations,
      folder: plant.folder,
      commands: this.#commands,
    };
  }

  /** One or two faults, the healing, and a calm time in which the role must not move. */
  async #episode(seed: number, recorder: Recorder, watch: MachineWatch, endMs: number): Promise<Episode> {
    const { policy, witness, engine } = this.#options;
    const schedule = sparingA(scheduleOf({ seed, policy, witness, engine }));
    const atSec = this.#sinceSec();
    this.#isCalm = false;
    // `first` is a, and `second` b, whoever leads.
    const nemesis = new Nemesis(this.#plant, recorder, "a");
    await nemesis.play(schedule);
    await nemesis.healAll();
    for (const detail of nemesis.failed) this.violations.push({ rule: "fault", detail });
    const healedMs = performance.now();
    const leader = await leaderAndReadyFollower(this.#plant, READY_GIVEN_UP_MS);
    const tookMs = performance.now() - healedMs;
    const stillMs = stalledMs(watch.stalls, healedMs);
    // Who was held up for as long as a pause begins again.
    const withinMs = (stillMs < PAUSE_MS ? 1 : 2) * READY_WITHIN_MS + stillMs;
    const isLate = tookMs > withinMs;
    if (leader === null || isLate)
      this.violations.push({
        rule: "I19",
        detail: `seed ${seed}: ready ${tookMs.toFixed(0)} ms after the healing; ${await this.#readiness()}`,
      });
    this.#samples.addTakeOvers(recorder.samples, this.#beganMs);
    recorder.samples.length = 0;
    const calmMs = performance.now();
    this.#isCalm = leader !== null;
    await delay(Math.max(CALM_MS.least, Math.min(endMs - calmMs, new Draw(seed).between(CALM_MS.least, CALM_MS.most))));
    this.#isCalm = false;
    if (leader !== null) this.#judgeCalm(seed, recorder.samples, stalledMs(watch.stalls, calmMs - 1_000));
    recorder.samples.length = 0;
    watch.stalls.length = 0;
    this.#readLogs();
    const steps = schedule.steps.map(describeStep);
    return { seed, atSec, steps, readyMs: leader === null ? null : tookMs };
  }

  /** A26: a role that moves although nothing is broken. */
  #judgeCalm(seed: number, samples: readonly Sample[], stillMs: number): void {
    const reigns = new Set(samples.filter(({ acts }) => acts).map(({ label, epoch }) => `${label} at ${epoch}`));
    if (reigns.size === 1 || stillMs > MACHINE_STOOD_STILL_MS) return;
    this.violations.push({
      rule: "role",
      detail: `seed ${seed}, nothing broken: ${[...reigns].join(", ") || "nobody"}`,
    });
  }

  async #look(clients: Clients, watch: MachineWatch): Promise<void> {
    const atSec = this.#sinceSec();
    const done = drain(clients);
    this.#commands += done.length;
    // What a busy machine adds to a latency says nothing of the pair.
    const isQuiet = this.#isCalm && stalledMs(watch.stalls, performance.now() - LOOK_EVERY_MS) < MACHINE_IS_BUSY_MS;
    this.#samples.addCommands(atSec, done, isQuiet);
    await Promise.all(LABELS.map(async (label) => this.#samples.look(atSec, label, this.#plant.hosts[label], isQuiet)));
  }

  #readLogs(): void {
    const lines = { a: this.#tails.a.read(), b: this.#tails.b.read() };
    this.violations.push(...logs({ lines }));
  }

  /** Equal states, once nobody gives commands. */
  async #compare(): Promise<void> {
    const endMs = performance.now() + EQUAL_WITHIN_MS;
    let differs = "";
    while (performance.now() < endMs) {
      differs = await this.#difference().catch(String);
      if (differs === "") return;
      await delay(POLL_MS);
    }
    this.violations.push({ rule: "I7", detail: `at the end ${differs}` });
  }

  async #difference(): Promise<string> {
    const [a, b] = [await stateOf(this.#plant, "a"), await stateOf(this.#plant, "b")];
    if ([a, b].filter(({ mayAct }) => mayAct).length !== 1) return "not one engine may act";
    const places = [a, b].map(({ lastExecutedSeq, lastCommandSeq }) => `${lastExecutedSeq} of ${lastCommandSeq}`);
    if (places[0] !== places[1]) return `a has executed ${places[0]}, b ${places[1]}`;
    const [ofA, ofB] = await Promise.all(LABELS.map(async (label) => this.#checksum(label)));
    return ofA === ofB ? "" : `the checksums are ${String(ofA)} and ${String(ofB)}`;
  }

  /** What each engine says of itself, for a person. */
  async #readiness(): Promise<string> {
    const said = LABELS.map(async (label) => {
      const answer = await call("GET", `${this.#plant.hosts[label].url}/ready`).catch(String);
      return `${label} ${typeof answer === "string" ? answer : JSON.stringify(answer.body)}`;
    });
    return (await Promise.all(said)).join(", ");
  }

  async #checksum(label: Label): Promise<unknown> {
    const url = `${this.#plant.hosts[label].url}/api/sync/state-snapshot`;
    return (await call("GET", url, undefined, AS_OPERATOR)).body?.["checksum"];
  }

  #sinceSec(): number {
    return (performance.now() - this.#beganMs) / 1_000;
  }
}

/** Takes out what was acknowledged since the last look: how long each command took, ms; and what is too old to matter. */
function drain({ orders }: Clients): readonly number[] {
  const took: number[] = [];
  const open = orders.filter((order) => {
    const answer = acknowledgement(order);
    if (answer !== null) took.push(answer.answeredMs - answer.sentMs);
    return answer === null && (order.answers.at(-1)?.status ?? null) === null;
  });
  orders.splice(0, orders.length, ...open.slice(-MOST_OPEN));
  return took;
}

const MOST_OPEN = 100;

/** The same faults, but what ends a process befalls b: a lives from the beginning to the end. */
function sparingA(schedule: Schedule): Schedule {
  const steps = schedule.steps.map((step) => ({ ...step, fault: sparing(step.fault) }));
  return { ...schedule, steps };
}

function sparing(fault: Fault): Fault {
  if (fault.kind === "restore-folder") return { ...fault, whom: "second" };
  if (fault.kind === "kill" || fault.kind === "terminate") return { ...fault, whom: "second" };
  return fault;
}
