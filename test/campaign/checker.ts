/**
 * Judges a round from outside: each rule looks at the evidence and says what broke it. Pure, so that a test can give it
 * false evidence and see that it notices.
 */
import type { CommandConflict, Conflict } from "../../src/core/command.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { acknowledgement, type Answer, LOAD_PATH, type Order } from "./clients.ts";
import type { Account, Evidence, LogLine } from "./evidence.ts";
import type { Played } from "./faults.ts";
import { PAUSE_MS, secondsHeldUp, type Stall, stalledMs } from "./machine-watch.ts";
import type { Sample } from "./recorder.ts";
import type { FaultKind } from "./schedule.ts";

/** One broken rule; `rule` is the id of an invariant of docs/protocol.md, or a word for what protocol.md takes for granted. */
export interface Violation {
  readonly rule: string;
  readonly detail: string;
}

/** From the healing to one leader and a ready follower [I10] [I19]. */
export const READY_WITHIN_MS = 3_000;
/** More where a whole state must be fetched and restored, or a disk comes back. */
const CATCH_UP_MS = 3_000;
const NEEDS_CATCH_UP: readonly FaultKind[] = [
  "restore-folder",
  "fill-disk",
  "kill-engine",
  "terminate-engine",
  "freeze-engine",
];
/** Two leaders that hear each other: a heartbeat, and time to see it from outside [SB1]. */
const TWO_LEADERS_MS = 1_000;
/** From when the pair is ready again: a leader knows every place of its log, and a ready follower too [HO6]. */
const TRUTH_WITHIN_MS = 1_000;
const MOST_LINES_PER_SECOND = 60;
/** The same line within one second: one, and one more by the rounding of the window. */
const MOST_REPEATS = 2;
const MOST_MB = 450;
const MOST_DETAILS = 3;
/** Stand because of the machine that the campaign shares, not because of the pair. */
const OF_THE_MACHINE = ["commands-late", "lockstep-degraded"];
/** Every fault may move the role there and back, and a split adds an epoch. */
const MOVES_PER_FAULT = 3;
const MOVES_OF_START = 2;

type Rule = (evidence: Evidence) => readonly Violation[];

const RULES: readonly Rule[] = [
  twoLeaders,
  epochOwners,
  readiness,
  agreement,
  acknowledged,
  doubled,
  notDone,
  truth,
  conflictsListed,
  unexpectedErrors,
  roleMoves,
  liveLeaderStays,
  deaths,
  logs,
  memory,
  alarms,
];

export function check(evidence: Evidence): readonly Violation[] {
  return RULES.flatMap((rule) => rule(evidence));
}

/** I6: an engine that says it may act after a higher epoch was seen to act. */
function twoLeaders({ plan, samples, played, stalls }: Evidence): readonly Violation[] {
  const overtaken: string[] = [];
  const acting = samples.filter(({ acts }) => acts).sort((one, other) => one.answeredMs - other.answeredMs);
  for (const late of acting) {
    const higher = acting.find(
      ({ label, epoch, answeredMs }) => label !== late.label && epoch > late.epoch && answeredMs < late.sentMs,
    );
    if (higher === undefined) continue;
    const isAllowed =
      plan.policy === "on-air" &&
      (wasHeldUp(stalls, late.sentMs) ||
        played.some((fault) =>
          overlaps(fault, late.sentMs, TWO_LEADERS_MS + stalledMs(stalls, fault.endedMs, late.sentMs)),
        ));
    if (isAllowed) continue;
    const sinceMs = (late.sentMs - higher.answeredMs).toFixed(1);
    overtaken.push(`${late.label} at ${late.epoch}, ${sinceMs} ms after ${higher.label} at ${higher.epoch}`);
  }
  return overtaken.length === 0 ? [] : [violation("I6", `${overtaken.length} samples`, overtaken)];
}

/** I3, EP1: a mints odd epochs, b even ones. */
function epochOwners({ samples }: Evidence): readonly Violation[] {
  const wrong = samples.filter(({ acts, label, epoch }) => acts && (epoch % 2 === 1) !== (label === "a"));
  return wrong.length === 0 ? [] : [violation("I3", "acts under an epoch of the other", wrong.map(sampleText))];
}

/** I10, I19: a leader and a ready follower soon after everything is healed. */
function readiness({ healedMs, readyMs, played, stalls }: Evidence): readonly Violation[] {
  const needsMore = played.some(({ step }) => NEEDS_CATCH_UP.includes(step.fault.kind));
  if (readyMs === null) return [violation("I19", "no leader with a ready follower until the round was given up")];
  const heldUpMs = stalledMs(stalls, healedMs, readyMs);
  // Who was held up for as long as a pause begins anew.
  const times = heldUpMs < PAUSE_MS ? 1 : 2;
  const withinMs = times * (READY_WITHIN_MS + (needsMore ? CATCH_UP_MS : 0)) + heldUpMs;
  const tookMs = readyMs - healedMs;
  if (tookMs <= withinMs) return [];
  return [violation("I19", `a leader and a ready follower after ${ms(tookMs)}, bound ${ms(withinMs)}`)];
}

/** I7: equal logs, without a gap, and equal states. */
function agreement({ account, disagreement }: Evidence): readonly Violation[] {
  if (account === null) return [violation("I7", `the engines never agreed: ${disagreement}`)];
  const [a, b] = [account.logs.a, account.logs.b];
  const differs = a.findIndex((command, at) => JSON.stringify(command) !== JSON.stringify(b[at]));
  const gap = a.findIndex(({ seq }, at) => seq !== at + 1);
  return [
    ...(differs < 0 ? [] : [violation("I7", "logs differ", [JSON.stringify(a[differs]), JSON.stringify(b[differs])])]),
    ...(gap < 0 ? [] : [violation("I7", `the log has a gap before command ${a[gap]?.seq}`)]),
  ];
}

/** I9: what was acknowledged stands where it was said to stand, in the order of its client. */
function acknowledged(evidence: Evidence): readonly Violation[] {
  const { account, orders, lines } = evidence;
  if (account === null) return [];
  const isStale = [...lines.a, ...lines.b].some(({ alarm }) => alarm === "stale-takeover");
  const lost: string[] = [];
  for (const order of orders) {
    const answer = acknowledgement(order);
    if (answer === null || stands(account, order, answer)) continue;
    const isListed = conflictsOf(account, order).some(({ divergent }) => divergent.seq === answer.seq);
    if (areBothRestored(evidence, answer)) continue;
    const mayDiverge = answer.durability === "local" || (isStale && evidence.plan.policy === "on-air");
    if (mayDiverge && (isListed || mayBeGone(evidence, answer))) continue;
    lost.push(
      `${order.key} acknowledged ${answer.durability} at ${answer.epoch}/${answer.seq}${isListed ? ", a conflict" : ""}`,
    );
  }
  const moved = outOfOrder(account, orders);
  return [
    ...(lost.length === 0 ? [] : [violation("I9", `${lost.length} acknowledged commands lost`, lost)]),
    ...(moved.length === 0 ? [] : [violation("I9", "commands of one client in another order", moved)]),
  ];
}

/** I9: no command twice, neither in the log nor in the engine. */
function doubled({ account, plan }: Evidence): readonly Violation[] {
  if (account === null) return [];
  const seen = new Set<string>();
  const kinds = account.logs.a.map(({ kind }) => kind).filter((kind) => kind.includes(LOAD_PATH));
  const twice = kinds.filter((kind) => seen.size === seen.add(kind).size);
  const wrong = (["a", "b"] as const).flatMap((label) => executedWrongly(account, label, plan.engine === "http"));
  return [
    ...(twice.length === 0 ? [] : [violation("I9", `${twice.length} commands stand twice`, twice)]),
    ...(wrong.length === 0 ? [] : [violation("I9", `${wrong.length} commands were not executed once`, wrong)]),
  ];
}

/** I17: what was answered "not done", and never asked again, was not done. */
function notDone({ account, orders, truths }: Evidence): readonly Violation[] {
  if (account === null) return [];
  const false_ = orders.flatMap((order) => {
    const [answer, ...more] = order.answers;
    if (answer === undefined || more.length > 0 || truths.has(order.key) || !saysNotDone(answer)) return [];
    const place = account.logs.a.find(({ kind }) => kind === order.kind);
    const listed = conflictsOf(account, order)[0]?.divergent;
    if (place === undefined && listed === undefined) return [];
    const at = place ?? listed;
    const where = place === undefined ? "listed as a conflict" : "in the log";
    return [
      `${order.key}: ${answer.status} ${answer.code} from ${answer.engine}, and ${where} at ${at?.epoch}/${at?.seq}`,
    ];
  });
  return false_.length === 0 ? [] : [violation("I17", `${false_.length} answers "not done" were false`, false_)];
}

/** HO6: a command whose fate was uncertain is answered with its place when it is asked again. */
function truth({ account, orders, truths, stalls, readyMs }: Evidence): readonly Violation[] {
  if (account === null) return [];
  const wrong = orders.flatMap((order) => {
    const found = truths.get(order.key);
    if (found === undefined) return [];
    const { answer, tookMs } = found;
    if (answer.status !== 200) return [`${order.key}: ${answer.status} ${answer.code}`];
    if (tookMs > TRUTH_WITHIN_MS + stalledMs(stalls, readyMs ?? 0)) return [`${order.key}: only after ${ms(tookMs)}`];
    return stands(account, order, answer)
      ? []
      : [`${order.key}: ${answer.epoch}/${answer.seq}, and another stands there`];
  });
  return wrong.length === 0 ? [] : [violation("HO6", "asked again, and the answer is not the truth", wrong)];
}

/** SB3: every divergent command is listed once, alike on both engines, and none that stands. */
function conflictsListed({ account }: Evidence): readonly Violation[] {
  if (account === null) return [];
  const listed = (label: Label) => account.conflicts[label].filter(isCommand);
  const places = (label: Label) => listed(label).map(({ divergent }) => placeOf(divergent));
  const standing = new Set(account.logs.a.map(placeOf));
  const found: Violation[] = [];
  for (const label of ["a", "b"] as const) {
    const own = places(label);
    const twice = own.filter((place, at) => own.indexOf(place) !== at);
    // A conflict is closed as reapplied where its command stands after all.
    const both = listed(label).flatMap(({ outcome, divergent }) =>
      outcome !== "reapplied" && standing.has(placeOf(divergent)) ? [placeOf(divergent)] : [],
    );
    const missing = places(otherLabel(label)).filter((place) => !own.includes(place));
    if (twice.length > 0) found.push(violation("SB3", `listed twice as conflicts on ${label}`, twice));
    if (both.length > 0) found.push(violation("SB3", `listed as conflicts on ${label}, and in the log`, both));
    if (missing.length > 0) found.push(violation("SB3", `conflicts that ${label} does not list`, missing));
  }
  return found;
}

/** No request is answered 500. */
function unexpectedErrors({ orders }: Evidence): readonly Violation[] {
  const errors = orders.flatMap((order) =>
    order.answers.flatMap(({ status, code, engine }) =>
      status !== null && status >= 500 && status !== 503 ? [`${order.key}: ${status} ${code} from ${engine}`] : [],
    ),
  );
  return errors.length === 0 ? [] : [violation("answers", `${errors.length} answers are internal errors`, errors)];
}

/** I11: the role moves a bounded number of times. */
function roleMoves({ samples, played, stalls }: Evidence): readonly Violation[] {
  const reigns = new Set(samples.filter(({ acts }) => acts).map(({ label, epoch }) => `${label} ${epoch}`));
  const most = MOVES_OF_START + MOVES_PER_FAULT * (played.length + secondsHeldUp(stalls));
  if (reigns.size <= most) return [];
  return [violation("I11", `${reigns.size} leaderships, at most ${most}`, [...reigns])];
}

/** I20, EP5: an engine that returns does not take the role from one that leads and was well. */
function liveLeaderStays({ samples, played, healedMs, readyMs, stalls }: Evidence): readonly Violation[] {
  if (readyMs === null) return [];
  const before = samples.filter(({ acts, answeredMs }) => acts && answeredMs < healedMs && answeredMs > healedMs - 300);
  const leader = before.reduce<Sample | null>(
    (best, one) => (best === null || one.epoch > best.epoch ? one : best),
    null,
  );
  const after = samples.filter(({ acts, sentMs }) => acts && sentMs > readyMs).at(-1);
  if (leader === null || after === undefined || after.label === leader.label) return [];
  if (stalledMs(stalls, healedMs - 2_500, after.answeredMs) > 200) return [];
  // A fault of the leader, or a person's word, may take the role from it soon after.
  const isTroubled = played.some(
    ({ step: { fault }, label, beganMs, endedMs }) =>
      endedMs > leader.answeredMs - 2_500 &&
      beganMs < readyMs &&
      (label === leader.label || label === null || ["handover", "force-leader", "maintenance"].includes(fault.kind)),
  );
  if (isTroubled) return [];
  return [violation("I20", `${sampleText(leader)} when all was healed, then ${sampleText(after)}`)];
}

/** No process ended that was not ended by a fault. */
function deaths(evidence: Evidence): readonly Violation[] {
  const found = [...evidence.deaths, ...evidence.unplayed];
  return found.map((death) => violation("process", death));
}

/** No flood in the logs, no line again within a second, no broken invariant, nothing but log lines. */
export function logs({ lines }: Pick<Evidence, "lines">): readonly Violation[] {
  return (["a", "b"] as const).flatMap((label) => {
    const found: Violation[] = [];
    const own = lines[label];
    const broken = own.filter(({ text }) => /broken invariant|TypeError|RangeError|ReferenceError/.test(text));
    const strange = own.filter(({ level }) => level === "none");
    const most = mostWithinASecond(own);
    const repeated = mostRepeated(own);
    if (broken.length > 0)
      found.push(violation("log", `${broken.length} broken invariants at ${label}`, broken.map(textOf)));
    if (strange.length > 0) found.push(violation("log", `${label} wrote what is no log line`, strange.map(textOf)));
    if (most > MOST_LINES_PER_SECOND) found.push(violation("log", `${label} wrote ${most} lines within a second`));
    if (repeated !== null) found.push(violation("log", `${label} repeats a line within a second`, [repeated]));
    return found;
  });
}

function memory({ peakMb }: Evidence): readonly Violation[] {
  return (["a", "b"] as const)
    .filter((label) => peakMb[label] > MOST_MB)
    .map((label) => violation("memory", `${label} held ${peakMb[label].toFixed(0)} MB, at most ${MOST_MB}`));
}

/** When all is well, no alarm says otherwise. */
function alarms({ account }: Evidence): readonly Violation[] {
  if (account === null) return [];
  return (["a", "b"] as const).flatMap((label) =>
    account.alarms[label]
      .filter(isOfThePair)
      .map(({ code, detail }) => violation("alarm", `${label} still has ${code}: ${detail}`)),
  );
}

/** Whether it says something of the pair, and not of the machine that the campaign shares. */
export function isOfThePair({ code }: { readonly code: string }): boolean {
  return !OF_THE_MACHINE.includes(code);
}

function saysNotDone({ status, code }: Answer): boolean {
  if (status === null || code === "outcome_unknown") return false;
  return status === 503 || (status >= 400 && status < 500);
}

function stands(account: Account, order: Order, { seq, epoch }: Answer): boolean {
  const command = account.logs.a[(seq ?? 0) - 1];
  return command?.kind === order.kind && command.epoch === epoch;
}

/** A copy of the folder was put back after this answer: what only that engine had is gone with it. */
function mayBeGone({ played }: Evidence, { engine, answeredMs }: Answer): boolean {
  return played.some(
    ({ step, label, beganMs }) =>
      step.fault.kind === "restore-folder" && label === engine && answeredMs < beganMs + 1_000,
  );
}

/** Copies were put back on both engines after this answer: nobody has it any more. */
function areBothRestored({ played }: Evidence, { answeredMs }: Answer): boolean {
  const restored = played.filter(
    ({ step, beganMs }) => step.fault.kind === "restore-folder" && answeredMs < beganMs + 1_000,
  );
  return new Set(restored.map(({ label }) => label)).size === 2;
}

function outOfOrder(account: Account, orders: readonly Order[]): readonly string[] {
  const last = new Map<string, number>();
  return orders.flatMap((order) => {
    const answer = acknowledgement(order);
    if (answer === null || answer.seq === null || !stands(account, order, answer)) return [];
    const before = last.get(order.client) ?? 0;
    last.set(order.client, answer.seq);
    return before > answer.seq ? [`${order.key} at ${answer.seq}, the one before it at ${before}`] : [];
  });
}

/** Calls that the engine keeps: the embedded one counts them, both keep the place of the last. */
function executedWrongly({ states, logs }: Account, label: Label, isHttp: boolean): readonly string[] {
  const { calls = {} } = (states[label] ?? {}) as { readonly calls?: Readonly<Record<string, KeptCall>> };
  const places = new Map(logs.a.map(({ kind, seq }) => [kind, seq]));
  return Object.entries(calls).flatMap(([name, { times = 1, lastSeq, seq }]) => {
    if (!name.includes(LOAD_PATH)) return [];
    const inLog = places.get(isHttp ? name : `POST ${name}`);
    const executedAt = lastSeq ?? seq;
    if (times === 1 && inLog === executedAt) return [];
    return [`${label}: ${name} executed ${times} times, as command ${executedAt}, in the log as ${inLog}`];
  });
}

interface KeptCall {
  readonly times?: number;
  readonly lastSeq?: number;
  readonly seq?: number;
}

function conflictsOf({ conflicts }: Account, order: Order): readonly CommandConflict[] {
  return [...conflicts.a, ...conflicts.b].filter(isCommand).filter(({ divergent }) => divergent.kind === order.kind);
}

function isCommand(conflict: Conflict): conflict is CommandConflict {
  return conflict.kind === "command";
}

function overlaps({ beganMs, endedMs }: Played, atMs: number, afterMs: number): boolean {
  return atMs >= beganMs && atMs <= endedMs + afterMs;
}

/** The machine held somebody up shortly before: the role may have moved for that. */
function wasHeldUp(stalls: readonly Stall[], atMs: number): boolean {
  return stalledMs(stalls, atMs - TWO_LEADERS_MS - PAUSE_MS, atMs) >= PAUSE_MS;
}

function mostWithinASecond(lines: readonly LogLine[]): number {
  let most = 0;
  let from = 0;
  lines.forEach(({ atUnixMs }, at) => {
    // The wall clock of this engine was put back: the second begins again.
    if (atUnixMs < (lines[at - 1]?.atUnixMs ?? 0)) from = at;
    while ((lines[from]?.atUnixMs ?? 0) < atUnixMs - 1_000) from += 1;
    most = Math.max(most, at - from + 1);
  });
  return most;
}

/** A line that came more than `MOST_REPEATS` times within a second; null: none did. */
function mostRepeated(lines: readonly LogLine[]): string | null {
  const times = new Map<string, number[]>();
  for (const { text, atUnixMs } of lines) {
    const last = [...(times.get(text) ?? []), atUnixMs].slice(-MOST_REPEATS - 1);
    times.set(text, last);
    const tookMs = atUnixMs - (last[0] ?? 0);
    // Less than nothing: the wall clock of this engine was put back in between.
    if (last.length > MOST_REPEATS && tookMs >= 0 && tookMs < 1_000) return text;
  }
  return null;
}

function violation(rule: string, detail: string, examples: readonly string[] = []): Violation {
  const shown = examples.slice(0, MOST_DETAILS).join("; ");
  const more = examples.length > MOST_DETAILS ? `; and ${examples.length - MOST_DETAILS} more` : "";
  return { rule, detail: shown === "" ? detail : `${detail}: ${shown}${more}` };
}

function sampleText({ label, epoch }: Sample): string {
  return `${label} acted at epoch ${epoch}`;
}

function placeOf({
  epoch,
  seq,
  kind,
}: {
  readonly epoch: number;
  readonly seq: number;
  readonly kind: string;
}): string {
  return `${epoch}/${seq} ${kind}`;
}

function textOf({ text }: LogLine): string {
  return text.slice(0, 300);
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
