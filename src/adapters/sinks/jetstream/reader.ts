/**
 * Purpose: a durable consumer of JetStream, put at one place of the stream, and what it delivers from there.
 * Keeps true: entries come in order and without a gap. The consumer is made anew wherever reading begins, because a
 * redelivery to one that was left behind would come out of order; the server numbers what it delivers, so that a message
 * that got lost on the way shows, and ends this reader.
 * Does not know: why the next one is needed; whoever owns it opens another at its own cursor.
 */
import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JsMsg } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { Clock } from "../../../ports/clock.ts";
import type { FeedEntry } from "../../../ports/feed-source.ts";
import { eventFromText, MAX_PAGE_BYTES } from "../event-text.ts";
import { isNotFound } from "../../nats/faults.ts";
import type { NatsSession } from "../../nats/link.ts";

/** Messages that the server may send ahead; each may be as large as an event. */
const MAX_AHEAD = 64;
/** What was not acknowledged is sent again after so long; by then this reader has seen it, and drops it. */
const ACK_WAIT_MS = 3_600_000;
/** How long a read waits for the first entry, ms. */
const FIRST_WAIT_MS = 50;

/** What the next message is, or that none is there now. */
type Next = IteratorResult<JsMsg> | null;

export class StreamReader {
  readonly #clock: Clock;
  readonly #messages: ConsumerMessages;
  readonly #iterator: AsyncIterator<JsMsg>;
  #next: Promise<Next> | null = null;
  #page: readonly JsMsg[] = [];
  #position: number;
  #delivered = 0;
  #broken = false;

  private constructor(clock: Clock, messages: ConsumerMessages, after: number) {
    this.#clock = clock;
    this.#messages = messages;
    this.#iterator = messages[Symbol.asyncIterator]();
    this.#position = after;
  }

  /** Makes the consumer `name` anew, to deliver what stands behind `after`. */
  static async open(
    { clock, session }: { readonly clock: Clock; readonly session: NatsSession },
    { stream, name, after }: { readonly stream: string; readonly name: string; readonly after: number },
  ): Promise<StreamReader> {
    const { consumers } = session.manager;
    await consumers.delete(stream, name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    await consumers.add(stream, {
      durable_name: name,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: after + 1,
      ack_policy: AckPolicy.All,
      ack_wait: nanos(ACK_WAIT_MS),
      max_ack_pending: -1,
    });
    const consumer = await session.client.consumers.get(stream, name);
    const messages = await consumer.consume({ max_messages: MAX_AHEAD, abort_on_missing_resource: true });
    return new StreamReader(clock, messages, after);
  }

  /** The sequence behind which it reads on; null once something was lost on the way. */
  get position(): number | null {
    return this.#broken ? null : this.#position;
  }

  /** What is there, at most `limit` entries. Throws when the consumer is gone. */
  async take(limit: number): Promise<FeedEntry[]> {
    const entries: FeedEntry[] = [];
    const page: JsMsg[] = [];
    let bytes = 0;
    while (entries.length < limit && bytes < MAX_PAGE_BYTES) {
      const message = await this.#nextMessage(page.length === 0 ? FIRST_WAIT_MS : 0);
      if (message === null) break;
      page.push(message);
      if (message.seq <= this.#position) continue;
      this.#position = message.seq;
      bytes += message.data.length;
      entries.push({ controlVersion: message.seq, event: eventFromText(message.string()) });
    }
    if (page.length > 0) this.#page = page;
    return entries;
  }

  /** Acknowledges what the last page holds up to `through`, and with it all before. */
  acknowledge(through: number): void {
    this.#page.findLast(({ seq }) => seq <= through)?.ack();
  }

  /** Ends the delivery; the consumer stays, and shows how far it came. Waiting for more would wait for what nobody reads. */
  close(): void {
    this.#broken = true;
    this.#messages.stop();
  }

  /** The next message, or null when none comes in time, or not the one that follows. */
  async #nextMessage(waitMs: number): Promise<JsMsg | null> {
    this.#next ??= this.#iterator.next();
    const next = await this.#within(this.#next, waitMs);
    if (next === null) return null;
    this.#next = null;
    if (next.done === true) throw new Error("the consumer has ended");
    const message = next.value;
    this.#delivered += 1;
    if (message.info.deliverySequence === this.#delivered) return message;
    this.#broken = true;
    return null;
  }

  async #within(next: Promise<Next>, waitMs: number): Promise<Next> {
    let stop = (): void => undefined;
    const over = new Promise<null>((resolve) => {
      const timer = this.#clock.setTimeout(() => resolve(null), waitMs);
      stop = () => this.#clock.clearTimeout(timer);
    });
    return Promise.race([next, over]).finally(() => stop());
  }
}
