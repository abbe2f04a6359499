/** One round: a fresh pair, clients and a recorder, the faults of its seed, the healing, the account, the verdict. */
import { setTimeout as delay } from "node:timers/promises";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { check, isOfThePair, type Violation } from "./checker.ts";
import { Clients, isUncertain, type Order } from "./clients.ts";
import { type Account, type Evidence, peakMbOf, readLines, stateOf, takeAccount, type Truth } from "./evidence.ts";
import { Nemesis } from "./faults.ts";
import { MachineWatch, stalledMs } from "./machine-watch.ts";
import type { PlantNetwork } from "./network.ts";
import { LABELS, Plant } from "./plant.ts";
import { Recorder } from "./recorder.ts";
import { type Schedule, type RoundPlan, scheduleOf } from "./schedule.ts";

export interface RoundResult {
  readonly schedule: Schedule;
  readonly violations: readonly Violation[];
  /** Null where the round did not come to its end. */
  readonly evidence: Evidence | null;
  readonly sinceMs: number;
  readonly tookMs: number;
  /** Of the round; kept where it failed. */
  readonly folder: string;
}

const START_WITHIN_MS = 60_000;
const READY_GIVEN_UP_MS = 25_000;
const AGREE_WITHIN_MS = 12_000;
/** Alarms clear with a delay of their own: `engine-hook` 10 s after its last fault. */
const ALARMS_WITHIN_MS = 12_000;
const POLL_MS = 20;
/** Commands go on for so long after the pair is ready again. */
const CALM_MS = 300;
const TRUTH_GIVEN_UP_MS = 10_000;
const MOST_ASKED_AGAIN = 40;

export async function playRound(
  network: PlantNetwork,
  plan: RoundPlan,
  { program, keep }: { readonly program: string | null; readonly keep: boolean },
): Promise<RoundResult> {
  const sinceMs = performance.now();
  const schedule = scheduleOf(plan);
  const plant = await Plant.prepare(network, schedule, { program });
  let violations: readonly Violation[] = [];
  let evidence: Evidence | null = null;
  try {
    evidence = await collect(plant, schedule);
    violations = check(evidence);
  } catch (error) {
    violations = [{ rule: "round", detail: error instanceof Error ? error.message : String(error) }];
  } finally {
    await plant.close({ keep: keep || violations.length > 0 });
  }
  return { schedule, violations, evidence, sinceMs, tookMs: performance.now() - sinceMs, folder: plant.folder };
}

async function collect(plant: Plant, schedule: Schedule): Promise<Evidence> {
  await plant.start();
  const first = await leaderAndReadyFollower(plant, START_WITHIN_MS);
  if (first === null) throw new Error(`no leader with a ready follower within ${START_WITHIN_MS} ms of a cold start`);
  const urls = { a: plant.hosts.a.url, b: plant.hosts.b.url };
  const recorder = new Recorder({ a: addressOf(urls.a), b: addressOf(urls.b) });
  const clients = new Clients(urls, schedule.load === "first" ? first : null);
  const watch = new MachineWatch(() => LABELS.flatMap((label) => plant.hosts[label].coordinator.pid ?? []));
  const nemesis = new Nemesis(plant, recorder, first);
  try {
    await nemesis.play(schedule);
    await nemesis.healAll();
    clients.only = null;
    const healedMs = performance.now();
    const isReady = (await leaderAndReadyFollower(plant, READY_GIVEN_UP_MS)) !== null;
    const readyMs = isReady ? performance.now() : null;
    await delay(CALM_MS);
    await clients.stop();
    const truths = isReady ? await askAgain(clients, recorder.leader() ?? first) : new Map<string, Truth>();
    const agreed = isReady ? await agreement(plant, watch) : "one of them was not ready";
    const peakMb = { a: peakMbOf(plant.hosts.a.coordinator.pid), b: peakMbOf(plant.hosts.b.coordinator.pid) };
    if (isReady) await Promise.all(LABELS.map(async (label) => plant.hosts[label].coordinator.terminate()));
    return {
      plan: schedule.plan,
      played: nemesis.played,
      samples: recorder.samples,
      orders: clients.orders,
      truths,
      healedMs,
      readyMs,
      account: typeof agreed === "string" ? null : agreed,
      disagreement: typeof agreed === "string" ? agreed : "",
      deaths: LABELS.flatMap((label) => plant.hosts[label].deaths),
      unplayed: nemesis.failed,
      lines: { a: readLines(plant.hosts.a.logFile), b: readLines(plant.hosts.b.logFile) },
      peakMb,
      stalls: watch.stalls,
    };
  } finally {
    recorder.stop();
    watch.stop();
    await clients.stop();
    clients.close();
  }
}

/** Who leads, once the other could take over; null: not in time. */
export async function leaderAndReadyFollower(plant: Plant, withinMs: number): Promise<Label | null> {
  const endMs = performance.now() + withinMs;
  while (performance.now() < endMs) {
    const acting = await Promise.all(LABELS.map(async (label) => says200(`${plant.hosts[label].url}/leader`)));
    const leaders = LABELS.filter((_label, at) => acting[at]);
    const [leader] = leaders;
    if (leader !== undefined && leaders.length === 1) {
      if (await says200(`${plant.hosts[otherLabel(leader)].url}/ready`)) return leader;
    }
    await delay(POLL_MS);
  }
  return null;
}

/** Waits until both say the same, and then until their alarms are gone; longer where the machine stands still. */
async function agreement(plant: Plant, { stalls }: MachineWatch): Promise<Account | string> {
  const sinceMs = performance.now();
  let account: Account | string = "not asked";
  while (performance.now() < sinceMs + longer(AGREE_WITHIN_MS, stalledMs(stalls, sinceMs))) {
    account = await takeAccount(plant).catch((error: unknown) => String(error));
    if (typeof account !== "string") break;
    await delay(POLL_MS * 2);
  }
  if (typeof account === "string") return account;
  const agreedMs = performance.now();
  for (;;) {
    const alarms = { a: (await stateOf(plant, "a")).alarms, b: (await stateOf(plant, "b")).alarms };
    const isLate = performance.now() > agreedMs + longer(ALARMS_WITHIN_MS, stalledMs(stalls, agreedMs));
    if (isLate || ![...alarms.a, ...alarms.b].some(isOfThePair)) return { ...account, alarms };
    await delay(POLL_MS * 5);
  }
}

/** A machine that stands still all the time must not hold up the round for ever. */
function longer(withinMs: number, stallsMs: number): number {
  return withinMs + Math.min(stallsMs, withinMs);
}

/** Asks again for what never had a certain answer. */
async function askAgain(clients: Clients, leader: Label): Promise<ReadonlyMap<string, Truth>> {
  const truths = new Map<string, Truth>();
  for (const order of clients.orders
    .filter(({ answers }) => answers.length > 0 && answers.every(isUncertain))
    .slice(-MOST_ASKED_AGAIN)) {
    truths.set(order.key, await askUntilAnswered(clients, order, leader));
  }
  return truths;
}

/** Asked until it is certain: how long that took is judged later, when it is known how long the machine stood still. */
async function askUntilAnswered(clients: Clients, order: Order, leader: Label): Promise<Truth> {
  const sinceMs = performance.now();
  for (;;) {
    const answer = await clients.askAgain(order, leader);
    const tookMs = performance.now() - sinceMs;
    if (answer.status === 200 || tookMs > TRUTH_GIVEN_UP_MS) return { answer, tookMs };
    await delay(POLL_MS);
  }
}

async function says200(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(500) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

export function addressOf(url: string) {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
