/**
 * The feed as a folder: one file for each event, its name is the key (see `file-feed.ts`).
 * An event is durable before it is told as published; several publishers may write the same folder, without a
 * lock, and kill −9 leaves nothing half. Places are taken by linking, which only one can do. Anyone who takes place n + 1 has
 * made sure that the event at n has its key; so that a look at the keys, and at the last place, shows every double.
 * It does not know who reads. Files are never removed here.
 */
import type { ControlEvent } from "../../core/control-event.ts";
import type { FeedSink, Published, PublishResult } from "../../ports/feed-sink.ts";
import { SerialQueue } from "../serial-queue.ts";
import { eventToText, type FeedFormat, failed, feedLost, feedOutdated, notTaken, sinkClosed } from "./event-text.ts";
import { FileFeed } from "./file-feed.ts";

export interface FileSinkInit {
  /** Made when it does not exist. It must be on one file system that knows hard links. */
  readonly folder: string;
  /** Default `changeover`. */
  readonly format?: FeedFormat;
}

/** Places that others may take before this publisher gives way. */
const MAX_LOST_RACES = 100;

export class FileSink implements FeedSink {
  readonly #feed: FileFeed;
  readonly #queue = new SerialQueue();
  /** The last place known to be taken, its event with its key; null before the first look. */
  #last: number | null = null;
  /** The feed that `#last` was found in. */
  #feedId: string | null = null;
  #closed = false;

  constructor(_components: object, init: FileSinkInit) {
    this.#feed = new FileFeed(init.folder, init.format);
  }

  async publish(batch: readonly ControlEvent[], feedId: string | null = null, reached = 0): Promise<PublishResult> {
    const published: Published[] = [];
    try {
      return await this.#queue.run(async () => {
        if (this.#closed) return failed(published, "unavailable", sinkClosed());
        const found = await this.#openFeed();
        if (feedId !== null && feedId !== found) return feedLost(feedId, found);
        if (feedId !== null && !(await this.#holds(reached))) return feedOutdated(feedId, reached);
        return { ...(await this.#publishAll(batch, published)), feedId: found };
      });
    } catch (error) {
      // The next call looks at the folder again.
      this.#last = null;
      return failed(published, "unavailable", error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue.run(async () => undefined).catch(() => undefined);
  }

  async #publishAll(batch: readonly ControlEvent[], published: Published[]): Promise<PublishResult> {
    for (const event of batch) {
      if (this.#closed) return failed(published, "unavailable", sinkClosed());
      const key = this.#feed.keyOf(event.eventId);
      if (key === null) return failed(published, "refused", notTaken(event, "its id is too long to be a name"));
      if (eventToText(event) === null) return failed(published, "refused", notTaken(event, "it is too large"));
      const last = (this.#last ??= await this.#findLast());
      const place = await this.#place(event, key, last);
      if (place === "foreign") return failed(published, "refused", notTaken(event, "its file is another event's"));
      if (place === "overtaken") return failed(published, "overtaken", new Error("others take every place"));
      published.push({ eventId: event.eventId, ...place });
    }
    return { published, failure: null };
  }

  /** Looks for the event; else takes the first free place for it. */
  async #place(
    event: ControlEvent,
    key: string,
    last: number,
  ): Promise<{ controlVersion: number; duplicate: boolean } | "foreign" | "overtaken"> {
    for (let next = last + 1; next <= last + MAX_LOST_RACES; next += 1) {
      const standing = await this.#feed.read(key);
      if (standing !== null) {
        const own = standing.event?.eventId === event.eventId;
        return own ? { controlVersion: standing.controlVersion, duplicate: true } : "foreign";
      }
      const draft = await this.#feed.draft(event, next);
      const taken = await this.#feed.takePlace(draft, next).finally(() => this.#feed.discard(draft));
      await this.#giveKey(next);
      this.#last = next;
      if (taken) return { controlVersion: next, duplicate: false };
    }
    return "overtaken";
  }

  /** The feed's name. Makes the folders and the name where they are missing: then the feed begins at its first place. */
  async #openFeed(): Promise<string> {
    const standing = await this.#feed.id();
    if (standing !== null && standing === this.#feedId) return standing;
    this.#last = null;
    await this.#feed.prepare();
    return (this.#feedId = await this.#feed.makeId());
  }

  /** Whether a place is taken, or one behind it: people may remove what is old. */
  async #holds(controlVersion: number): Promise<boolean> {
    if (controlVersion === 0 || (await this.#feed.read(this.#feed.placeOf(controlVersion))) !== null) return true;
    this.#last = await this.#findLast();
    return this.#last >= controlVersion;
  }

  /** The last place that is taken; makes the folders, and mends what a killed publisher left. */
  async #findLast(): Promise<number> {
    await this.#feed.prepare();
    const { last } = await this.#feed.range();
    if (last > 0) await this.#giveKey(last);
    return last;
  }

  async #giveKey(controlVersion: number): Promise<void> {
    const { event } = (await this.#feed.read(this.#feed.placeOf(controlVersion))) ?? { event: null };
    const key = event === null ? null : this.#feed.keyOf(event.eventId);
    if (key !== null) await this.#feed.takeKey(controlVersion, key);
  }
}
