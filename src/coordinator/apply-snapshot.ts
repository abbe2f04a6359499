/**
 * A state that a caller posts, put in place under the reconcile lock [SB4].
 * On any refusal the state stays byte for byte what it was.
 */
import type { Kit } from "../actors/kit.ts";
import { LockProof } from "../actors/lock-proof.ts";
import { KEYS_CARRIED } from "../actors/snapshots.ts";
import { assertNever } from "../core/errors.ts";
import type { Json } from "../core/canonical-json.ts";
import type { LockId } from "../core/ids.ts";
import type { SnapshotTransfer, StateSnapshot } from "../core/messages.ts";
import type { ApplySnapshotOutcome } from "../core/outcomes.ts";
import { mergeClocksCapped, counterOf, parseClock, type VectorClock } from "../core/vector-clock.ts";
import type { Actors } from "./actors.ts";
import { isEpoch, type Epoch, isWithinReach, MAX_NUMBER, outOfReach } from "../core/epoch.ts";
import { parseHlc } from "../core/hlc.ts";

export async function applySnapshot(
  kit: Kit,
  actors: Actors,
  claimed: ClaimedLock,
  given: Json,
): Promise<ApplySnapshotOutcome> {
  const { book } = actors.succession;
  const { log } = actors;
  const known = { epoch: book.highest, seq: log.position.seq, clock: log.clock };
  const parsed = parsePostedSnapshot(given, known);
  if ("fault" in parsed) return refused(kit, claimed, parsed);
  const verified = await actors.snapshots.verify(parsed);
  if (typeof verified === "string") return { outcome: "invalid-snapshot", detail: verified };
  const proof = await prove(kit, claimed);
  if (proof.outcome !== "proven") return proof;
  const { lock } = proof;
  const admitted = (): boolean => kit.rules.admitsEpoch(book.accepted, parsed.epoch);
  if (!admitted()) return { outcome: "stale-epoch", epoch: book.accepted };
  const transferNow = (): Omit<SnapshotTransfer, "snapshot"> | null =>
    admitted() && lock.counts ? asTransfer(kit, actors, parsed) : null;
  lock.keep();
  const result = await actors.snapshots
    .install(verified, proof.fence, transferNow, { isLeaders: false })
    .finally(() => lock.end());
  switch (result.outcome) {
    case "installed":
      actors.succession.sawEpoch(parsed.epoch);
      return { outcome: "applied", clock: actors.log.clock, lastCommandSeq: actors.log.position.seq };
    case "overtaken":
      if (!admitted()) return { outcome: "stale-epoch", epoch: book.accepted };
      return { outcome: "lock-not-held", detail: "the lock may have ended while the engine was waited for" };
    case "refused":
      return { outcome: "invalid-snapshot", detail: result.detail };
    case "failed":
      return { outcome: "engine-not-ready", detail: result.detail };
    default:
      return assertNever(result);
  }
}

/** A number that nobody can have reached is also told to people: its sender made it up, or is broken [EP6]. */
function refused(kit: Kit, { holder }: ClaimedLock, { fault, outOfReach }: SnapshotFault): ApplySnapshotOutcome {
  if (outOfReach) {
    const who = holder === null ? "a caller" : holder.slice(0, 64);
    const remedy = "it was not stored; find out who posted it, then clear the alarm: changeover pair reset-numbers";
    kit.alarms.raise("number-out-of-reach", `${who} posted a snapshot: ${fault}; ${remedy}`);
  }
  return { outcome: "invalid-snapshot", detail: fault };
}

type Proof =
  | { readonly outcome: "proven"; readonly fence: number; readonly lock: LockProof }
  | Extract<ApplySnapshotOutcome, { outcome: "lock-not-held" | "witness-unreachable" }>;

/** The lock that a caller names, or else the name under which it holds one. */
interface ClaimedLock {
  readonly lockId: LockId | null;
  readonly holder: string | null;
}

async function prove(kit: Kit, claimed: ClaimedLock): Promise<Proof> {
  if (claimed.lockId === null && claimed.holder === null) {
    return { outcome: "lock-not-held", detail: "X-Reconcile-Lock (or the query lockId) is not the id of a lock" };
  }
  const sentAtMs = kit.nowMs();
  const standing = await kit.ports.witness.readLock();
  if (standing.outcome === "unreachable") return { outcome: "witness-unreachable", detail: standing.reason };
  const ownsIt = standing.lock !== null && standing.lock.holder === claimed.holder;
  const lockId = claimed.lockId ?? (ownsIt ? standing.lock.lockId : null);
  if (lockId === null) {
    const who = standing.lock === null ? "nobody does" : `${standing.lock.holder} does`;
    return { outcome: "lock-not-held", detail: `${claimed.holder} does not hold the reconcile lock; ${who}` };
  }
  const floor = kit.ports.store.positions().lockFence;
  if (!kit.rules.lockProves(standing.lock, { lockId, fence: null }, floor)) {
    const holder = standing.lock === null ? "nobody" : standing.lock.holder;
    return { outcome: "lock-not-held", detail: `${lockId} does not hold the reconcile lock; ${holder} does` };
  }
  const lock = new LockProof(kit, { lockId, fence: null }, "caller");
  lock.judge(standing, sentAtMs);
  return { outcome: "proven", fence: standing.lock?.fence ?? 0, lock };
}

/** Our log is kept where it reaches the snapshot's position; what it has beyond that is executed again on the new state. */
function asTransfer(kit: Kit, actors: Actors, snapshot: StateSnapshot): Omit<SnapshotTransfer, "snapshot"> {
  const { store } = kit.ports;
  const own = actors.log.position;
  const { lastExecutedSeq } = snapshot;
  const shape = store.logShape();
  const covered = own.seq >= lastExecutedSeq;
  const beyond = { epoch: snapshot.epoch, from: own.seq + 1, to: lastExecutedSeq };
  return {
    keepThroughSeq: covered ? own.seq : 0,
    commands: [],
    conflicts: [],
    keys: store.recentKeys(KEYS_CARRIED),
    outbox: [],
    shape: covered ? shape : [...shape, beyond],
    baseClock: mergeClocksCapped(actors.log.clock, snapshot.clock),
  };
}

// Reads a state snapshot that a caller posts. What it lets through can be gone on from: no number in it is so far
// beyond what this engine has seen that the next ones would not fit.

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
