/**
 * Purpose: the one hybrid logical clock of an engine: it stamps commands, changes of records, and arrivals.
 * Keeps true: it only rises, also over a restart when it is given the highest stamp that was kept; a stamp from outside
 * that is too far ahead does not move it.
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
import type { Clock } from "../ports/clock.ts";

export class Stamps {
  readonly #clock: Pick<Clock, "unixMs">;
  readonly #origin: string;
  readonly #maxDriftMs: number;
  /** The last stamp as text, in parts, or as both: a page of operations moves it twice for each of them. */
  #text: Hlc | null;
  #parts: HlcParts | null = null;
  #refused = 0;

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

  /** A stamp of a trusted source: the own store, or the peer. */
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
