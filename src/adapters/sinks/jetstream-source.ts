/**
 * Reads a feed that is a stream of NATS JetStream.
 * It reads on where the caller's cursor is, not where the server thinks that this consumer is: only the cursor
 * was written together with the data.
 */
import type { Clock } from "../../ports/basics.ts";
import {
  type FeedEntry,
  type FeedMark,
  type FeedRead,
  type FeedSource,
  isAnotherEvent,
  isAnotherFeed,
} from "../../ports/feed-sink.ts";
import { consumerName, eventFromText } from "./event-text.ts";
import { NatsLink, type NatsLinkInit, type NatsSession } from "../nats/link.ts";
import { StreamReader, feedIdOf } from "./jetstream.ts";

type Lost = Extract<FeedRead, { outcome: "lost" }>;

/** How often the stream is looked at while nothing comes. */
const LOOK_EVERY_MS = 1_000;

export interface JetStreamSourceInit extends NatsLinkInit {
  readonly stream: string;
  /** Name of the durable consumer, which shows how far this reader is. */
  readonly consumer: string;
}

export class JetStreamSource implements FeedSource {
  readonly #clock: Clock;
  readonly #link: NatsLink;
  readonly #stream: string;
  readonly #consumer: string;
  #reader: StreamReader | null = null;
  /** The connection that the reader was opened on: what was under way when it broke is gone. */
  #life = 0;
  #lookedAtMonoMs = 0;
  #feedId: string | null = null;

  /** Connects when it is first read. Throws `invalid_configuration` for a URL or a name of no known form. */
  constructor({ clock }: { readonly clock: Clock }, init: JetStreamSourceInit) {
    this.#clock = clock;
    this.#consumer = consumerName(init.consumer);
    this.#link = new NatsLink(init);
    this.#stream = init.stream;
  }

  async read(after: number, limit: number, mark?: FeedMark): Promise<FeedRead> {
    try {
      const session = await this.#link.session();
      const entries: FeedEntry[] = [];
      const isHere = this.#reader?.position === after && this.#life === this.#link.life;
      if (isHere) entries.push(...((await this.#reader?.take(limit)) ?? []));
      // Also now and then while nothing comes: the stream may have been made again under the same name.
      if (!isHere || (entries.length === 0 && this.#clock.monoMs() - this.#lookedAtMonoMs > LOOK_EVERY_MS)) {
        const lost = await this.#look(session, after, mark);
        if (lost !== null) return lost;
      }
      if (!isHere) {
        await this.#open(session, after);
        entries.push(...((await this.#reader?.take(limit)) ?? []));
      }
      if (after > 0 && isAnotherFeed(mark, this.#feedId)) return this.#restarted(0);
      return { outcome: "read", entries, feedId: this.#feedId };
    } catch (error) {
      this.#letGo();
      return { outcome: "unavailable", error };
    }
  }

  async acknowledge(through: number): Promise<void> {
    if (this.#life === this.#link.life) this.#reader?.acknowledge(through);
  }

  async close(): Promise<void> {
    this.#letGo();
    await this.#link.close();
  }

  /** Says so when the stream has nothing that could follow, or is another than the one that was read. */
  async #look(session: NatsSession, after: number, mark: FeedMark | undefined): Promise<Lost | null> {
    this.#lookedAtMonoMs = this.#clock.monoMs();
    const info = await session.manager.streams.info(this.#stream);
    const oldest = info.state.first_seq;
    this.#feedId = feedIdOf(info);
    if (info.state.last_seq < after) return this.#restarted(oldest);
    if (after > 0 && isAnotherFeed(mark, this.#feedId)) return this.#restarted(oldest);
    if (after > 0 && oldest > after + 1) return { outcome: "lost", why: "trimmed", oldest };
    if (after >= oldest && after > 0 && mark !== undefined && mark.eventId !== null) {
      const there = await session.manager.streams.getMessage(this.#stream, { seq: after }).catch(() => null);
      const event = there === null ? null : eventFromText(there.string());
      if (isAnotherEvent(mark, event?.eventId ?? null)) return this.#restarted(oldest);
    }
    return null;
  }

  #restarted(oldest: number): Lost {
    this.#letGo();
    return { outcome: "lost", why: "restarted", oldest };
  }

  /** Opens a reader behind `after`. */
  async #open(session: NatsSession, after: number): Promise<void> {
    this.#letGo();
    this.#life = this.#link.life;
    const place = { stream: this.#stream, name: this.#consumer, after };
    this.#reader = await StreamReader.open({ clock: this.#clock, session }, place);
  }

  #letGo(): void {
    this.#reader?.close();
    this.#reader = null;
  }
}
