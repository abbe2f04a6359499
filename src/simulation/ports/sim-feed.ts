/**
 * Purpose: the feed of the virtual world, and the sink with which one life of an engine publishes to it: over a way that
 * takes time, to a broker that may be away, with answers that may be lost.
 * Keeps true: what stands in the feed stays there; an event that comes again gets the version that it has.
 */
import { type FeedEntry, MemoryFeed } from "../../adapters/memory-sink.ts";
import type { ControlEvent } from "../../core/control-event.ts";
import type { Label } from "../../core/ids.ts";
import type { FeedSink, PublishResult } from "../../ports/feed-sink.ts";
import type { ProcessClock } from "../ground/host-clock.ts";
import type { Prng } from "../ground/prng.ts";
import type { Life, Scheduler } from "../ground/scheduler.ts";

const TIMEOUT_MS = 500;
const TAKES_MS = 0.5;
const MEAN_EXTRA_MS = 2;

/** The broker. */
export class SimFeed {
  readonly feed = new MemoryFeed();
  up = true;
  answers = true;
  /** Whether it takes nothing new, as a broker does whose rules were changed. */
  refuses = false;
}

/** What one life of an engine publishes with. */
export interface SinkGround {
  readonly host: SimFeed;
  readonly scheduler: Scheduler;
  readonly clock: ProcessClock;
  readonly life: Life;
  readonly chance: Prng;
  /** Told of every batch as it leaves the engine. */
  publishing(batch: readonly ControlEvent[]): void;
  /** Told of every event that is new to the feed. */
  published(entry: FeedEntry): void;
}

export class SimSink implements FeedSink {
  readonly label: Label;
  readonly #ground: SinkGround;

  constructor(ground: SinkGround, init: { readonly label: Label }) {
    this.#ground = ground;
    this.label = init.label;
  }

  publish(batch: readonly ControlEvent[]): Promise<PublishResult> {
    const { host, scheduler, clock, life } = this.#ground;
    if (!life.alive) return new Promise(() => undefined);
    this.#ground.publishing(batch);
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => resolve(unavailable()), TIMEOUT_MS);
      scheduler.after(this.#delayMs(), () => {
        if (!host.up) return;
        const result = host.refuses ? refused() : { published: batch.map((event) => this.#take(event)), failure: null };
        scheduler.after(this.#delayMs(), () => {
          if (!host.answers) return;
          scheduler.enter(life, "arrival", () => {
            clock.clearTimeout(timer);
            resolve(result);
          });
        });
      });
    });
  }

  async close(): Promise<void> {}

  #take(event: ControlEvent): PublishResult["published"][number] {
    const { host } = this.#ground;
    const taken = host.feed.publish(event);
    const entry = host.feed.entries.at(-1);
    if (!taken.duplicate && entry !== undefined) this.#ground.published(entry);
    return taken;
  }

  #delayMs(): number {
    return TAKES_MS + this.#ground.chance.waiting(MEAN_EXTRA_MS);
  }
}

function unavailable(): PublishResult {
  return failed("unavailable", "the broker did not answer");
}

function refused(): PublishResult {
  return failed("refused", "the broker takes no such event");
}

function failed(reason: "unavailable" | "refused", message: string): PublishResult {
  return { published: [], failure: { reason, error: Object.assign(new Error(message), { code: reason }) } };
}
