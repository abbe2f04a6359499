/** Purpose: tells every listener what happens; one that throws harms nobody else. */
import type { CoordinatorEvent } from "../core/events.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { Logger } from "../ports/logger.ts";

const MAX_LISTENERS = 64;

export class Broadcast {
  readonly #listeners = new Set<(event: CoordinatorEvent) => void>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  emit(event: CoordinatorEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#logger.error({ err: error, event: event.type }, "an event listener failed");
      }
    }
  }

  subscribe(listener: (event: CoordinatorEvent) => void): () => void {
    if (this.#listeners.size >= MAX_LISTENERS) {
      throw new ChangeoverError("invalid_value", `at most ${MAX_LISTENERS} listeners may subscribe`);
    }
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
