/**
 * Starts a new origin for this engine, and issues again under it what others cannot take under the old one: because the
 * numbers were used for something else [RP2], or because the stamps are of a clock that was ahead [CK2]. All of it is one
 * transaction: the old operations leave the log, their fields are as they were without them, and the new ones come in.
 */
import type { Epoch } from "../core/epoch.ts";
import { formatHlc, laterHlc, MAX_DRIFT_MS, parseHlc } from "../core/hlc.ts";
import type { Op } from "../core/operation.ts";
import { counterOf, mergeClocks, type VectorClock } from "../core/vector-clock.ts";
import type { RecordConflict } from "../core/command.ts";
import type { ClockEvidence } from "./clock-evidence.ts";
import { lookAgain } from "./cursor.ts";
import { announced, announcementOf, type OwnOrigin } from "./own-origin.ts";
import { checksumOfOp, type RecordHooks, type RecordLog, type ReplicationBasics } from "./record-log.ts";

/** Less than this passes by itself, and costs no origin: until then writes are refused, or wait to be taken. */
const RENEW_AFTER_MS = 10_000;
/** Between two origins that were begun for a history that was lost or forked. */
const RENEW_EVERY_MS = 5_000;
/** Where the last arrival is kept once its operation was withdrawn. */
const ARRIVALS_KEY = "arrivals";

export interface RenewalParts extends ReplicationBasics {
  readonly log: RecordLog;
  readonly hooks: RecordHooks;
  readonly own: OwnOrigin;
  readonly evidence: ClockEvidence;
  readonly epoch: () => Epoch;
  /** Whether a clock source, or a person, vouches for this engine's clock. */
  readonly isDisciplined: () => boolean;
}

/** What a new origin came of. */
export interface Renewed {
  readonly before: string;
  readonly origin: string;
  /** Operations that were issued again. */
  readonly issuedAgain: number;
}

export class Renewal {
  readonly #parts: RenewalParts;

  /** Of the last renewal for its history, so that another place cannot make this engine start origins for ever. */
  #renewedAtMonoMs: number | null = null;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  /**
   * Where the last stamp is far ahead of a clock that is right: begins a new origin with present stamps. null: there is
   * nothing to heal, or the clock is not known to be right.
   */
  healClock(known: VectorClock = {}): Renewed | null {
    const { stamps, own, replica } = this.#parts;
    if (stamps.aheadMs <= RENEW_AFTER_MS || !this.#clockIsRight()) return null;
    const limitMs = stamps.nowUnixMs + MAX_DRIFT_MS;
    const origin = own.current;
    const isFar = (seq: number): boolean => {
      const held = replica.ops.find(origin, seq);
      return held !== null && parseHlc(held.op.hlc).unixMs > limitMs;
    };
    let keepThrough = counterOf(replica.ops.vector(), origin);
    while (keepThrough > 0 && isFar(keepThrough)) keepThrough -= 1;
    // Other writers' stamps here are at most `MAX_DRIFT_MS` ahead: what is written now stands over all of them.
    const present = formatHlc({ unixMs: Math.max(0, Math.floor(stamps.nowUnixMs)), counter: 0, origin });
    if (keepThrough === counterOf(replica.ops.vector(), origin)) {
      // Only the clock itself was ahead: nothing that was written bears its stamps. What was kept passes by itself, or is far.
      const kept = replica.hlc();
      const isFarKept = parseHlc(kept).unixMs - stamps.nowUnixMs > RENEW_AFTER_MS;
      const floor = isFarKept ? present : laterHlc(kept, present);
      replica.resetHlc(floor);
      stamps.restart(floor);
      return null;
    }
    return this.#renew(keepThrough, known, present);
  }

  /**
   * Our history forked after `keepThrough`, or was lost: what was written here beyond it is issued again. null: this
   * happened a moment ago.
   */
  renewHistory(keepThrough: number, known: VectorClock): Renewed | null {
    const nowMonoMs = this.#parts.clock.monoMs();
    const last = this.#renewedAtMonoMs;
    if (last !== null && nowMonoMs - last < RENEW_EVERY_MS) return null;
    const renewed = this.#renew(keepThrough, known, null);
    // Where the disk refused it, nothing has happened: the next meeting tries again.
    this.#renewedAtMonoMs = nowMonoMs;
    return renewed;
  }

  /** By how much the next stamp is ahead of every other clock, where that is too much for them; null: it can be taken. */
  tooFarAheadMs(): number | null {
    const { evidence, stamps } = this.#parts;
    const aheadMs = evidence.aheadMs(stamps.nextUnixMs);
    return aheadMs !== null && aheadMs > MAX_DRIFT_MS ? aheadMs : null;
  }

  /** One that is far behind every other clock is wrong as well: the stamps are right then, and stay. */
  #clockIsRight(): boolean {
    const { evidence, stamps, isDisciplined } = this.#parts;
    return isDisciplined() || evidence.agrees(stamps.nowUnixMs, { aheadMs: MAX_DRIFT_MS, behindMs: RENEW_AFTER_MS });
  }

  /** `present`: stamps begin again there, and the old operations must not stand anywhere; null: they keep their stamps. */
  #renew(keepThrough: number, known: VectorClock, present: string | null): Renewed {
    const { replica, stamps, own, log, hooks } = this.#parts;
    const before = own.current;
    const made: Op[] = [];
    const conflicts: RecordConflict[] = [];
    const lastStamp = stamps.last;
    try {
      replica.transaction(() => {
        const gone = log.withdraw(before, keepThrough);
        replica.peerState.set(ARRIVALS_KEY, stamps.arrive());
        const vector = replica.ops.vector();
        own.begin(own.next(mergeClocks(vector, known)));
        if (present !== null) {
          stamps.restart(present);
          replica.resetHlc(present);
        }
        const first = gone.find(({ kind }) => kind !== "skip");
        const notice = announcementOf(before, present !== null);
        const seen = { ...vector, ...(present === null ? {} : { [before]: keepThrough }) };
        made.push(this.#make(notice, seen, 1, present === null ? (first?.hlc ?? null) : null));
        for (const op of gone) {
          if (op.kind === "skip" && announced(op) === null) continue;
          const clock = { ...op.clock, [before]: Math.min(counterOf(op.clock, before), keepThrough) };
          made.push(this.#make(op, clock, made.length + 1, present === null ? op.hlc : null));
        }
        for (const op of made) conflicts.push(...log.append(op, ""));
        replica.ops.raiseVector(own.current, made.length);
        replica.raiseHlc(stamps.last);
        lookAgain(replica.peerState);
      });
    } catch (error) {
      own.reread();
      stamps.restart(lastStamp);
      throw error;
    }
    hooks.committed?.(made, "");
    for (const conflict of conflicts) hooks.conflict?.(conflict);
    return { before, origin: own.current, issuedAgain: made.length - 1 };
  }

  #make(
    { kind, entity, field, payload }: Pick<Op, "kind" | "entity" | "field" | "payload">,
    seen: VectorClock,
    originSeq: number,
    hlc: string | null,
  ): Op {
    const { stamps, own, digest, epoch } = this.#parts;
    const origin = own.current;
    const entries = Object.entries(seen).filter(([, count]) => count > 0);
    const clock = { ...Object.fromEntries(entries), [origin]: originSeq };
    const unsigned = {
      ...{ origin, originSeq, hlc: hlc ?? stamps.next(), epoch: epoch() },
      ...{ kind, entity, field, payload, clock },
    };
    return { ...unsigned, checksum: checksumOfOp(digest, unsigned) };
  }
}

/** A time as people say it. */
export function toldMs(ms: number): string {
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms < 172_800_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 86_400_000)} days`;
}

/** The arrival through which this log has given out places, over operations that were withdrawn too. */
export function arrivedThrough({ ops, peerState }: ReplicationBasics["replica"]): string {
  const known = [ops.lastArrival(), ops.floor()?.through ?? "", peerState.get(ARRIVALS_KEY) ?? ""];
  return known.reduce((latest, one) => (one > latest ? one : latest));
}
