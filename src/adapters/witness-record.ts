/**
 * The witness record as text, for witnesses that keep it outside this process (Redis, SQLite).
 * What is read back is a whole record or nothing; a text that anyone else wrote is never taken for one.
 * It does not know where the text is kept, nor what the record means.
 */
import { isEpoch, isReachable } from "../core/epoch.ts";
import { parseClock } from "../core/vector-clock.ts";
import type { ExpectedRecord, StrangeContent, WitnessRecord } from "../ports/witness.ts";

/** Holder, epoch and seq as one text; the empty text stands for "no record". */
export function versionOf(expected: ExpectedRecord): string {
  return expected === null ? "" : `${expected.holder}:${expected.epoch}:${expected.seq}`;
}

export function isStrange(value: ExpectedRecord | StrangeContent): value is StrangeContent {
  return value !== null && "content" in value;
}

/** Whether `standing` is what a swap expects. */
export function isExpected(
  standing: ExpectedRecord | StrangeContent,
  expected: ExpectedRecord | StrangeContent,
): boolean {
  if (standing === null || expected === null) return standing === expected;
  if (isStrange(standing) || isStrange(expected)) {
    return isStrange(standing) && isStrange(expected) && standing.content === expected.content;
  }
  return versionOf(standing) === versionOf(expected) && standing.engineId === expected.engineId;
}

export function recordToText(record: WitnessRecord): string {
  return JSON.stringify(record);
}

/** The record in `text`; `null` when it holds none that this version understands. */
export function recordFromText(text: string): WitnessRecord | null {
  try {
    const value = JSON.parse(text) as unknown;
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is WitnessRecord {
  if (value === null || typeof value !== "object") return false;
  const given = value as Partial<Record<keyof WitnessRecord, unknown>>;
  parseClock(given.clock);
  return (
    (given.holder === "a" || given.holder === "b") &&
    typeof given.engineId === "string" &&
    isEpoch(given.epoch) &&
    isReachable(given.seq) &&
    isReachable(given.lastCommandSeq) &&
    isEpoch(given.lastCommandEpoch) &&
    typeof given.released === "boolean"
  );
}
