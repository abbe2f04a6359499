/**
 * Purpose: the one hybrid logical clock of an engine: it stamps commands, changes of records, and arrivals.
 * Keeps true: it only rises, also over a restart when it is given the highest stamp that was kept; a stamp from outside
 * that is too far ahead does not move it.
 */
import { hlcNow, hlcReceive, laterHlc, MAX_DRIFT_MS, type Hlc, type HlcReceive } from "../core/hlc.ts";
import type { Clock } from "../ports/clock.ts";

export class Stamps {
  readonly #clock: Pick<Clock, "unixMs">;
  readonly #origin: string;
  readonly #maxDriftMs: number;
  #last: Hlc;
  #refused = 0;

  constructor(
    { clock }: { readonly clock: Pick<Clock, "unixMs"> },
    init: { readonly origin: string; readonly last: Hlc; readonly maxDriftMs?: number },
  ) {
    this.#clock = clock;
    this.#origin = init.origin;
    this.#last = init.last;
    this.#maxDriftMs = init.maxDriftMs ?? MAX_DRIFT_MS;
  }

  get last(): Hlc {
    return this.#last;
  }

  /** How many stamps from outside were too far ahead. */
  get refused(): number {
    return this.#refused;
  }

  /** A stamp for something that happens here now. */
  next(): Hlc {
    this.#last = hlcNow(this.#last, this.#clock.unixMs(), this.#origin);
    return this.#last;
  }

  /** Takes a stamp from outside, unless it is too far ahead. */
  take(remote: Hlc): HlcReceive {
    const result = hlcReceive(this.#last, remote, this.#clock.unixMs(), this.#origin, this.#maxDriftMs);
    if (result.outcome === "advanced") this.#last = result.hlc;
    else this.#refused += 1;
    return result;
  }

  /** Whether a stamp from outside may be learnt. Moves nothing; one that is too far ahead is counted. */
  admits(remote: Hlc): boolean {
    const result = hlcReceive(this.#last, remote, this.#clock.unixMs(), this.#origin, this.#maxDriftMs);
    if (result.outcome === "refused") this.#refused += 1;
    return result.outcome === "advanced";
  }

  /** A stamp of a trusted source: the own store, or the peer. */
  learn(hlc: Hlc): void {
    this.#last = laterHlc(this.#last, hlc);
  }
}
