/**
 * Takes in operations that somebody else brings: a spoke that pushes, a page that was pulled, the peer.
 * Keeps true: one delivery is one transaction, its cursor included. An origin's operations are taken in their order and
 * once: a gap is held back, the same identity with other content goes into quarantine, what cannot be taken stalls its
 * own origin and no other. Nothing that is stamped too far ahead is taken.
 */
import type { Json } from "../core/canonical-json.ts";
import type { RecordConflict } from "../core/command.ts";
import { ChangeoverError } from "../core/errors.ts";
import { MAX_VALUE_CHARS, opFlaw, opOutOfReach, type Op, type OpFlaw } from "../core/operation.ts";
import { isWithinReach } from "../core/epoch.ts";
import { advanceClock, counterOf, parseClock, type VectorClock } from "../core/vector-clock.ts";
import type { TakeReason } from "./reasons.ts";
import { parseHlc } from "../core/hlc.ts";
import { originOfCaller } from "./callers.ts";
import { announced, baseOrigin, isIssuedAgain, type OwnOrigin } from "./own-origin.ts";
import type { SenderRefusal, SenderRights } from "./origin-bindings.ts";
import type { SealDoubt, Seals } from "./seals.ts";
import { checksumOfOp, heldThrough, requireRoom } from "./record-log.ts";
import type { RecordHooks, RecordLog, ReplicationBasics } from "./record-log.ts";

/** What became of one operation. */
export type Taken =
  | { readonly origin: string; readonly originSeq: number; readonly outcome: "duplicate" }
  | {
      readonly origin: string;
      readonly originSeq: number;
      readonly outcome: "applied";
      /** It was taken although its signature does not hold. */
      readonly reason?: SealDoubt;
    }
  | {
      readonly origin: string;
      readonly originSeq: number;
      readonly outcome: "rejected";
      readonly reason: TakeReason;
    };

/** Operations on their way in. */
export interface Delivery {
  /** The name under which the one who brings them is known; "" where it has none. */
  readonly via: string;
  /** Who brings them, in words for people; left out: `via`. */
  readonly who?: string;
  readonly ops: readonly unknown[];
  /** Of each origin, everything through here is either in the delivery or was compacted away: no gap. null: no such. */
  readonly base: VectorClock | null;
  /** Whether this is the last delivery under `base`. */
  readonly completesBase?: boolean;
  /** What the sender may bring; left out: operations of every origin. */
  readonly rights?: SenderRights;
  /** More of the same transaction: a cursor. */
  readonly within?: (taken: readonly Taken[]) => void;
}

/** Tries after which an operation that cannot be taken becomes a dead letter. */
const MAX_ATTEMPTS = 3;
/** How long after it happened a person is told that a writer goes on under a new origin. */
const NEWS_MS = 600_000;

/** Operations that may be set aside: one of each stalled origin, so more of them are made up. */
const MAX_SET_ASIDE = 1_000;
/** Where the store keeps what is held beyond the vector. */
const BEYOND_KEY = "beyond";

/** One delivery on its way. */
interface Page {
  readonly delivery: Delivery;
  readonly vector: Record<string, number>;
  readonly applied: Op[];
  readonly conflicts: RecordConflict[];
  /** Claim numbers that are taken here. */
  readonly claims: Op[];
}

export class Intake {
  readonly #basics: ReplicationBasics;
  readonly #log: RecordLog;
  readonly #hooks: RecordHooks;
  readonly #seals: Seals;
  readonly #own: OwnOrigin;
  /** What is set aside, so that not every operation has to be looked up. */
  #aside: Set<string>;
  /** The highest operation held of each origin of which the vector does not count all: a snapshot is being taken in. */
  #beyond: VectorClock;

  constructor(
    basics: ReplicationBasics & { readonly log: RecordLog; readonly hooks: RecordHooks; readonly seals: Seals },
    init: { readonly own: OwnOrigin },
  ) {
    this.#basics = basics;
    this.#log = basics.log;
    this.#hooks = basics.hooks;
    this.#seals = basics.seals;
    this.#own = init.own;
    this.#aside = this.#readAside();
    this.#beyond = this.#readBeyond();
  }

  /** Whether it is being filled over what another log has compacted away: until then it cannot tell what it lacks. */
  get filling(): boolean {
    return Object.keys(this.#beyond).length > 0;
  }

  /**
   * Takes what can be taken, durably, and says of each operation what became of it. Throws `clock_cap` when there are too
   * many origins, `invalid_value` for a base that nobody can have reached: then nothing of the delivery was taken.
   */
  take(delivery: Delivery): readonly Taken[] {
    const vector = { ...this.#basics.replica.ops.vector() };
    this.#requireReachable(delivery, vector);
    const page: Page = { delivery, vector, applied: [], conflicts: [], claims: [] };
    const taken = this.#takeDurably(page);
    // Durable by now: those who are told may fail, and nothing of it is undone.
    this.#tell(page);
    return taken;
  }

  /** A count that nobody can have reached would use up the numbers that its origin has left [EP6]. */
  #requireReachable({ base, via, who = via }: Delivery, held: VectorClock): void {
    const far = Object.entries(base ?? {}).find(([origin, count]) => !isWithinReach(counterOf(held, origin), count));
    if (far === undefined) return;
    const [origin, value] = far;
    const detail = `snapshot.clock of ${origin} is ${value}, out of reach from what is held (${counterOf(held, origin)})`;
    this.#tellOutOfReach(`${who} sent a snapshot: ${detail}`);
    throw new ChangeoverError("invalid_value", detail, { details: { field: "snapshot.clock", origin, value } });
  }

  #tellOutOfReach(what: string): void {
    const remedy =
      "nothing of it was stored; find out who wrote it, then clear the alarm: changeover pair reset-numbers";
    this.#hooks.alarm?.("number-out-of-reach", `${what}; ${remedy}`);
  }

  #takeDurably(page: Page): readonly Taken[] {
    const { replica, stamps } = this.#basics;
    const { delivery } = page;
    const beyond = this.#beyond;
    try {
      return replica.transaction(() => {
        const results = delivery.ops.map((came) => this.#takeOne(came, page));
        const { base, completesBase = false } = delivery;
        if (base !== null && completesBase && isWhole(base, results)) this.#completeBase(base, page);
        const origins = new Set(page.applied.map(({ origin }) => origin));
        for (const origin of origins) replica.ops.raiseVector(origin, counterOf(page.vector, origin));
        if (page.applied.length > 0) replica.raiseHlc(stamps.last);
        this.#forgetReached(page.vector);
        if (this.#beyond !== beyond) replica.peerState.set(BEYOND_KEY, JSON.stringify(this.#beyond));
        delivery.within?.(results);
        return results;
      });
    } catch (error) {
      this.#beyond = beyond;
      this.#aside = this.#readAside();
      this.#seals.reread();
      throw error;
    }
  }

  #readAside(): Set<string> {
    return new Set(this.#basics.replica.ops.allSetAside(MAX_SET_ASIDE).map((note) => keyOf(note)));
  }

  #tell({ applied, conflicts, claims, delivery }: Page): void {
    if (applied.length > 0) this.#hooks.committed?.(applied, delivery.via);
    for (const conflict of conflicts) this.#hooks.conflict?.(conflict);
    if (applied.length > 0) this.#hooks.settled?.();
    if (claims.length > 0) this.#hooks.claimed?.(claims);
  }

  #takeOne(came: unknown, page: Page): Taken {
    const flaw = opFlaw(came);
    const { origin, originSeq } = identityOf(came);
    const far = flaw === null ? null : opOutOfReach(came);
    if (far !== null) this.#tellOutOfReach(`${whoOf(page)} sent operation ${origin}/${originSeq}: ${far}`);
    const reject = (reason: TakeReason): Taken => ({ origin, originSeq, outcome: "rejected", reason });
    if (flaw === "invalid_trace_id") return reject(flaw);
    const op = came as Op;
    const held = counterOf(page.vector, origin);
    const refusal = this.#senderRefusal(op, flaw, page);
    if (originSeq <= held || this.#holdsBeyond(op)) {
      return this.#takesPlace(op, { flaw, refusal }, page) ?? this.#known(op, refusal, page);
    }
    if (refusal !== null) return reject(refusal);
    if (flaw === "clock_cap") throw tooManyEntries(op);
    const isNext = originSeq === held + 1;
    if (!isNext && originSeq > counterOf(page.delivery.base ?? {}, origin)) return reject("gap");
    requireRoom(isNext ? page.vector : { ...this.#beyond, ...page.vector }, origin, this.#own.current);
    const doubt = flaw === null ? this.#seals.doubt(op) : null;
    const reason = flaw ?? this.#refusal(op, doubt);
    if (reason !== null) {
      if (isNext && this.#setAside(op, reason, page.delivery.via)) page.delivery.rights?.kept(origin);
      return reject(reason);
    }
    this.#apply(op, isNext, page);
    page.delivery.rights?.kept(origin);
    if (doubt === null) this.#seals.learn(op, page.delivery.via);
    else this.#hooks.alarm?.("op-unsigned", `${origin}/${originSeq} from ${whoOf(page)}: ${doubt}, but taken`);
    return { origin, originSeq, outcome: "applied", ...(doubt === null ? {} : { reason: doubt }) };
  }

  #apply(op: Op, isNext: boolean, page: Page): void {
    const { replica } = this.#basics;
    page.conflicts.push(...this.#log.append(op, page.delivery.via));
    page.applied.push(op);
    if (isNext) page.vector[op.origin] = this.#heldThrough(op.origin, op.originSeq);
    else this.#beyond = advanceClock(this.#beyond, op.origin, op.originSeq);
    if (this.#aside.delete(keyOf(op))) replica.ops.forgetSetAside(op.origin, op.originSeq);
    this.#follow(op, page);
  }

  /** A writer goes on under another origin: what it withdrew does not stand here either, nor is it waited for. */
  #follow(op: Op, page: Page): void {
    const notice = announced(op);
    if (notice === null) return;
    if (!notice.withdraws) return this.#tellFollowed(op, notice.before, page.delivery.via);
    const { before } = notice;
    const keepThrough = counterOf(op.clock, before);
    const { ops } = this.#basics.replica;
    for (const note of ops.allSetAside(MAX_SET_ASIDE)) {
      if (note.origin !== before || note.originSeq <= keepThrough) continue;
      ops.forgetSetAside(note.origin, note.originSeq);
      this.#aside.delete(keyOf(note));
    }
    if (this.#own.current === before || counterOf(page.vector, before) <= keepThrough) return;
    this.#log.withdraw(before, keepThrough);
    page.vector[before] = keepThrough;
  }

  /** Its writer has lost operations, or met a copy of itself. Only whom it tells itself says so, and only while it is news. */
  #tellFollowed({ origin, hlc }: Op, before: string, via: string): void {
    const ageMs = this.#basics.clock.unixMs() - parseHlc(hlc).unixMs;
    if (baseOrigin(originOfCaller(via)) !== baseOrigin(origin) || Math.abs(ageMs) > NEWS_MS) return;
    this.#hooks.alarm?.(
      "history-forked",
      `${before} goes on as ${origin}: the data folder of its writer was restored or copied, and nothing is lost`,
    );
  }

  /**
   * Why the sender may not bring this operation. A valid signature by the known key of its origin proves who wrote it,
   * whoever brings it.
   */
  #senderRefusal(op: Op, flaw: OpFlaw | null, { delivery }: Page): SenderRefusal | null {
    const refusal = delivery.rights?.refusal(op.origin) ?? null;
    return refusal !== null && flaw === null && this.#isProven(op) ? null : refusal;
  }

  #isProven(op: Op): boolean {
    try {
      return this.#seals.proves(op) && checksumOfOp(this.#basics.digest, op) === op.checksum;
    } catch {
      return false;
    }
  }

  /**
   * Takes an operation in the place of another one under its number, which its writer has issued again: this place took
   * that one from a writer whose history forked [RP1, RP2]. null: nothing gives way. What stands above and was not issued
   * again stays, with all before it.
   */
  #takesPlace(
    op: Op,
    { flaw, refusal }: { readonly flaw: OpFlaw | null; readonly refusal: SenderRefusal | null },
    page: Page,
  ): Taken | null {
    const { origin, originSeq } = op;
    const { ops } = this.#basics.replica;
    if (flaw !== null || refusal !== null || origin === this.#own.current) return null;
    const standing = ops.find(origin, originSeq)?.op;
    if (standing === undefined || standing.checksum === op.checksum || !isIssuedAgain(standing, ops)) return null;
    // Where both were, every place keeps the same one.
    if (isIssuedAgain(op, ops) && standing.checksum < op.checksum) return null;
    const doubt = this.#seals.doubt(op);
    if (doubt !== null || this.#refusal(op, doubt) !== null) return null;
    const above = this.#log.withdraw(origin, originSeq - 1).filter((one) => one.originSeq > originSeq);
    const stays = above.slice(0, above.findLastIndex((one) => !isIssuedAgain(one, ops)) + 1);
    for (const one of [op, ...stays]) this.#apply(one, true, page);
    return { origin, originSeq, outcome: "applied" };
  }

  /** An identity that is held already: the same operation again, or another one that claims it. */
  #known(op: Op, refusal: SenderRefusal | null, page: Page): Taken {
    const { replica, clock } = this.#basics;
    const { via } = page.delivery;
    const { origin, originSeq } = op;
    const standing = replica.ops.find(origin, originSeq);
    // Where a person gave up an operation, it may come again and again.
    const isSame = standing === null || standing.op.checksum === op.checksum || standing.op.kind === "skip";
    if (isSame || (opFlaw(op) === null && isIssuedAgain(op, replica.ops))) {
      return { origin, originSeq, outcome: "duplicate" };
    }
    if (refusal !== null) return { origin, originSeq, outcome: "rejected", reason: refusal };
    const content = boundedContent(op);
    replica.ops.quarantine({ origin, originSeq, via, reason: "quarantined", content, atUnixMs: clock.unixMs() });
    this.#hooks.alarm?.("op-quarantined", `${origin}/${originSeq} came again from ${whoOf(page)} with other content`);
    page.claims.push(op);
    return { origin, originSeq, outcome: "rejected", reason: "quarantined" };
  }

  #holdsBeyond({ origin, originSeq }: Op): boolean {
    if (originSeq > counterOf(this.#beyond, origin)) return false;
    return this.#basics.replica.ops.find(origin, originSeq) !== null;
  }

  /** What speaks against a well-formed operation. Its stamp is looked at last: what is refused moves no clock. */
  #refusal(op: Op, doubt: SealDoubt | null): TakeReason | null {
    let checksum: string;
    try {
      checksum = checksumOfOp(this.#basics.digest, op);
    } catch {
      // There is no canonical text of it: lone surrogates.
      return "invalid_frontmatter";
    }
    if (checksum !== op.checksum) return "checksum_mismatch";
    if (doubt !== null && this.#seals.refuses) return doubt;
    return this.#basics.stamps.take(op.hlc) === "refused" ? "clock_drift" : null;
  }

  /** Whether there was room for it. */
  #setAside(op: Op, reason: TakeReason, via: string): boolean {
    const { replica, clock } = this.#basics;
    const key = keyOf(op);
    if (!this.#aside.has(key) && this.#aside.size >= MAX_SET_ASIDE) return false;
    const { origin, originSeq } = op;
    const known = replica.ops.findSetAside(origin, originSeq);
    const attempts = (known?.attempts ?? 0) + 1;
    const dead = attempts >= MAX_ATTEMPTS;
    const content = boundedContent(op);
    const atUnixMs = known?.atUnixMs ?? clock.unixMs();
    replica.ops.setAside({ origin, originSeq, via, reason, content, attempts, dead, atUnixMs });
    this.#aside.add(key);
    if (dead) this.#hooks.alarm?.("op-dead-letter", `${origin}/${originSeq}: ${reason}; its origin stands still`);
    return true;
  }

  #readBeyond(): VectorClock {
    const kept = this.#basics.replica.peerState.get(BEYOND_KEY);
    return kept === null ? {} : parseClock(JSON.parse(kept));
  }

  /** What the vector counts by now is beyond it no more. */
  #forgetReached(vector: VectorClock): void {
    const still = Object.entries(this.#beyond).filter(([origin, originSeq]) => originSeq > counterOf(vector, origin));
    if (still.length < Object.keys(this.#beyond).length) this.#beyond = Object.fromEntries(still);
  }

  /** Everything through `base` is held or needed no more: where it is not held, this log has holes now too. */
  #completeBase(base: VectorClock, page: Page): void {
    const { ops } = this.#basics.replica;
    ops.raiseFloor({ through: ops.lastArrival(), clock: base });
    for (const origin of Object.keys(base)) {
      requireRoom(page.vector, origin, this.#own.current);
      const reached = Math.max(counterOf(page.vector, origin), counterOf(base, origin));
      page.vector[origin] = this.#heldThrough(origin, reached);
      ops.raiseVector(origin, page.vector[origin]);
    }
    for (const { origin, originSeq } of ops.allSetAside(MAX_SET_ASIDE)) {
      if (originSeq > counterOf(page.vector, origin)) continue;
      ops.forgetSetAside(origin, originSeq);
      this.#aside.delete(keyOf({ origin, originSeq }));
    }
  }

  #heldThrough(origin: string, from: number): number {
    return heldThrough(this.#basics.replica.ops, origin, from, counterOf(this.#beyond, origin));
  }
}

/** Whether it will be asked for, or offered, again. What is in quarantine is kept there for a person. */
export function holdsBack(taken: Taken): boolean {
  return taken.outcome === "rejected" && taken.reason !== "quarantined";
}

/** Whether nothing through `base` was left out of a delivery: what was is asked for again before it is complete. */
export function isWhole(base: VectorClock, taken: readonly Taken[]): boolean {
  return taken.every((one) => !holdsBack(one) || one.originSeq > counterOf(base, one.origin));
}

function whoOf({ delivery: { via, who = via } }: Page): string {
  return who;
}

function keyOf({ origin, originSeq }: { readonly origin: string; readonly originSeq: number }): string {
  return `${origin}/${originSeq}`;
}

/** Whom it says that it is of; nobody where that cannot be read. */
function identityOf(came: unknown): { readonly origin: string; readonly originSeq: number } {
  const { origin, originSeq } = (came ?? {}) as Partial<Op>;
  return {
    origin: typeof origin === "string" ? origin.slice(0, 64) : "",
    originSeq: Number.isSafeInteger(originSeq) ? (originSeq as number) : 0,
  };
}

/** What is kept of it for a person to look at. */
function boundedContent(op: Op): Json {
  let text: string;
  try {
    text = JSON.stringify(op);
  } catch {
    return { cut: "nested too deeply to be kept" };
  }
  return text.length <= 2 * MAX_VALUE_CHARS ? (JSON.parse(text) as Json) : { cut: text.slice(0, 1_024) };
}

function tooManyEntries({ origin, originSeq }: Op): ChangeoverError {
  return new ChangeoverError("clock_cap", `the clock of ${origin}/${originSeq} has too many entries`, {
    details: { origin, originSeq },
  });
}
