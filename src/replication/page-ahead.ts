/**
 * Has the next page of a long catch-up ready when it is asked for: it is read while the caller stores the one
 * before.
 * Keeps true: one page at most, for the one who pulled last; given once. It is what the log held a moment ago, as if the
 * request had come then: what arrived since is after its cursor.
 * Does not know: what the caller has stored. Reading ahead acknowledges nothing.
 */
import { ChangeoverError } from "../core/errors.ts";
import type { Clock } from "../ports/basics.ts";
import type { PullRequest } from "../ports/sync-transport.ts";
import type { SyncCaller } from "./callers.ts";

/** Who asks for which page. */
export interface PullCall extends PullRequest {
  readonly caller: SyncCaller;
}

export class PageAhead<Page> {
  readonly #clock: Clock;
  #wanted: PullCall | null = null;
  #page: Page | null = null;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /** The page that was read for exactly this call; null when there is none. */
  take(call: PullCall): Page | null {
    const page = this.#wanted !== null && isSame(this.#wanted, call) ? this.#page : null;
    this.drop();
    return page;
  }

  /** Reads the page of `call` soon. */
  prepare(call: PullCall, read: (call: PullCall) => Page): void {
    this.#wanted = call;
    this.#page = null;
    this.#clock.soon(() => {
      if (this.#wanted !== call) return;
      try {
        this.#page = read(call);
      } catch (error) {
        // The one who asks for the page is told then.
        if (!(error instanceof ChangeoverError)) throw error;
      }
    });
  }

  drop(): void {
    this.#wanted = null;
    this.#page = null;
  }
}

function isSame(one: PullCall, other: PullCall): boolean {
  const { caller, after, limit, maxBytes } = one;
  const { origin, token } = other.caller;
  if (caller.origin !== origin || caller.token !== token) return false;
  return after === other.after && limit === other.limit && maxBytes === other.maxBytes;
}
