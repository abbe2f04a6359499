/**
 * Purpose: what all clock sources share that ask a program: it is asked every second, and its last answer counts as
 * long as it is fresh.
 * Keeps true: one question at a time, each within its budget; without a fresh and sound answer the reading says `free`;
 * `reading` never blocks.
 */
import type { Clock, TimerHandle } from "../../ports/clock.ts";
import type { ClockReading, ClockSource } from "../../ports/clock-source.ts";
import { type RunningScript, startScript } from "../script.ts";

const ASK_EVERY_MS = 1_000;
const ANSWER_WITHIN_MS = 800;
const MAX_ANSWER_BYTES = 65_536;

/** A reading older than this counts no more: some questions in a row went unanswered. */
const FRESH_MS = 3_500;

/** Nothing disciplines the clock, as far as is known. */
export const FREE: ClockReading = { mode: "free", offsetNs: 0, jitterNs: 0 };

export interface PolledClockSourceInit {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** What its output says at `nowMonoMs`, `nowUnixMs`. Called once an answer, in order. */
  readonly read: (output: string, nowMonoMs: number, nowUnixMs: number) => ClockReading;
}

export class PolledClockSource implements ClockSource {
  readonly #clock: Clock;
  readonly #init: PolledClockSourceInit;
  #reading: ClockReading = FREE;
  #readAtMonoMs = Number.NEGATIVE_INFINITY;
  #running: RunningScript | null = null;
  #timer: TimerHandle | null = null;
  #closed = false;

  constructor(components: { readonly clock: Clock }, init: PolledClockSourceInit) {
    this.#clock = components.clock;
    this.#init = init;
    this.#ask();
  }

  reading(): ClockReading {
    return this.#clock.monoMs() - this.#readAtMonoMs <= FRESH_MS ? this.#reading : FREE;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#running?.kill();
    await this.#running?.done;
  }

  #ask(): void {
    this.#running = startScript(
      { clock: this.#clock },
      { argv: this.#init.argv, env: {}, budgetMs: ANSWER_WITHIN_MS, maxStdoutBytes: MAX_ANSWER_BYTES },
    );
    void this.#running.done.then((outcome) => {
      this.#running = null;
      if (this.#closed) return;
      if (outcome.outcome === "exited" && outcome.code === 0) this.#take(outcome.stdout);
      this.#timer = this.#clock.setTimeout(() => this.#ask(), ASK_EVERY_MS);
    });
  }

  #take(output: string): void {
    this.#readAtMonoMs = this.#clock.monoMs();
    this.#reading = this.#init.read(output, this.#readAtMonoMs, this.#clock.unixMs());
  }
}
