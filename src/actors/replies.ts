/**
 * What one step of a chart waits for from the other engine: one message at a time. It gives up when nothing comes in
 * time, and when the chart leaves the state that began the step.
 */
import type { Clock, TimerHandle } from "../ports/basics.ts";

/** Why a step ended without a result. `blameless`: for want of somebody else, so that it is tried for as long as that lasts. */
export class Interruption extends Error {
  readonly blameless: boolean;

  constructor(reason: string, blameless = false) {
    super(reason);
    this.name = "Interruption";
    this.blameless = blameless;
  }
}

export class Replies<Message> {
  readonly #clock: Clock;
  readonly #patienceMs: number;
  #settle: ((message: Message) => void) | null = null;
  #fail: (error: Interruption) => void = () => undefined;
  #timer: TimerHandle | null = null;

  constructor(clock: Clock, patienceMs: number, signal: AbortSignal) {
    this.#clock = clock;
    this.#patienceMs = patienceMs;
    signal.addEventListener("abort", () => this.giveUp("left"));
  }

  /** The next message that is delivered. */
  next(): Promise<Message> {
    return new Promise((settle, fail) => {
      this.#settle = settle;
      this.#fail = fail;
      this.signOfLife();
    });
  }

  deliver(message: Message): void {
    const settle = this.#settle;
    this.#rest();
    settle?.(message);
  }

  /** The other engine is at work: the patience counts from now. */
  signOfLife(): void {
    if (this.#settle === null) return;
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.giveUp("the other engine does not answer"), this.#patienceMs);
  }

  /** Nothing is waited for any more. */
  giveUp(reason: string, blameless = false): void {
    this.#rest();
    this.#fail(new Interruption(reason, blameless));
  }

  #rest(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#settle = null;
  }
}
