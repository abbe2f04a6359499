/** What a round leaves behind for the checker: answers, samples and files, all seen from outside of the engines. */
import { readFileSync } from "node:fs";
import type { CoordinatorState } from "../../src/coordinator/types.ts";
import type { Conflict } from "../../src/core/command.ts";
import type { Label } from "../../src/core/ids.ts";
import { call } from "../support/http-call.ts";
import type { Answer, Order } from "./clients.ts";
import type { Played } from "./faults.ts";
import type { Stall } from "./machine-watch.ts";
import { AS_OPERATOR, LABELS, type Plant } from "./plant.ts";
import type { Sample } from "./recorder.ts";
import type { RoundPlan } from "./schedule.ts";

export type PerLabel<Value> = Readonly<Record<Label, Value>>;

export interface LoggedCommand {
  readonly seq: number;
  readonly epoch: number;
  readonly kind: string;
  readonly payload: unknown;
  readonly executeAtUs: number;
  readonly origin: string;
}

export interface LogLine {
  /** The line itself, without its time. */
  readonly text: string;
  readonly atUnixMs: number;
  readonly level: string;
  readonly message: string;
  readonly alarm: string | null;
}

/** What both engines say once everything is healed and they agree. */
export interface Account {
  readonly logs: PerLabel<readonly LoggedCommand[]>;
  readonly conflicts: PerLabel<readonly Conflict[]>;
  readonly checksums: PerLabel<string>;
  /** The engine's own state. */
  readonly states: PerLabel<unknown>;
  readonly alarms: PerLabel<readonly { readonly code: string; readonly detail: string }[]>;
}

/** The last answer to a command that was asked again until its fate was certain, or until that took too long. */
export interface Truth {
  readonly answer: Answer;
  readonly tookMs: number;
}

export interface Evidence {
  readonly plan: RoundPlan;
  readonly played: readonly Played[];
  readonly samples: readonly Sample[];
  readonly orders: readonly Order[];
  /** What commands with an uncertain fate were answered when they were asked again at the end, by key. */
  readonly truths: ReadonlyMap<string, Truth>;
  /** When the last fault had ended and every process ran again. */
  readonly healedMs: number;
  /** When there was one leader and a ready follower again; null: not in time. */
  readonly readyMs: number | null;
  /** Null: they never agreed; `disagreement` says on what. */
  readonly account: Account | null;
  readonly disagreement: string;
  readonly deaths: readonly string[];
  /** Faults that could not be played. */
  readonly unplayed: readonly string[];
  readonly lines: PerLabel<readonly LogLine[]>;
  readonly peakMb: PerLabel<number>;
  /** When the machine kept the engines or the recorder from running. */
  readonly stalls: readonly Stall[];
}

export async function stateOf(plant: Plant, label: Label): Promise<CoordinatorState> {
  return (await get(plant, label, "/api/state")) as unknown as CoordinatorState;
}

/** The account, once both engines agree; otherwise on what they differ. */
export async function takeAccount(plant: Plant): Promise<Account | string> {
  const states = { a: await stateOf(plant, "a"), b: await stateOf(plant, "b") };
  const acting = LABELS.filter((label) => states[label].mayAct);
  if (acting.length !== 1) return `${acting.length} engines may act`;
  for (const label of LABELS) {
    const { syncState, lastExecutedSeq, lastCommandSeq } = states[label];
    if (syncState !== "ready") return `${label} is ${syncState}`;
    if (lastExecutedSeq !== lastCommandSeq) return `${label} has executed ${lastExecutedSeq} of ${lastCommandSeq}`;
  }
  const snapshots = await both(async (label) => get(plant, label, "/api/sync/state-snapshot"));
  const logs = await both(async (label) => wholeLog(plant, label));
  const conflicts = await both(async (label) => {
    return (await get(plant, label, "/api/conflicts?limit=1000"))["conflicts"] as readonly Conflict[];
  });
  const checksums = { a: String(snapshots.a["checksum"]), b: String(snapshots.b["checksum"]) };
  if (logs.a.length !== logs.b.length) return `a has ${logs.a.length} commands, b ${logs.b.length}`;
  if (checksums.a !== checksums.b) return `checksums ${checksums.a.slice(0, 12)} and ${checksums.b.slice(0, 12)}`;
  return {
    logs,
    conflicts,
    checksums,
    states: { a: snapshots.a["state"], b: snapshots.b["state"] },
    alarms: { a: states.a.alarms, b: states.b.alarms },
  };
}

export function readLines(file: string): readonly LogLine[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((text) => text !== "")
    .map(readLine);
}

/** The most memory that a process has held, MB; 0 where it is gone. */
export function peakMbOf(pid: number | null): number {
  return Number(/VmHWM:\s+(\d+)/.exec(procFile(pid, "status"))?.[1] ?? 0) / 1_024;
}

/** How long the main thread of a process was ready to run and had no core, ms. */
export function waitedForCoreMs(pid: number | null): number {
  return Number(procFile(pid, "schedstat").split(" ")[1] ?? 0) / 1e6;
}

function procFile(pid: number | null, name: string): string {
  try {
    return pid === null ? "" : readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

export function readLine(text: string): LogLine {
  try {
    const { time, level, msg, alarm, ...rest } = JSON.parse(text) as Record<string, unknown>;
    return {
      text: JSON.stringify({ level, msg, alarm, ...rest }),
      atUnixMs: Date.parse(String(time)),
      level: String(level),
      message: String(msg),
      alarm: typeof alarm === "string" ? alarm : null,
    };
  } catch {
    return { text, atUnixMs: 0, level: "none", message: text, alarm: null };
  }
}

async function wholeLog(plant: Plant, label: Label): Promise<readonly LoggedCommand[]> {
  const log: LoggedCommand[] = [];
  for (;;) {
    const page = await get(plant, label, `/api/commands?limit=500&afterSeq=${log.at(-1)?.seq ?? 0}`);
    log.push(...(page["commands"] as readonly LoggedCommand[]));
    if (page["hasMore"] !== true) return log;
  }
}

async function get(plant: Plant, label: Label, path: string): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await call("GET", `${plant.hosts[label].url}${path}`, undefined, AS_OPERATOR);
  if (status !== 200 || body === null) throw new Error(`${label} ${path}: ${status} ${JSON.stringify(body)}`);
  return body;
}

async function both<Value>(of: (label: Label) => Promise<Value>): Promise<PerLabel<Value>> {
  const [a, b] = await Promise.all([of("a"), of("b")]);
  return { a, b };
}
