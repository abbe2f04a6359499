/**
 * Purpose: the machine on which the simulated witness runs: up, down, stalled, with a memory that can be lost or go back,
 * and a clock that can be stepped.
 * Does not know: the way between an engine and it (see `ports/sim-witness.ts`).
 */
import { MemoryWitnessServer } from "../../adapters/memory-witness.ts";
import { type EngineId, makeId } from "../../core/ids.ts";
import type { WitnessRecord } from "../../ports/witness.ts";
import { HostClock, ProcessClock } from "./host-clock.ts";
import { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";

/** The engine of another pair that writes into this pair's witness. */
export const STRANGER = makeId("engine", "stranger");

/** Strangers that run a coordinator have ids that begin so (`world/sim-strangers.ts`). */
const STRANGERS = "eng_x";

export function isStranger(engineId: EngineId): boolean {
  return engineId === STRANGER || engineId.startsWith(STRANGERS);
}

/** How often a replica copies the record. */
const COPY_EVERY_MS = 700;

/** A clock on which locks lapse too early or too late. */
class SteppedClock extends ProcessClock {
  stepMs = 0;

  override monoMs(): number {
    return super.monoMs() + this.stepMs;
  }
}

/** The witness's machine. */
export class WitnessHost {
  readonly server: MemoryWitnessServer;
  readonly #scheduler: Scheduler;
  readonly #clock: SteppedClock;
  #copy: WitnessRecord | null = null;
  #olderCopy: WitnessRecord | null = null;
  #copiedAtMs = 0;
  /** A server that is down refuses connections. */
  up = true;
  /** True time until which it answers nothing and does nothing. */
  stalledUntilMs = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#clock = new SteppedClock({
      scheduler,
      host: new HostClock({ driftPpm: 0, unixOffsetMs: 0 }),
      life: { alive: true, paused: false, backlog: [] },
      lateness: new Prng(0),
    });
    this.server = new MemoryWitnessServer({ clock: this.#clock });
  }

  /** Keeps what a lagging replica would have, before a change. */
  replicate(): void {
    if (this.#scheduler.nowMs - this.#copiedAtMs < COPY_EVERY_MS) return;
    this.#copiedAtMs = this.#scheduler.nowMs;
    this.#olderCopy = this.#copy;
    this.#copy = this.server.record;
  }

  /** Fails over to a replica that lagged by 0.7 to 1.4 s. */
  failOver(): void {
    this.server.rollBack(this.#olderCopy);
  }

  /** A person removes what is not this pair's, and a replica that had copied it loses it too. */
  clearStrange(): void {
    if (this.#copy !== null && isStranger(this.#copy.engineId)) this.#copy = null;
    if (this.#olderCopy !== null && isStranger(this.#olderCopy.engineId)) this.#olderCopy = null;
    const { standing } = this.server;
    if (standing !== null && ("content" in standing || isStranger(standing.engineId))) this.server.forget();
  }

  /** The fence of the lock that has lapsed, and that nobody has taken since; null: none has, as far as this clock can be trusted. */
  lapsedFence(): number | null {
    return this.#clock.stepMs === 0 ? this.server.lock.lapsed : null;
  }

  /** Redis counts a lock's life on its wall clock: a step shortens or prolongs it. */
  stepClock(byMs: number): void {
    this.#clock.stepMs += byMs;
  }
}
