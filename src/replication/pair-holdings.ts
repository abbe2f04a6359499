/**
 * Purpose: which operations both engines of a pair hold. Before that, one that only this engine has is not had by the
 * pair, and whoever could give it once more must not compact it away (docs/decisions/0014).
 * Keeps true: what the other engine holds is what it has told, over all lives; one that has told nothing holds nothing. It
 * is waited for no more once it was not heard for long.
 */
import { leastClock, mergeClocks, parseClock, type VectorClock } from "../core/vector-clock.ts";
import type { EngineId } from "../core/ids.ts";
import { FORGET_AFTER_MS } from "./callers.ts";
import { peerKey } from "./peer-keys.ts";
import type { ReplicationBasics } from "./record-log.ts";

/** How often it is written down. */
const NOTE_MS = 60_000;

const KEY = peerKey("pair", "clock");

interface OtherEngine {
  readonly engineId: string;
  readonly clock: VectorClock;
  readonly seenAtUnixMs: number;
}

export class PairHoldings {
  readonly #basics: ReplicationBasics;
  /** null: this engine is alone. */
  #other: OtherEngine | null;
  #notedAtUnixMs = 0;

  constructor(basics: ReplicationBasics, init: { readonly paired: boolean }) {
    this.#basics = basics;
    this.#other = init.paired ? this.#noted() : null;
  }

  /** The other engine has told what it holds. */
  told(engineId: EngineId, clock: VectorClock): void {
    const seenAtUnixMs = this.#basics.clock.unixMs();
    const known = this.#other?.engineId === engineId ? this.#other : null;
    this.#other = { engineId, clock: mergeClocks(known?.clock ?? {}, clock), seenAtUnixMs };
    if (known !== null && seenAtUnixMs - this.#notedAtUnixMs < NOTE_MS) return;
    this.#basics.replica.peerState.set(KEY, JSON.stringify(this.#other));
    this.#notedAtUnixMs = seenAtUnixMs;
  }

  /** What the other engine holds; null: there is none to wait for. */
  ofOther(): VectorClock | null {
    if (this.#other === null) return null;
    const { clock, seenAtUnixMs } = this.#other;
    return this.#basics.clock.unixMs() - seenAtUnixMs > FORGET_AFTER_MS ? null : clock;
  }

  /** What every engine here holds. */
  ofBoth(): VectorClock {
    const own = this.#basics.replica.ops.vector();
    const other = this.ofOther();
    return other === null ? own : leastClock(own, other);
  }

  /** A malformed note counts as none: then nothing is known to be held. */
  #noted(): OtherEngine {
    const { replica, clock } = this.#basics;
    const none = { engineId: "", clock: {}, seenAtUnixMs: clock.unixMs() };
    try {
      const { engineId, clock: held, seenAtUnixMs } = JSON.parse(replica.peerState.get(KEY) ?? "{}") as OtherEngine;
      if (typeof engineId !== "string" || typeof seenAtUnixMs !== "number") return none;
      return { engineId, clock: parseClock(held), seenAtUnixMs };
    } catch {
      return none;
    }
  }
}
