/**
 * The witness in NATS: a JetStream key-value bucket. The record and the reconcile lock are keys of one bucket.
 *
 * - A swap reads the key, compares, and writes with the revision that it read as the condition. The server refuses the
 *   write when the revision has moved, so that each swap is one atomic step [VT3].
 * - The record has no TTL and no clock touches it [VT4]. A bucket with a TTL is refused.
 * - The run id is the time the bucket was made: a bucket that was removed and made again has another [CP5]. A bucket with
 *   one replica lives on one server, which can lose its last writes in a power cut. Its run id therefore also names the
 *   server process. With three replicas the bucket is a Raft log, which a fail-over does not shorten.
 * - The lock lapses by the server's clock: each call writes the key `clock` and compares the times of the two messages.
 *   The fence stands in the lock's own message and only rises. A lock that lapses early is harmless, since stores refuse
 *   work under a lower fence [RL3].
 * - Nothing is sent while there is no connection, and the client drops what it had not sent when a connection ends.
 */
import { type StoredMsg, DiscardPolicy, RetentionPolicy, StorageType, type StreamInfo } from "@nats-io/jetstream";
import { ChangeoverError } from "../core/errors.ts";
import type { LockId } from "../core/ids.ts";
import type { Clock } from "../ports/basics.ts";
import type {
  ExpectedRecord,
  LockAcquire,
  LockRead,
  LockRefresh,
  LockRelease,
  LockState,
  RunId,
  StrangeContent,
  Witness,
  WitnessRead,
  WitnessRecord,
  WitnessSwap,
} from "../ports/witness.ts";
import type { LockRequest } from "./local-lock.ts";
import {
  isCertainlyNotDone,
  isNotFound,
  isRevisionMoved,
  natsReason,
  NatsLink,
  type NatsLinkInit,
  type NatsSession,
} from "./nats/link.ts";
import { safeName } from "./sinks/event-text.ts";
import { isExpected, isStrange, recordFromText, recordToText } from "./witness-record.ts";
import { nanos } from "@nats-io/transport-node";
import { isReachable } from "../core/epoch.ts";

/** Settings of `NatsWitness`; times in ms. */
export interface NatsWitnessInit extends Pick<NatsLinkInit, "url" | "credentials" | "tls"> {
  /** Name of the pair: part of every key, so that one bucket serves many pairs. */
  readonly pair: string;
  /** Name of the key-value bucket, which is made when it is missing. Default `changeover`. */
  readonly bucket?: string;
  /** Copies of a bucket that is made. Default 1. */
  readonly replicas?: number;
  /** Time-out of one call, below `heartbeatMs` [VT6]. Default 150. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 150;
/** How long an answer that came too late is still listened for: a lock that was acquired too late is given back. */
const LATE_MS = 5_000;
/** A server that leaves two pings unanswered is given up. */
const PING_MS = 500;
/** Attempts of one step while others keep changing the key. */
const MAX_RACES = 20;
/** Calls without an answer, those that timed out included. */
const MAX_UNANSWERED = 256;

/** How far a call has got: `inDoubt` while a write is on its way, `over` once the caller has been answered. */
interface Progress {
  inDoubt: boolean;
  over: boolean;
}

type Unreachable = { readonly outcome: "unreachable"; readonly reason: string };
type Failure = Unreachable | { readonly outcome: "unknown"; readonly reason: string };
/** How a change of the lock by its holder ended. */
type Changed =
  | { readonly outcome: "done"; readonly lock: LockText }
  | { readonly outcome: "expired" }
  | { readonly outcome: "wrong-id" };

/** What stands under a key. */
interface Entry {
  /** null: no such key, or a person has deleted it. */
  readonly text: string | null;
  readonly revision: number;
  /** When the server stored it, by its own clock. */
  readonly storedUnixMs: number;
}

const NOTHING: Entry = { text: null, revision: 0, storedUnixMs: 0 };

/** The record's place: what stands there, under which revision, in which life of the memory. */
interface Found {
  readonly standing: WitnessRecord | StrangeContent | null;
  readonly revision: number;
  readonly runId: RunId;
}

/** The lock's place. `last` is null where nobody has written yet, or someone has removed the key. */
interface FoundLock {
  readonly standing: LockState | null;
  readonly last: LockText | null;
  readonly revision: number;
}

export class NatsWitness implements Witness {
  readonly kind = "nats";
  readonly #clock: Clock;
  readonly #link: NatsLink;
  readonly #timeoutMs: number;
  readonly #bucket: { readonly name: string; readonly replicas: number };
  readonly #keys: { readonly record: string; readonly lock: string; readonly clock: string };
  /** Ends the calls under way. */
  readonly #underWay = new Set<(reason: string) => void>();
  #unanswered = 0;
  #fenceFloor = 0;
  #closing: Promise<void> | null = null;

  /**
   * Connects with the first call.
   *
   * @throws ChangeoverError `invalid_configuration` for a URL or a pair of no known form
   */
  constructor(components: { readonly clock: Clock }, init: NatsWitnessInit) {
    const { url, credentials, tls, pair, bucket = "changeover", replicas = 1 } = init;
    this.#clock = components.clock;
    this.#timeoutMs = init.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#bucket = { name: bucket, replicas };
    const prefix = `$KV.${bucket}.${keyOf(pair)}`;
    this.#keys = { record: `${prefix}.record`, lock: `${prefix}.lock`, clock: `${prefix}.clock` };
    const pace = { timeoutMs: LATE_MS, pingMs: PING_MS };
    this.#link = new NatsLink({ url, credentials, tls, field: "witness.url", name: "changeover-witness", ...pace });
  }

  async read(): Promise<WitnessRead> {
    const found = await this.#call(async (session) => this.#look(session));
    if ("outcome" in found) return unreachable(found);
    const { standing, runId } = found;
    if (standing !== null && isStrange(standing)) return { outcome: "corrupt", ...standing };
    return { outcome: "read", record: standing, runId };
  }

  async swap(expected: ExpectedRecord | StrangeContent, next: WitnessRecord): Promise<WitnessSwap> {
    return this.#call<WitnessSwap>(async (session, progress) => {
      for (let race = 0; race < MAX_RACES; race += 1) {
        const { standing, revision, runId } = await this.#look(session);
        if (!isExpected(standing, expected)) {
          if (standing !== null && isStrange(standing)) return { outcome: "corrupt", ...standing };
          return { outcome: "lost", record: standing, runId };
        }
        // The life is asked for after the write: where the memory was lost in between, the caller must know.
        if (await this.#write(session, progress, this.#keys.record, recordToText(next), revision)) {
          return { outcome: "swapped", runId: await this.#runId(session) };
        }
      }
      throw keptChanging();
    });
  }

  /** An acquire that came back too late to be useful is released again [RL2]. */
  async acquireLock({ lockId, holder, ttlMs }: LockRequest): Promise<LockAcquire> {
    const answer = await this.#call<LockAcquire>(
      async (session, progress) => {
        for (let race = 0; race < MAX_RACES && !progress.over; race += 1) {
          const { standing, last, revision } = await this.#lookAtLock(session);
          if (standing !== null) {
            return { outcome: "held", holder: standing.holder, fence: standing.fence, expiresMs: standing.expiresMs };
          }
          const lastFence = last?.fence ?? Math.floor(this.#clock.unixMs());
          const fence = Math.max(lastFence, this.#fenceFloor) + 1;
          const text = lockToText({ lockId, holder, fence, ttlMs });
          if (await this.#write(session, progress, this.#keys.lock, text, revision)) {
            return { outcome: "acquired", lockId, fence: this.#seenFence(fence), expiresMs: ttlMs };
          }
        }
        throw keptChanging();
      },
      (late) => void (late.outcome === "acquired" && this.releaseLock(lockId)),
    );
    return answer.outcome === "unknown" ? unreachable(answer) : answer;
  }

  async refreshLock(lockId: LockId, givenMs?: number): Promise<LockRefresh> {
    const done = await this.#change(
      (standing) => standing.lockId === lockId,
      ({ holder, fence, ttlMs }) => ({ lockId, holder, fence, ttlMs: givenMs ?? ttlMs }),
    );
    if (done.outcome !== "done") return done;
    return { outcome: "refreshed", fence: done.lock.fence, expiresMs: done.lock.ttlMs };
  }

  async releaseLock(lockId: LockId): Promise<LockRelease> {
    return released(await this.#change((standing) => standing.lockId === lockId, setFree));
  }

  async breakLock({ holder, fence }: Pick<LockState, "holder" | "fence">): Promise<LockRelease> {
    return released(await this.#change((standing) => standing.holder === holder && standing.fence === fence, setFree));
  }

  async readLock(): Promise<LockRead> {
    const found = await this.#call(async (session) => this.#lookAtLock(session));
    return "outcome" in found ? unreachable(found) : { outcome: "read", lock: found.standing };
  }

  /** Calls under way end as unknown or unreachable. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#link.close();
    for (const end of this.#underWay) end("closed");
    return this.#closing;
  }

  /** Runs `work` within the time-out. `onLate` gets an answer that came after the caller had been told. */
  #call<Answer>(
    work: (session: NatsSession, progress: Progress) => Promise<Answer>,
    onLate?: (answer: Answer) => void,
  ): Promise<Answer | Failure> {
    if (this.#closing !== null) return Promise.resolve({ outcome: "unreachable", reason: "closed" });
    if (this.#unanswered >= MAX_UNANSWERED) {
      return Promise.resolve({ outcome: "unreachable", reason: "too many calls without an answer" });
    }
    this.#unanswered += 1;
    const progress: Progress = { inDoubt: false, over: false };
    return new Promise((resolve) => {
      const settle = (answer: Answer | Failure): void => {
        progress.over = true;
        this.#clock.clearTimeout(timer);
        this.#underWay.delete(end);
        resolve(answer);
      };
      const end = (reason: string): void => settle({ outcome: progress.inDoubt ? "unknown" : "unreachable", reason });
      const timer = this.#clock.setTimeout(() => end(this.#link.fault ?? "no answer in time"), this.#timeoutMs);
      this.#underWay.add(end);
      this.#link
        .session()
        .then(async (session) => work(session, progress))
        .then((answer) => (progress.over ? onLate?.(answer) : settle(answer)))
        .catch((error: unknown) => {
          if (isCertainlyNotDone(error)) progress.inDoubt = false;
          end(natsReason(error));
        })
        .finally(() => (this.#unanswered -= 1));
    });
  }

  async #look(session: NatsSession): Promise<Found> {
    const [runId, { text, revision }] = await Promise.all([
      this.#runId(session),
      this.#get(session, this.#keys.record),
    ]);
    return { standing: text === null ? null : (recordFromText(text) ?? { content: text }), revision, runId };
  }

  async #lookAtLock(session: NatsSession): Promise<FoundLock> {
    await this.#runId(session);
    // The time of a message that was just stored is the server's own "now".
    await session.client.publish(this.#keys.clock, "");
    const [now, entry] = await Promise.all([this.#get(session, this.#keys.clock), this.#get(session, this.#keys.lock)]);
    const last = entry.text === null ? null : lockFromText(entry.text);
    if (last !== null) this.#seenFence(last.fence);
    return { standing: standingLock(last, now.storedUnixMs - entry.storedUnixMs), last, revision: entry.revision };
  }

  /** Changes the lock that `fits`, in one step. */
  async #change(
    fits: (standing: LockState) => boolean,
    next: (standing: LockState) => LockText,
  ): Promise<Changed | Unreachable> {
    const answer = await this.#call<Changed>(async (session, progress) => {
      for (let race = 0; race < MAX_RACES && !progress.over; race += 1) {
        const { standing, revision } = await this.#lookAtLock(session);
        if (standing === null) return { outcome: "expired" };
        if (!fits(standing)) return { outcome: "wrong-id" };
        const lock = next(standing);
        if (await this.#write(session, progress, this.#keys.lock, lockToText(lock), revision)) {
          return { outcome: "done", lock };
        }
      }
      throw keptChanging();
    });
    return answer.outcome === "unknown" ? unreachable(answer) : answer;
  }

  /** The life of the memory; makes the bucket where it is missing. */
  async #runId(session: NatsSession): Promise<RunId> {
    const { created, replicas }: Bucket = await openBucket(session, this.#bucket);
    return replicas > 1 ? created : `${created}.${session.connection.info?.server_id ?? ""}`;
  }

  async #get(session: NatsSession, subject: string): Promise<Entry> {
    const stream = `KV_${this.#bucket.name}`;
    const message = await session.manager.streams
      .getMessage(stream, { last_by_subj: subject })
      .catch((error: unknown) => {
        if (isNotFound(error)) return null;
        throw error;
      });
    return message === null ? NOTHING : entryOf(message);
  }

  /** Writes only if the key still has this revision; false: it has not. */
  async #write(
    session: NatsSession,
    progress: Progress,
    subject: string,
    text: string,
    revision: number,
  ): Promise<boolean> {
    // Nothing is begun for a caller who has been told already.
    if (progress.over) throw keptChanging();
    progress.inDoubt = true;
    try {
      await session.client.publish(subject, text, { expect: { lastSubjectSequence: revision } });
      progress.inDoubt = false;
      return true;
    } catch (error) {
      if (!isRevisionMoved(error)) throw error;
      progress.inDoubt = false;
      return false;
    }
  }

  #seenFence(fence: number): number {
    this.#fenceFloor = Math.max(this.#fenceFloor, fence);
    return fence;
  }
}

function unreachable({ reason }: Failure): Unreachable {
  return { outcome: "unreachable", reason };
}

function released(done: Changed | Unreachable): LockRelease {
  return done.outcome === "done" ? { outcome: "released" } : done;
}

/** The lock's message once nobody holds it: it still bears the last fence. */
function setFree({ fence }: LockState): LockText {
  return { lockId: null, holder: "", fence, ttlMs: 0 };
}

function standingLock(last: LockText | null, ageMs: number): LockState | null {
  if (last === null || last.lockId === null) return null;
  const { lockId, holder, fence, ttlMs } = last;
  const expiresMs = Math.ceil(ttlMs - Math.max(0, ageMs));
  return expiresMs > 0 ? { lockId, holder, fence, ttlMs, expiresMs } : null;
}

/** A key that a person has deleted is still a message, with a header that says so. */
function entryOf(message: StoredMsg): Entry {
  const deleted = (message.header?.get("KV-Operation") ?? "") !== "";
  const { seq: revision, time } = message;
  return { text: deleted ? null : message.string(), revision, storedUnixMs: time.getTime() };
}

function keptChanging(): ChangeoverError {
  return new ChangeoverError("feed_unreachable", "the key kept changing", { retryable: true });
}

/** The pair's name as part of a key: a key takes no `%`, and a dot would be a level of its own. */
function keyOf(pair: string): string {
  const name = safeName(pair);
  if (name !== null) return name.replaceAll("%", "=");
  throw new ChangeoverError("invalid_configuration", `pair: "${pair}" must have 1 to 64 characters`, {
    details: { field: "pair", value: pair, bound: "1 to 64 characters" },
  });
}

// The key-value bucket of the witness: a stream in the form that `nats kv` and every other client of NATS expects.

export interface Bucket {
  /** When the bucket was made: names this life of it. */
  readonly created: string;
  readonly replicas: number;
}

const DUPLICATES_MS = 120_000;

/** Makes the bucket where it is missing. A standing one stays as its owner made it. */
export async function openBucket(
  { manager }: Pick<NatsSession, "manager">,
  { name, replicas }: { readonly name: string; readonly replicas: number },
): Promise<Bucket> {
  const stream = `KV_${name}`;
  const info = await manager.streams.info(stream).catch(async (error: unknown) => {
    if (!isNotFound(error)) throw error;
    const settings = {
      name: stream,
      subjects: [`$KV.${name}.>`],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      num_replicas: replicas,
      max_msgs_per_subject: 1,
      max_age: 0,
      duplicate_window: nanos(DUPLICATES_MS),
      allow_rollup_hdrs: true,
      allow_direct: true,
      deny_delete: true,
    };
    return manager.streams.add(settings).catch(async (failed: unknown): Promise<StreamInfo> => {
      // The other engine has made it at the same time.
      const standing = await manager.streams.info(stream).catch(() => null);
      if (standing === null) throw failed;
      return standing;
    });
  });
  if (info.config.max_age !== 0) {
    const found = `the bucket ${name} has a TTL of ${info.config.max_age / 1e9} s and would forget who leads`;
    throw new ChangeoverError("invalid_configuration", `${found}; make it without one`, {
      details: { field: "witness.bucket", value: name, bound: "a bucket without a TTL" },
    });
  }
  return { created: info.created, replicas: info.config.num_replicas };
}

// The reconcile lock as the text of one message in NATS. A free lock keeps its message, and with it the last fence.

export interface LockText {
  /** null: nobody holds it. */
  readonly lockId: LockId | null;
  readonly holder: string;
  readonly fence: number;
  /** What it was acquired for, or last extended by, ms. */
  readonly ttlMs: number;
}

/** Nobody asks for a lock of a day: somebody else wrote it, and it must not stand for ever. */
const MAX_TTL_MS = 86_400_000;

export function lockToText(lock: LockText): string {
  return JSON.stringify(lock);
}

/** null: someone else has written there. */
export function lockFromText(text: string): LockText | null {
  try {
    const { lockId, holder, fence, ttlMs } = JSON.parse(text) as Record<keyof LockText, unknown>;
    const known =
      (lockId === null || typeof lockId === "string") &&
      typeof holder === "string" &&
      isReachable(fence) &&
      typeof ttlMs === "number" &&
      ttlMs >= 0 &&
      ttlMs <= MAX_TTL_MS;
    return known ? { lockId: lockId as LockId | null, holder, fence, ttlMs } : null;
  } catch {
    return null;
  }
}
