/**
 * Purpose: which operations both engines of a pair hold. Before that, one that only this engine has is not had by the
 * pair, and whoever could give it once more must not compact it away (docs/decisions/0014).
 * Keeps true: what the other engine holds is what it has told, over all lives; one that has told nothing holds nothing. It
 * is waited for no more once it was not heard for long.
 */
import { ChangeoverError } from "../core/errors.ts";
import { leastClock, mergeClocks, parseClock, type VectorClock } from "../core/vector-clock.ts";
import type { EngineId } from "../core/ids.ts";
import { FORGET_AFTER_MS } from "./callers.ts";
import { peerKey } from "./peer-keys.ts";
import type { ReplicationBasics } from "./record-log.ts";
import type { UseClock } from "./use-clock.ts";

/** How often it is written down. */
const NOTE_MS = 60_000;

const KEY = peerKey("pair", "clock");

interface OtherEngine {
  readonly engineId: string;
  readonly clock: VectorClock;
  /** By `UseClock`. */
  readonly seenAtUseMs: number;
  /** What an older version goes by. */
  readonly seenAtUnixMs: number;
}

export class PairHoldings {
  readonly #basics: ReplicationBasics;
  readonly #use: UseClock;
  /** null: this engine is alone. */
  #other: OtherEngine | null;
  #notedAtUseMs = 0;

  constructor(basics: ReplicationBasics & { readonly use: UseClock }, init: { readonly paired: boolean }) {
    this.#basics = basics;
    this.#use = basics.use;
    const { peerState } = basics.replica;
    this.#other = init.paired ? (readNote(peerState.get(KEY), this.#use.nowMs) ?? this.#waitedFor()) : null;
  }

  /** The other engine has told what it holds. */
  told(engineId: EngineId, clock: VectorClock): void {
    const known = this.#other?.engineId === engineId ? this.#other : null;
    this.#other = { engineId, clock: mergeClocks(known?.clock ?? {}, clock), ...this.#seenNow };
    if (known === null || this.#other.seenAtUseMs - this.#notedAtUseMs >= NOTE_MS) this.#note(this.#other);
  }

  /** What the other engine holds; null: there is none to wait for. */
  ofOther(): VectorClock | null {
    if (this.#other === null) return null;
    const { clock, seenAtUseMs } = this.#other;
    return this.#use.nowMs - seenAtUseMs > FORGET_AFTER_MS ? null : clock;
  }

  /** What every engine here holds. */
  ofBoth(): VectorClock {
    const own = this.#basics.replica.ops.vector();
    const other = this.ofOther();
    return other === null ? own : leastClock(own, other);
  }

  #note(other: OtherEngine): void {
    this.#basics.replica.peerState.set(KEY, JSON.stringify(other));
    this.#notedAtUseMs = other.seenAtUseMs;
  }

  get #seenNow(): Pick<OtherEngine, "seenAtUseMs" | "seenAtUnixMs"> {
    return { seenAtUseMs: this.#use.nowMs, seenAtUnixMs: this.#basics.clock.unixMs() };
  }

  /** One that has told nothing is waited for from now on, not from each start on. */
  #waitedFor(): OtherEngine {
    const none = { engineId: "", clock: {}, ...this.#seenNow };
    try {
      this.#note(none);
    } catch (error) {
      // The disk is full: then it is waited for from the next start on.
      if (!(error instanceof ChangeoverError)) throw error;
    }
    return none;
  }
}

/**
 * What was noted of it; a malformed note counts as none: then nothing is known to be held. An older version made those
 * without `seenAtUseMs`: then it counts as heard now.
 */
function readNote(text: string | null, nowMs: number): OtherEngine | null {
  try {
    const { engineId, clock, seenAtUnixMs, seenAtUseMs = nowMs } = JSON.parse(text ?? "{}") as Partial<OtherEngine>;
    if (typeof engineId !== "string" || typeof seenAtUnixMs !== "number" || typeof seenAtUseMs !== "number")
      return null;
    return { engineId, clock: parseClock(clock), seenAtUnixMs, seenAtUseMs: Math.min(seenAtUseMs, nowMs) };
  } catch {
    return null;
  }
}
