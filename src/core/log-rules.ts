/**
 * How the one log may grow and how its tail may be replaced; the rules that every store keeps, whatever it is
 * made of.
 * Seq is contiguous, epochs and origin counters never fall, and a restart can always replay from the
 * checkpoint. Anyone who breaks that has a fault: these functions throw, they do not refuse.
 */
import { assert } from "./errors.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { Command, Conflict, EpochRun, KeyedAnswer, LogPosition } from "./command.ts";
import { appendToShape, cutShape, epochAt, findFork } from "./fork.ts";
import type { LogShape } from "./fork.ts";
import { laterHlc, parseHlc } from "./hlc.ts";
import type { EngineId } from "./ids.ts";
import { counterOf, mergeClocksCapped } from "./vector-clock.ts";
import type { VectorClock } from "./vector-clock.ts";

/** A log that begins above its base: what stands before its first command, and how that ends. */
export interface LogBase {
  readonly shape: readonly EpochRun[];
  readonly position: LogPosition;
}

/** The position of the last command of a log of this shape. */
export function endOfShape(shape: LogShape): LogPosition {
  const last = shape.at(-1);
  return last === undefined ? { epoch: 0, seq: 0 } : { epoch: last.epoch, seq: last.to };
}

/** `shape` with `commands` behind its end. */
export function extendShape(shape: LogShape, commands: readonly Command[]): LogShape {
  let extended = shape;
  let run: { epoch: number; from: number; to: number } | null = null;
  for (const command of commands) {
    assert(Number.isSafeInteger(command.executeAtUs), `executeAtUs ${command.executeAtUs} is in whole µs`);
    if (run !== null && command.epoch === run.epoch && command.seq === run.to + 1) {
      run.to = command.seq;
      continue;
    }
    if (run !== null) extended = appendToShape(extended, run.epoch, run.from, run.to);
    else assert(command.seq === endOfShape(shape).seq + 1, `seq ${command.seq} follows ${endOfShape(shape).seq}`);
    run = { epoch: command.epoch, from: command.seq, to: command.seq };
  }
  return run === null ? shape : appendToShape(extended, run.epoch, run.from, run.to);
}

/**
 * The clock once `commands` are held: the highest number of each origin among what is held, and nothing else [SB6]. The
 * clocks that the commands carry do not count: their leader may have known of commands that this log never gets. Throws
 * `clock_cap` when it would have too many entries.
 */
export function extendClock(clock: VectorClock, commands: readonly Command[]): VectorClock {
  const held: Record<string, number> = { ...clock };
  for (const { origin, originSeq } of commands) {
    const last = counterOf(held, origin);
    assert(originSeq > last, `command ${originSeq} of ${origin} is new, ${last} of it are held`);
    held[origin] = originSeq;
  }
  return mergeClocksCapped(held, {});
}

/** The highest number that `engine` gave one of its own commands, once `commands` are known: never one twice [SB6]. */
export function highestOwn(highest: number, engine: string, commands: readonly Command[]): number {
  return commands.reduce(
    (known, { origin, originSeq }) => (origin === engine ? Math.max(known, originSeq) : known),
    highest,
  );
}

/** The commands that `conflicts` keep beside the log. */
export function divergentIn(conflicts: readonly Conflict[]): readonly Command[] {
  return conflicts.flatMap((conflict) => (conflict.kind === "command" ? [conflict.divergent] : []));
}

/**
 * What an adoption does to the clock below the commands that come with it: the clock of what stays, and the clock of what
 * is below the lowest command that is still held. `clockThrough` reads the clock of its own log, where that is known.
 */
export function rebaseClock(
  adoption: Pick<Adopted, "keepThroughSeq" | "base" | "baseClock">,
  held: { readonly firstHeldSeq: number; readonly baseClock: VectorClock },
  clockThrough: (seq: number) => VectorClock,
): { readonly baseClock: VectorClock; readonly clock: VectorClock } {
  const { keepThroughSeq, base, baseClock } = adoption;
  // The own log may begin above what is kept of it: what it holds below is then known only from the sender.
  const joins = base === null || base.position.seq === keepThroughSeq;
  const known = joins && keepThroughSeq >= held.firstHeldSeq - 1;
  if (!known) return { baseClock, clock: baseClock };
  return { baseClock: held.baseClock, clock: clockThrough(keepThroughSeq) };
}

interface Adopted {
  readonly keepThroughSeq: number;
  readonly base: LogBase | null;
  /** The sender's clock right below the commands that come along. */
  readonly baseClock: VectorClock;
}

/**
 * What is wrong with a clock that was stored: an entry above the highest command of its origin that is held, or that was
 * held below the lowest one that still is [SB6]; null when nothing is.
 */
export function clockFlaw(stored: VectorClock, content: VectorClock): string | null {
  for (const [origin, seq] of Object.entries(stored)) {
    const held = counterOf(content, origin);
    if (seq > held) return `the clock counts ${seq} commands of ${origin}, ${held} are held`;
  }
  return null;
}

/** The latest of `hlc` and the stamps of this engine's own `commands`: another engine's clock may be wrong [CK1]. */
export function extendHlc(hlc: string, commands: readonly Command[], own: EngineId): string {
  return commands.reduce((latest, { origin, hlc: stamp }) => (origin === own ? laterHlc(latest, stamp) : latest), hlc);
}

/** The canonical text of what a command asks for: two with the same idempotency key must agree in it. */
export function identityText({ kind, payload }: Pick<Command, "kind" | "payload">): string {
  return canonicalJson([kind, payload]);
}

/** What the idempotency key of `command` remembers; `null` when it has none. */
export function keyedAnswer(command: Command, sha256Of: (text: string) => string): KeyedAnswer | null {
  const { idempotencyKey: key, seq, epoch, executeAtUs } = command;
  if (key === null) return null;
  const digest = sha256Of(identityText(command));
  return { key, seq, epoch, executeAtUs, atUnixMs: parseHlc(command.hlc).unixMs, digest };
}

/** What the idempotency keys of `commands` remember. */
export function keyedAnswers(commands: readonly Command[], sha256Of: (text: string) => string): readonly KeyedAnswer[] {
  return commands.flatMap((command) => keyedAnswer(command, sha256Of) ?? []);
}

/** The shape that adopted commands follow: `shape` through `keepThroughSeq`, or that of the base. */
export function rebaseShape(shape: LogShape, keepThroughSeq: number, base: LogBase | null): LogShape {
  const end = endOfShape(shape).seq;
  assert(keepThroughSeq <= end, `a log of ${end} commands is kept through ${keepThroughSeq}`);
  if (base === null) return cutShape(shape, keepThroughSeq);
  const { epoch, seq } = base.position;
  assert(seq >= keepThroughSeq, `the base ends at ${seq}, the log is kept through ${keepThroughSeq}`);
  if (base.shape.length === 0 && seq > 0) return [{ epoch, from: seq, to: seq }];
  const shown = endOfShape(base.shape);
  assert(
    shown.seq === seq && shown.epoch === epoch,
    `the base's shape ends at ${shown.epoch}/${shown.seq}, not at ${epoch}/${seq}`,
  );
  return base.shape;
}

/** The lowest seq that is still held after an adoption over what was held from `firstHeldSeq` on. */
export function rebaseFirstHeld(firstHeldSeq: number, keepThroughSeq: number, base: LogBase | null): number {
  const follows = (base?.position.seq ?? keepThroughSeq) + 1;
  const gap = follows > keepThroughSeq + 1 || firstHeldSeq > keepThroughSeq;
  return gap ? follows : firstHeldSeq;
}

/** Where the log of shape `after`, kept through `keepThroughSeq` or rebased, parts from that of shape `before`. */
export function adoptedAt(
  before: LogShape,
  after: LogShape,
  { keepThroughSeq, base }: { readonly keepThroughSeq: number; readonly base: LogBase | null },
): { readonly forkSeq: number; readonly before: LogPosition } {
  const position = base?.position ?? { epoch: epochAt(before, keepThroughSeq) ?? 0, seq: keepThroughSeq };
  return { forkSeq: Math.max(findFork(before, after), keepThroughSeq), before: position };
}

/** Throws unless a log held from `firstHeldSeq` to `end` can be replayed from a checkpoint at `seq`. */
export function requireReplayable(seq: number, firstHeldSeq: number, end: number): void {
  assert(
    seq >= firstHeldSeq - 1,
    `a checkpoint at ${seq} needs the commands from ${seq + 1}, held from ${firstHeldSeq}`,
  );
  assert(seq <= end, `a checkpoint at ${seq} is within the log, which ends at ${end}`);
}
