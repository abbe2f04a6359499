/**
 * Purpose: reads a feed that is a stream of NATS JetStream.
 * Keeps true: it reads on where the caller's cursor is, not where the server thinks that this consumer is: only the cursor
 * was written together with the data.
 */
import type { Clock } from "../../ports/clock.ts";
import type { FeedRead, FeedSource } from "../../ports/feed-source.ts";
import { consumerName } from "./consumer-name.ts";
import { NatsLink, type NatsLinkInit, type NatsSession } from "./jetstream/link.ts";
import { StreamReader } from "./jetstream/reader.ts";

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

  /** Connects when it is first read. Throws `invalid_configuration` for a URL or a name of no known form. */
  constructor({ clock }: { readonly clock: Clock }, init: JetStreamSourceInit) {
    this.#clock = clock;
    this.#consumer = consumerName(init.consumer);
    this.#link = new NatsLink(init);
    this.#stream = init.stream;
  }

  async read(after: number, limit: number): Promise<FeedRead> {
    try {
      const session = await this.#link.session();
      if (this.#reader?.position !== after || this.#life !== this.#link.life) {
        const lost = await this.#moveTo(session, after);
        if (lost !== null) return lost;
      }
      return { outcome: "read", entries: (await this.#reader?.take(limit)) ?? [] };
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

  /** Opens a reader behind `after`; says so when the stream has nothing that could follow. */
  async #moveTo(session: NatsSession, after: number): Promise<Extract<FeedRead, { outcome: "lost" }> | null> {
    this.#letGo();
    this.#life = this.#link.life;
    const { state } = await session.manager.streams.info(this.#stream);
    const oldest = state.first_seq;
    if (state.last_seq < after) return { outcome: "lost", why: "restarted", oldest };
    if (after > 0 && oldest > after + 1) return { outcome: "lost", why: "trimmed", oldest };
    const place = { stream: this.#stream, name: this.#consumer, after };
    this.#reader = await StreamReader.open({ clock: this.#clock, session }, place);
    return null;
  }

  #letGo(): void {
    this.#reader?.close();
    this.#reader = null;
  }
}
