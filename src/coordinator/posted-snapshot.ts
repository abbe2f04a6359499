/**
 * Purpose: reads a state snapshot that a caller posts.
 * Keeps true: what it lets through can be gone on from: no number in it is so far beyond what this engine has seen that
 * the next ones would not fit.
 * Does not know: whether the checksum is right, and who holds the lock.
 */
import type { Json } from "../core/canonical-json.ts";
import { isEpoch, type Epoch } from "../core/epoch.ts";
import { isWithinReach, MAX_NUMBER, outOfReach } from "../core/reach.ts";
import { parseHlc } from "../core/hlc.ts";
import type { StateSnapshot } from "../core/messages.ts";
import { counterOf, parseClock, type VectorClock } from "../core/vector-clock.ts";

/** Why a snapshot is none. */
export interface SnapshotFault {
  readonly fault: string;
  /** A number in it is beyond the bound, or too far above what is known here [EP6]. */
  readonly outOfReach: boolean;
}

/** How a number is called that nobody can have reached. */
const FAR = "out of reach";

/** What this engine has seen so far. */
export interface Known {
  readonly epoch: Epoch;
  readonly seq: number;
  readonly clock: VectorClock;
}

/** The snapshot, or why it is none. */
export function parsePostedSnapshot(given: Json, known: Known): StateSnapshot | SnapshotFault {
  const parsed = parse(given, known);
  if (typeof parsed !== "string") return parsed;
  return { fault: parsed, outOfReach: parsed.includes(FAR) };
}

function parse(given: Json, known: Known): StateSnapshot | string {
  if (given === null || typeof given !== "object" || Array.isArray(given)) return "a snapshot is an object";
  const value = given as Record<string, Json | undefined>;
  const { version, engineLabel, engineId, epoch, clock, hlc, lastCommandSeq, lastExecutedSeq, state, checksum } = value;
  if (version !== 1) return `version is ${shown(version)}, this engine takes 1`;
  if (engineLabel !== "a" && engineLabel !== "b") return `engineLabel is ${shown(engineLabel)}, not "a" or "b"`;
  if (typeof engineId !== "string" || engineId.length > 64) return "engineId is not a string of at most 64 characters";
  if (typeof epoch === "number" && epoch > MAX_NUMBER) return outOfReach("epoch", epoch);
  if (!isEpoch(epoch)) return `epoch is ${shown(epoch)}, not a whole number of at least 0`;
  if (!isWithinReach(known.epoch, epoch)) return far("epoch", epoch, known.epoch);
  const position = positionFault(value, known.seq);
  if (position !== null) return position;
  if (typeof checksum !== "string" || !/^[0-9a-f]{64}$/.test(checksum)) return "checksum is not 64 hexadecimal digits";
  if (state === undefined) return "state is missing";
  try {
    parseHlc(typeof hlc === "string" ? hlc : "");
    const fault = clockFault(parseClock(clock), known.clock);
    if (fault !== null) return fault;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  // Fields that are not of a snapshot go no further.
  const parsed = {
    version,
    engineLabel,
    engineId,
    epoch,
    clock,
    hlc,
    lastCommandSeq,
    lastExecutedSeq,
    state,
    checksum,
  };
  return parsed as unknown as StateSnapshot;
}

function positionFault(value: Record<string, Json | undefined>, knownSeq: number): string | null {
  const { lastCommandSeq, lastExecutedSeq } = value;
  if (!isCount(lastCommandSeq)) return `lastCommandSeq is ${shown(lastCommandSeq)}, not a whole number of at least 0`;
  if (!isCount(lastExecutedSeq) || lastExecutedSeq > lastCommandSeq) {
    return `lastExecutedSeq is ${shown(lastExecutedSeq)}, not a whole number of 0 to lastCommandSeq`;
  }
  return isWithinReach(knownSeq, lastCommandSeq) ? null : far("lastCommandSeq", lastCommandSeq, knownSeq);
}

function clockFault(clock: VectorClock, known: VectorClock): string | null {
  for (const [origin, seq] of Object.entries(clock)) {
    const held = counterOf(known, origin);
    if (!isWithinReach(held, seq)) return far(`clock of ${origin.slice(0, 64)}`, seq, held);
  }
  return null;
}

function far(where: string, value: number, known: number): string {
  return `${where} is ${value}, ${FAR} from ${known}`;
}

function isCount(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function shown(value: Json | undefined): string {
  return (JSON.stringify(value) ?? "missing").slice(0, 80);
}
