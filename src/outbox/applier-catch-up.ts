/**
 * Stacks that stand still: when they are tried again, and how they are brought back to the cursor of the feed.
 * Keeps true: a stack is read again from where it stands, in the order of the feed, and flows with the others only once
 * nothing of it lies between there and the cursor.
 * Does not know: how an event is applied.
 */
import { assertNever } from "../core/errors.ts";
import { backoffMs } from "../core/failure-detector.ts";
import type {
  AppliedStack,
  ConsumerDatabase,
  Decision,
  StackHold,
  StackKey,
  FeedEntry,
  FeedSource,
} from "../ports/feed-sink.ts";
import type { Clock, Random } from "../ports/basics.ts";
import type { PlacedEvent, StepOutcome } from "./applier-step.ts";

export interface CatchUpInit {
  /** Applies an event of a stack that stands still. */
  readonly take: (placed: PlacedEvent) => Promise<StepOutcome>;
  readonly pageSize: number;
}

/** Stacks that wait for another attempt at the same time; a further one waits for a person at once. */
const MAX_RETRYING = 1_000;
const RETRY = { baseMs: 100, capMs: 5_000 };

interface Retry {
  readonly key: StackKey;
  readonly atMonoMs: number;
}

export class CatchUp<Tx> {
  readonly #source: FeedSource;
  readonly #database: ConsumerDatabase<Tx>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #init: CatchUpInit;
  readonly #retries = new Map<string, Retry>();

  constructor(
    components: {
      readonly source: FeedSource;
      readonly database: ConsumerDatabase<Tx>;
      readonly clock: Clock;
      readonly random: Random;
    },
    init: CatchUpInit,
  ) {
    this.#source = components.source;
    this.#database = components.database;
    this.#clock = components.clock;
    this.#random = components.random;
    this.#init = init;
  }

  get isFull(): boolean {
    return this.#retries.size >= MAX_RETRYING;
  }

  /** Takes up what an earlier run has left. */
  async load(): Promise<void> {
    const held = await this.#database.transaction((notes) => notes.heldStacks(MAX_RETRYING));
    for (const { hold, ...key } of held) if (hold?.final === false) this.#retryAt(key, this.#clock.monoMs());
  }

  retryLater(key: StackKey, { final, attempts }: StackHold): void {
    if (final) return;
    const waitMs = backoffMs(Math.max(0, attempts - 1), this.#random.next(), RETRY);
    this.#retryAt(key, this.#clock.monoMs() + waitMs);
  }

  async decide(key: StackKey, decision: Decision): Promise<"decided" | "not_held"> {
    const held = await this.#database.transaction(async (notes) => {
      const stack = await notes.stack(key);
      if (stack === null || stack.hold === null) return false;
      await notes.putStack({ ...stack, hold: { ...stack.hold, decision, attempts: 0, final: false } });
      return true;
    });
    if (!held) return "not_held";
    this.#retryAt(key, this.#clock.monoMs());
    return "decided";
  }

  /** Brings one stack whose time has come a page further. Whether there was one. */
  async one(): Promise<boolean> {
    const nowMonoMs = this.#clock.monoMs();
    const due = [...this.#retries.values()].find(({ atMonoMs }) => atMonoMs <= nowMonoMs);
    if (due === undefined) return false;
    this.#retries.delete(nameOf(due.key));
    try {
      if (await this.#page(due.key)) this.#retryAt(due.key, nowMonoMs);
    } catch (error) {
      this.#retryAt(due.key, nowMonoMs + RETRY.baseMs);
      throw error;
    }
    return true;
  }

  /** Whether there is more to be done for this stack at once. */
  async #page(key: StackKey): Promise<boolean> {
    const [stack, cursor, { feedId }] = await this.#database.transaction(
      async (notes) => [await notes.stack(key), await notes.cursor(), await notes.mark()] as const,
    );
    if (stack === null || stack.hold === null || stack.hold.final) return false;
    const { from } = stack.hold;
    if (from > cursor) return this.#release(key);
    const read = await this.#source.read(from - 1, this.#init.pageSize, { feedId, eventId: null });
    switch (read.outcome) {
      case "unavailable":
        this.#retryAt(key, this.#clock.monoMs() + RETRY.baseMs);
        return false;
      case "lost":
        // A feed that was started over is the whole applier's trouble, not this stack's.
        if (read.why === "restarted") {
          this.#retryAt(key, this.#clock.monoMs() + RETRY.capMs);
          return false;
        }
        return this.#lost(stack, stack.hold, read.oldest);
      case "read":
        return this.#takeAll(key, read.entries, cursor);
      default:
        return assertNever(read);
    }
  }

  async #takeAll(key: StackKey, entries: readonly FeedEntry[], cursor: number): Promise<boolean> {
    for (const { controlVersion, event } of entries) {
      if (controlVersion > cursor) break;
      if (event === null || event.tenantId !== key.tenantId || event.stackId !== key.stackId) continue;
      const outcome = await this.#init.take({ controlVersion, event });
      if (!["applied", "skipped", "duplicate", "past"].includes(outcome)) return false;
    }
    const last = entries.at(-1)?.controlVersion;
    if (last === undefined) {
      this.#retryAt(key, this.#clock.monoMs() + RETRY.baseMs);
      return false;
    }
    await this.#moveTo(key, Math.min(last, cursor) + 1);
    return true;
  }

  /** A person who skips also gives up what the feed no longer has. */
  async #lost(stack: AppliedStack, hold: StackHold, oldest: number): Promise<boolean> {
    const given = hold.decision === "skip";
    const next: StackHold = given
      ? { ...hold, from: Math.max(oldest, hold.from + 1), decision: "retry" }
      : { ...hold, reason: "lost", final: true };
    await this.#database.transaction((notes) => notes.putStack({ ...stack, hold: next }));
    return given;
  }

  async #moveTo(key: StackKey, from: number): Promise<void> {
    await this.#database.transaction(async (notes) => {
      const stack = await notes.stack(key);
      if (stack === null || stack.hold === null || stack.hold.from >= from) return;
      await notes.putStack({ ...stack, hold: { ...stack.hold, from, attempts: 0, decision: "retry" } });
    });
  }

  /** The stack is where the feed is: from here on it flows. */
  async #release(key: StackKey): Promise<false> {
    await this.#database.transaction(async (notes) => {
      const stack = await notes.stack(key);
      if (stack !== null && stack.hold !== null && stack.hold.from > (await notes.cursor())) {
        await notes.putStack({ ...stack, hold: null });
      }
    });
    return false;
  }

  #retryAt({ tenantId, stackId }: StackKey, atMonoMs: number): void {
    const key = { tenantId, stackId };
    this.#retries.set(nameOf(key), { key, atMonoMs });
  }
}

function nameOf({ tenantId, stackId }: StackKey): string {
  return JSON.stringify([tenantId, stackId]);
}
