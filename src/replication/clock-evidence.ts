/**
 * What others say the time is, so that an engine knows whether they can take what it stamps, and whether its own clock has
 * been put right [CK2–CK4]. A place is kept by the difference of its wall clock to this engine's monotonic clock, so that a
 * step of this engine's wall clock is seen at once. Old observations do not count.
 */
import type { Clock } from "../ports/basics.ts";

interface Observation {
  readonly unixMinusMonoMs: number;
  readonly atMonoMs: number;
  /** The clock there may be ahead of what was observed by so much: the answer was held up somewhere on its way. */
  readonly errorMs: number;
}

/** An observation this old says nothing any more. */
const MAX_AGE_MS = 15 * 60_000;
/** Places that are kept; the oldest goes first. */
const MAX_PLACES = 64;

export class ClockEvidence {
  readonly #clock: Pick<Clock, "monoMs" | "unixMs">;
  readonly #seen = new Map<string, Observation>();
  readonly #callers = new Map<string, Observation>();

  constructor({ clock }: { readonly clock: Pick<Clock, "monoMs" | "unixMs"> }) {
    this.#clock = clock;
  }

  /** `place` said that it is `unixMs` there, in answer to what was asked at `askedMonoMs`. */
  noted(place: string, unixMs: number, askedMonoMs: number): void {
    const nowMonoMs = this.#clock.monoMs();
    const errorMs = (nowMonoMs - askedMonoMs) / 2;
    note(this.#seen, place, { unixMinusMonoMs: unixMs - askedMonoMs - errorMs, atMonoMs: nowMonoMs, errorMs });
  }

  /** The wall clock of `place` minus the monotonic clock here. */
  measured(place: string, unixMinusMonoMs: number): void {
    note(this.#seen, place, { unixMinusMonoMs, atMonoMs: this.#clock.monoMs(), errorMs: 0 });
  }

  /**
   * `place` called here and said that it is `unixMs` there. A hub asks nobody for the time: the clocks of its spokes may say
   * that its own is right. That it is wrong they never say, or one spoke with a wrong clock would stop the hub's records.
   */
  called(place: string, unixMs: number): void {
    const atMonoMs = this.#clock.monoMs();
    note(this.#callers, place, { unixMinusMonoMs: unixMs - atMonoMs, atMonoMs, errorMs: 0 });
  }

  forget(place: string): void {
    this.#seen.delete(place);
  }

  /**
   * By how much at least the instant `unixMs` is ahead of the latest clock among the others; null: none of them was heard
   * lately. Below zero: it may be past for one of them.
   */
  aheadMs(unixMs: number): number | null {
    const all = this.#allAhead(unixMs, this.#seen.values()).map(({ aheadMs, errorMs }) => aheadMs - errorMs);
    return all.length === 0 ? null : Math.min(...all);
  }

  /** Whether the clock of another place shows about `unixMs` now: this is at most so far ahead of it, or behind it. */
  agrees(unixMs: number, most: { readonly aheadMs: number; readonly behindMs: number }): boolean {
    const all = this.#allAhead(unixMs, [...this.#seen.values(), ...this.#callers.values()]);
    return all.some(({ aheadMs }) => aheadMs <= most.aheadMs && -aheadMs <= most.behindMs);
  }

  /** By how much `unixMs` is ahead of each of these clocks that was heard lately. */
  #allAhead(
    unixMs: number,
    clocks: Iterable<Observation>,
  ): readonly { readonly aheadMs: number; readonly errorMs: number }[] {
    const nowMonoMs = this.#clock.monoMs();
    return [...clocks]
      .filter(({ atMonoMs }) => nowMonoMs - atMonoMs <= MAX_AGE_MS)
      .map(({ unixMinusMonoMs, errorMs }) => ({ aheadMs: unixMs - (nowMonoMs + unixMinusMonoMs), errorMs }));
  }
}

function note(seen: Map<string, Observation>, place: string, observation: Observation): void {
  seen.delete(place);
  seen.set(place, observation);
  const [oldest] = seen.keys();
  if (seen.size > MAX_PLACES && oldest !== undefined) seen.delete(oldest);
}
