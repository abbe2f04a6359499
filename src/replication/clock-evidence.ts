/**
 * What others say the time is, so that an engine knows whether they can take what it stamps, and whether its own clock has
 * been put right [CK2–CK4]. A place is kept by the difference of its wall clock to this engine's monotonic clock, so that a
 * step of this engine's wall clock is seen at once. Old observations do not count.
 */
import type { Clock } from "../ports/basics.ts";

interface Observation {
  readonly unixMinusMonoMs: number;
  readonly atMonoMs: number;
}

/** An observation this old says nothing any more. */
const MAX_AGE_MS = 15 * 60_000;
/** Places that are kept; the oldest goes first. */
const MAX_PLACES = 64;

export class ClockEvidence {
  readonly #clock: Pick<Clock, "monoMs" | "unixMs">;
  readonly #seen = new Map<string, Observation>();

  constructor({ clock }: { readonly clock: Pick<Clock, "monoMs" | "unixMs"> }) {
    this.#clock = clock;
  }

  /** `place` said that it is `unixMs` there, in answer to what was asked at `askedMonoMs`. */
  noted(place: string, unixMs: number, askedMonoMs: number): void {
    const nowMonoMs = this.#clock.monoMs();
    this.#note(place, unixMs - (askedMonoMs + nowMonoMs) / 2, nowMonoMs);
  }

  /** The wall clock of `place` minus the monotonic clock here. */
  measured(place: string, unixMinusMonoMs: number): void {
    this.#note(place, unixMinusMonoMs, this.#clock.monoMs());
  }

  forget(place: string): void {
    this.#seen.delete(place);
  }

  /**
   * By how much the instant `unixMs` is ahead of the latest clock among the others; null: none of them was heard lately.
   * Below zero: it is past for at least one of them.
   */
  aheadMs(unixMs: number): number | null {
    const all = this.#allAheadMs(unixMs);
    return all.length === 0 ? null : Math.min(...all);
  }

  /** Whether the clock of another place shows about `unixMs` now: this is at most so far ahead of it, or behind it. */
  agrees(unixMs: number, most: { readonly aheadMs: number; readonly behindMs: number }): boolean {
    return this.#allAheadMs(unixMs).some((aheadMs) => aheadMs <= most.aheadMs && -aheadMs <= most.behindMs);
  }

  /** By how much `unixMs` is ahead of each other clock that was heard lately. */
  #allAheadMs(unixMs: number): readonly number[] {
    const nowMonoMs = this.#clock.monoMs();
    return [...this.#seen.values()]
      .filter(({ atMonoMs }) => nowMonoMs - atMonoMs <= MAX_AGE_MS)
      .map(({ unixMinusMonoMs }) => unixMs - (nowMonoMs + unixMinusMonoMs));
  }

  #note(place: string, unixMinusMonoMs: number, atMonoMs: number): void {
    this.#seen.delete(place);
    this.#seen.set(place, { unixMinusMonoMs, atMonoMs });
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_PLACES && oldest !== undefined) this.#seen.delete(oldest);
  }
}
