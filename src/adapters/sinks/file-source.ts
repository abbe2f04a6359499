/**
 * Reads a feed that lies in a folder (see `file-feed.ts`).
 * Places are read one after the other; one that is missing with later ones behind it is told, not jumped over.
 */
import {
  type FeedEntry,
  type FeedMark,
  type FeedRead,
  type FeedSource,
  isAnotherEvent,
  isAnotherFeed,
} from "../../ports/feed-sink.ts";
import { consumerName, type FeedFormat, MAX_PAGE_BYTES } from "./event-text.ts";
import { FileFeed } from "./file-feed.ts";

export interface FileSourceInit {
  /** The folder that a `FileSink` writes. */
  readonly folder: string;
  /** The format that the sink writes; default `changeover`. */
  readonly format?: FeedFormat;
  /** Names this reader in the folder's `readers/`. */
  readonly consumer: string;
}

/** How many empty reads go by before the listing shows whether something is missing: the listing is long. */
const LISTING_EVERY = 50;

export class FileSource implements FeedSource {
  readonly #feed: FileFeed;
  readonly #consumer: string;
  #emptyReads = 0;

  /** Throws `invalid_configuration` for a consumer's name that is empty or too long. */
  constructor(_components: object, init: FileSourceInit) {
    this.#feed = new FileFeed(init.folder, init.format);
    this.#consumer = consumerName(init.consumer);
  }

  async read(after: number, limit: number, mark?: FeedMark): Promise<FeedRead> {
    try {
      const entries = await this.#from(after + 1, limit);
      if (entries.length > 0) this.#emptyReads = 0;
      const read: FeedRead =
        entries.length > 0 ? { outcome: "read", entries } : await this.#nothingBehind(after, limit);
      if (read.outcome !== "read") return read;
      // Looked at after the entries: a feed that is started over in between never gets its old name back.
      const feedId = await this.#feed.id();
      if (after === 0 || mark === undefined) return { ...read, feedId };
      const filed = await this.#feed.read(this.#feed.placeOf(after));
      if (!isAnotherFeed(mark, feedId) && !isAnotherEvent(mark, filed?.event?.eventId ?? null)) {
        return { ...read, feedId };
      }
      return { outcome: "lost", why: "restarted", oldest: (await this.#feed.range()).first };
    } catch (error) {
      return { outcome: "unavailable", error };
    }
  }

  async acknowledge(through: number): Promise<void> {
    await this.#feed.noteReader(this.#consumer, through).catch(() => undefined);
  }

  async close(): Promise<void> {}

  async #from(first: number, limit: number): Promise<FeedEntry[]> {
    const entries: FeedEntry[] = [];
    let bytes = 0;
    for (let place = first; entries.length < limit && bytes < MAX_PAGE_BYTES; place += 1) {
      const filed = await this.#feed.read(this.#feed.placeOf(place));
      if (filed === null) break;
      entries.push({ controlVersion: place, event: filed.controlVersion === place ? filed.event : null });
      bytes += filed.bytes;
    }
    return entries;
  }

  /** Looks now and then whether the feed goes on elsewhere. */
  async #nothingBehind(after: number, limit: number): Promise<FeedRead> {
    this.#emptyReads += 1;
    if (this.#emptyReads % LISTING_EVERY !== 1) return { outcome: "read", entries: [] };
    const { first, last } = await this.#feed.range(after);
    if (after === 0) return { outcome: "read", entries: first === 0 ? [] : await this.#from(first, limit) };
    if (last > after) {
      // It may have been written between the two looks.
      const entries = await this.#from(after + 1, limit);
      if (entries.length > 0) return { outcome: "read", entries };
      return { outcome: "lost", why: "trimmed", oldest: first };
    }
    return last < after ? { outcome: "lost", why: "restarted", oldest: first } : { outcome: "read", entries: [] };
  }
}
