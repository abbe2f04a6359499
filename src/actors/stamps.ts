/**
 * The one hybrid logical clock of an engine: it stamps commands and changes of records. It only rises, also over a restart
 * when it is given the highest stamp that was kept, and a stamp from outside that is too far ahead does not move it [CK1].
 * The one exception is `restart`, for a clock that was ahead and was corrected [CK2]: its caller starts a new origin.
 * Arrivals are numbered by a sequence of their own that never falls: cursors of other places point into it.
 */
import {
  formatHlc,
  laterHlc,
  MAX_DRIFT_MS,
  parseHlc,
  partsNow,
  partsReceive,
  type Hlc,
  type HlcParts,
  type PartsReceive,
} from "../core/hlc.ts";
import type { Clock } from "../ports/basics.ts";

export class Stamps {
  readonly #clock: Pick<Clock, "unixMs">;
  readonly #origin: string;
  readonly #maxDriftMs: number;
  /** The last stamp as text, in parts, or as both: a page of operations moves it twice for each of them. */
  #text: Hlc | null;
  #parts: HlcParts | null = null;
  #refused = 0;
  /** The last arrival; "" before the first one. */
  #arrival: Hlc = "";

  constructor(
    { clock }: { readonly clock: Pick<Clock, "unixMs"> },
    init: { readonly origin: string; readonly last: Hlc; readonly maxDriftMs?: number },
  ) {
    this.#clock = clock;
    this.#origin = init.origin;
    this.#text = init.last;
    this.#maxDriftMs = init.maxDriftMs ?? MAX_DRIFT_MS;
  }

  get last(): Hlc {
    return (this.#text ??= formatHlc(this.#at));
  }

  /** How many stamps from outside were too far ahead. */
  get refused(): number {
    return this.#refused;
  }

  /** A stamp for something that happens here now. */
  next(): Hlc {
    this.#move(partsNow(this.#at, this.#clock.unixMs(), this.#origin));
    return this.last;
  }

  /** Takes a stamp from outside, unless it is too far ahead. */
  take(remote: Hlc): PartsReceive["outcome"] {
    const received = this.#received(remote);
    if (received.outcome === "advanced") this.#move(received.parts);
    return received.outcome;
  }

  /** Whether a stamp from outside may be learnt. Moves nothing; one that is too far ahead is counted. */
  admits(remote: Hlc): boolean {
    return this.#received(remote).outcome === "advanced";
  }

  /** Wall clock of this engine, ms. */
  get nowUnixMs(): number {
    return this.#clock.unixMs();
  }

  /** How far the last stamp is ahead of this engine's clock, ms; 0 where it is not. */
  get aheadMs(): number {
    return Math.max(0, this.#at.unixMs - this.#clock.unixMs());
  }

  /** The unix ms that the next stamp will bear. */
  get nextUnixMs(): number {
    return Math.max(this.#at.unixMs, this.#clock.unixMs());
  }

  /** The place of something that arrives here now: above every arrival before it. */
  arrive(): Hlc {
    const last = this.#arrival === "" ? this.#at : parseHlc(this.#arrival);
    return (this.#arrival = formatHlc(partsNow(last, this.#clock.unixMs(), this.#origin)));
  }

  /** The store holds arrivals through here. */
  arrivedThrough(arrival: Hlc): void {
    this.#arrival = laterHlc(this.#arrival, arrival);
  }

  /** The clock was ahead and is right again: stamps begin again at the present, or above `floor`. */
  restart(floor: Hlc): void {
    this.#parts = null;
    this.#text = floor;
  }

  /** A stamp of this engine's own store. */
  learn(hlc: Hlc): void {
    this.#text = laterHlc(this.last, hlc);
    this.#parts = null;
  }

  get #at(): HlcParts {
    return (this.#parts ??= parseHlc(this.#text ?? ""));
  }

  #move(parts: HlcParts): void {
    this.#parts = parts;
    this.#text = null;
  }

  #received(remote: Hlc): PartsReceive {
    const nowMs = this.#clock.unixMs();
    const received = partsReceive(this.#at, parseHlc(remote), nowMs, this.#origin, this.#maxDriftMs);
    if (received.outcome === "refused") this.#refused += 1;
    return received;
  }
}
