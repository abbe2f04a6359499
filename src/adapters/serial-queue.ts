/**
 * One task after the other, in the order in which they were asked for, for outside things that must not be
 * called twice at once.
 * Bounded; a task that fails does not stop the ones behind it.
 */
import { ChangeoverError } from "../core/errors.ts";

/** Tasks that may wait; a caller that sends more does not wait for answers. */
const MAX_WAITING_TASKS = 10_000;

export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Runs `task` once all earlier ones have ended. Throws `engine_not_ready` (retryable) when too many wait. */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= MAX_WAITING_TASKS) {
      throw new ChangeoverError("engine_not_ready", `${this.#waiting} calls wait for the engine`, {
        retryable: true,
        details: { waiting: this.#waiting, bound: MAX_WAITING_TASKS },
      });
    }
    this.#waiting += 1;
    const turn = this.#tail.then(task).finally(() => {
      this.#waiting -= 1;
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}
