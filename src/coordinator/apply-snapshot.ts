/**
 * Purpose: a state that a caller posts, put in place under the reconcile lock [SB4].
 * Keeps true: on any refusal the state stays byte for byte what it was.
 */
import type { Kit } from "../actors/kit.ts";
import { lockEndsAtMs } from "../actors/reconcile-lock.ts";
import { assertNever } from "../core/assert.ts";
import type { Json } from "../core/canonical-json.ts";
import { isEpoch } from "../core/epoch.ts";
import { parseHlc } from "../core/hlc.ts";
import type { LockId } from "../core/ids.ts";
import type { SnapshotTransfer, StateSnapshot } from "../core/messages.ts";
import type { ApplySnapshotOutcome } from "../core/outcomes.ts";
import { parseClock } from "../core/vector-clock.ts";
import type { Actors } from "./actors.ts";

export async function applySnapshot(
  kit: Kit,
  actors: Actors,
  lockId: LockId | null,
  given: Json,
): Promise<ApplySnapshotOutcome> {
  const parsed = parseSnapshot(given);
  if (typeof parsed === "string") return { outcome: "invalid-snapshot", detail: parsed };
  const verified = await actors.snapshots.verify(parsed);
  if (typeof verified === "string") return { outcome: "invalid-snapshot", detail: verified };
  const proof = await prove(kit, lockId);
  if (proof.outcome !== "proven") return proof;
  const { book } = actors.succession;
  const admitted = (): boolean => kit.rules.admitsEpoch(book.accepted, parsed.epoch);
  if (!admitted()) return { outcome: "stale-epoch", epoch: book.accepted };
  const transferNow = (): Omit<SnapshotTransfer, "snapshot"> | null =>
    admitted() && kit.nowMs() < proof.untilMs ? asTransfer(kit, actors, parsed) : null;
  const result = await actors.snapshots.install(verified, proof.fence, transferNow);
  switch (result.outcome) {
    case "installed":
      actors.succession.sawEpoch(parsed.epoch);
      return { outcome: "applied", clock: actors.log.clock, lastCommandSeq: actors.log.position.seq };
    case "overtaken":
      if (!admitted()) return { outcome: "stale-epoch", epoch: book.accepted };
      return { outcome: "lock-not-held", detail: "the lock may have lapsed while the engine was waited for" };
    case "failed":
      return { outcome: "engine-not-ready", detail: result.detail };
    default:
      return assertNever(result);
  }
}

type Proof =
  | { readonly outcome: "proven"; readonly fence: number; readonly untilMs: number }
  | Extract<ApplySnapshotOutcome, { outcome: "lock-not-held" | "witness-unreachable" }>;

async function prove(kit: Kit, lockId: LockId | null): Promise<Proof> {
  if (lockId === null) return { outcome: "lock-not-held", detail: "the header X-Reconcile-Lock is missing" };
  const sentAtMs = kit.nowMs();
  const standing = await kit.ports.witness.readLock();
  if (standing.outcome === "unreachable") return { outcome: "witness-unreachable", detail: standing.reason };
  const floor = kit.ports.store.positions().lockFence;
  if (!kit.rules.lockProves(standing.lock, { lockId, fence: null }, floor)) {
    const holder = standing.lock === null ? "nobody" : standing.lock.holder;
    return { outcome: "lock-not-held", detail: `${lockId} does not hold the reconcile lock; ${holder} does` };
  }
  const { fence, expiresMs } = standing.lock ?? { fence: 0, expiresMs: Number.POSITIVE_INFINITY };
  return { outcome: "proven", fence, untilMs: lockEndsAtMs(kit.failover, sentAtMs, expiresMs) };
}

/** The own log is kept where it reaches the snapshot's position; what it has beyond is executed again on the new state. */
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
    keys: store.recentKeys(10_000),
    outbox: [],
    shape: covered ? shape : [...shape, beyond],
  };
}

/** The snapshot, or why it is none. */
function parseSnapshot(given: Json): StateSnapshot | string {
  if (given === null || typeof given !== "object" || Array.isArray(given)) return "a snapshot is an object";
  const value = given as Record<string, Json | undefined>;
  const { version, engineLabel, engineId, epoch, clock, hlc, lastCommandSeq, lastExecutedSeq, checksum, state } = value;
  if (version !== 1) return `version is ${JSON.stringify(version)}, this engine takes 1`;
  if (engineLabel !== "a" && engineLabel !== "b")
    return `engineLabel is ${JSON.stringify(engineLabel)}, not "a" or "b"`;
  if (typeof engineId !== "string" || engineId.length > 64) return "engineId is not a string of at most 64 characters";
  if (!isEpoch(epoch)) return `epoch is ${JSON.stringify(epoch)}, not a whole number of at least 0`;
  if (!isEpoch(lastCommandSeq))
    return `lastCommandSeq is ${JSON.stringify(lastCommandSeq)}, not a whole number of at least 0`;
  if (!isEpoch(lastExecutedSeq) || lastExecutedSeq > lastCommandSeq) {
    return `lastExecutedSeq is ${JSON.stringify(lastExecutedSeq)}, not a whole number of 0 to lastCommandSeq`;
  }
  if (typeof checksum !== "string" || !/^[0-9a-f]{64}$/.test(checksum)) return "checksum is not 64 hexadecimal digits";
  if (state === undefined) return "state is missing";
  try {
    parseClock(clock);
    parseHlc(typeof hlc === "string" ? hlc : "");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return given as unknown as StateSnapshot;
}
