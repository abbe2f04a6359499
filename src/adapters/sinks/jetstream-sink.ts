/**
 * The feed as a stream of NATS JetStream; the stream's sequence is the control version.
 * The order of a stack, whatever fails in the middle. A batch goes out without waiting for each answer, as a
 * chain: its first event names the last sequence of its subject that is known here, every further one the id of the event
 * before it, and the server takes none whose condition does not hold. (A chain of foretold sequences would not do: with
 * one foreign message in between, an event can be taken where the one before it was not.) A double is answered with its
 * first sequence, because of `Nats-Msg-Id`, and breaks the chain: what is behind it is sent again.
 * It does not know who else publishes. Those who do make the condition fail: the last sequence is read again, a few times.
 */
import type { PubAck } from "@nats-io/jetstream";
import type { ControlEvent } from "../../core/control-event.ts";
import type { FeedSink, Published, PublishResult } from "../../ports/feed-sink.ts";
import {
  eventToText,
  type FeedFormat,
  failed,
  feedLost,
  feedOutdated,
  notTaken,
  sinkClosed,
  headerText,
  MAX_HEADER_CHARS,
} from "./event-text.ts";
import { type Fault, faultOf, NatsLink, type NatsLinkInit, type NatsSession } from "../nats/link.ts";
import { ensureStream, type FeedStream, type FeedStreamInit, lastSequence, subjectOf } from "./jetstream.ts";

export interface JetStreamSinkInit extends NatsLinkInit, FeedStreamInit {
  /** Default `changeover`. Flat bodies lack `control_version`: it is the stream's sequence, which only the server knows. */
  readonly format?: FeedFormat;
}

/** Events that are sent before the first is answered, and the characters of their texts. */
const MAX_PIECE_EVENTS = 256;
const MAX_PIECE_CHARS = 4_000_000;
/** Headers count as payload: names, sequences, and two ids. */
const HEADER_BYTES = 2 * MAX_HEADER_CHARS + 1_000;
/** Times in a row that another publisher may be faster. */
const MAX_LOST_RACES = 3;
/** Stacks whose last sequence is remembered. */
const MAX_KNOWN_SUBJECTS = 10_000;

/** How the events of one piece ended, in their order. */
type Answer = { readonly ack: PubAck } | { readonly ack: null; readonly fault: Fault; readonly error: unknown };

export class JetStreamSink implements FeedSink {
  readonly #link: NatsLink;
  readonly #init: JetStreamSinkInit;
  /** The last sequence of each subject, the oldest known first. */
  readonly #last = new Map<string, number>();
  /** null: it must be looked at again. */
  #stream: FeedStream | null = null;
  /** The life of the connection in which all this was found. */
  #life = 0;
  #closed = false;

  /** Connects when there is something to publish. Throws `invalid_configuration` for a URL of no known form. */
  constructor(_components: object, init: JetStreamSinkInit) {
    this.#link = new NatsLink(init);
    this.#init = init;
  }

  async publish(batch: readonly ControlEvent[], feedId: string | null = null, reached = 0): Promise<PublishResult> {
    const published: Published[] = [];
    const [head] = batch;
    if (head === undefined) return { published, failure: null };
    let subject: string | null = null;
    try {
      if (this.#closed) return failed(published, "unavailable", sinkClosed());
      const { stream } = await this.#ready();
      if (feedId !== null && feedId !== stream.feedId) {
        this.#stream = null;
        return feedLost(feedId, stream.feedId);
      }
      if (feedId !== null && (await this.#reached(reached)) < reached) return feedOutdated(feedId, reached);
      subject = subjectOf(stream.subjectPrefix, head);
      if (subject === null) return failed(published, "refused", notTaken(head, "its stack's name is too long"));
      const result = await this.#publishAll(batch, subject, published);
      if (result.failure !== null) this.#forget(subject);
      return { ...result, feedId: stream.feedId };
    } catch (error) {
      if (subject !== null) this.#forget(subject);
      return failed(published, faultOf(error) === "refused" ? "refused" : "unavailable", error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#link.close();
  }

  async #publishAll(batch: readonly ControlEvent[], subject: string, published: Published[]): Promise<PublishResult> {
    let lostRaces = 0;
    while (published.length < batch.length) {
      if (this.#closed) return failed(published, "unavailable", sinkClosed());
      const { session } = await this.#ready();
      const limits = { maxBytes: session.connection.info?.max_payload ?? 0, format: this.#init.format };
      const parcels = nextParcels(batch, published.length, limits);
      const next = batch[published.length] as ControlEvent;
      if (parcels.length === 0) return failed(published, "refused", notTaken(next, "it, or its id, is too large"));
      const last = this.#last.get(subject) ?? (await lastSequence(session.manager, this.#init.stream, subject));
      const events = batch.slice(published.length, published.length + parcels.length);
      const answers = await Promise.all(this.#send(session, subject, last, parcels));
      const broken = this.#take(events, answers, subject, published);
      if (broken === null) continue;
      if (broken.fault !== "chain") return failed(published, broken.fault, broken.error);
      lostRaces = events[0] === batch[published.length] ? lostRaces + 1 : 0;
      if (lostRaces > MAX_LOST_RACES) return failed(published, "overtaken", broken.error);
    }
    return { published, failure: null };
  }

  async #ready(): Promise<{ readonly session: NatsSession; readonly stream: FeedStream }> {
    const session = await this.#link.session();
    // Behind a connection that broke, a server may have been restored.
    if (this.#life !== this.#link.life) {
      this.#life = this.#link.life;
      this.#last.clear();
      this.#stream = null;
    }
    const stream = (this.#stream ??= await ensureStream(session, this.#init));
    return { session, stream };
  }

  /** The last sequence of the stream, looked at again where what is known of it lies below `wanted`. */
  async #reached(wanted: number): Promise<number> {
    if (this.#stream !== null && this.#stream.reached < wanted) this.#stream = null;
    return (await this.#ready()).stream.reached;
  }

  /** What was known of the stream may be wrong: it is looked at again before the next event. */
  #forget(subject: string): void {
    this.#last.delete(subject);
    this.#stream = null;
  }

  /** All at once: what one connection sends in one turn, the stream gets in this order with nothing of ours between. */
  #send({ client }: NatsSession, subject: string, last: number, parcels: readonly Parcel[]): Promise<Answer>[] {
    return parcels.map(async ({ msgID, text }, at) => {
      const before = parcels[at - 1];
      const condition = before === undefined ? { lastSubjectSequence: last } : { lastMsgID: before.msgID };
      const expect = { streamName: this.#init.stream, ...condition };
      try {
        return { ack: await client.publish(subject, text, { msgID, expect }) };
      } catch (error) {
        return { ack: null, fault: faultOf(error), error };
      }
    });
  }

  /** Notes the first events of a piece that stand in the stream; returns how the one after them failed. */
  #take(
    events: readonly ControlEvent[],
    answers: readonly Answer[],
    subject: string,
    published: Published[],
  ): Extract<Answer, { ack: null }> | null {
    for (const [at, answer] of answers.entries()) {
      if (answer.ack === null) {
        this.#last.delete(subject);
        return answer;
      }
      const { seq, duplicate } = answer.ack;
      if (this.#stream !== null && seq > this.#stream.reached) this.#stream = { ...this.#stream, reached: seq };
      published.push({ eventId: (events[at] as ControlEvent).eventId, controlVersion: seq, duplicate });
      this.#remember(subject, duplicate ? null : seq);
    }
    return null;
  }

  /** The sequence of a double is not the last of its subject. */
  #remember(subject: string, seq: number | null): void {
    this.#last.delete(subject);
    if (seq === null) return;
    this.#last.set(subject, seq);
    const [oldest] = this.#last.keys();
    if (this.#last.size > MAX_KNOWN_SUBJECTS && oldest !== undefined) this.#last.delete(oldest);
  }
}

/** An event as it is sent: its text, and its id as a header. */
interface Parcel {
  readonly msgID: string;
  readonly text: string;
}

/** The parcels of as many events as go out together; none when the first is larger than NATS takes. */
function nextParcels(
  batch: readonly ControlEvent[],
  from: number,
  { maxBytes, format }: { readonly maxBytes: number; readonly format: FeedFormat | undefined },
): Parcel[] {
  const parcels: Parcel[] = [];
  let chars = 0;
  for (const event of batch.slice(from, from + MAX_PIECE_EVENTS)) {
    const text = eventToText(event, format);
    const msgID = headerText(event.eventId);
    if (text === null || msgID === null || (maxBytes > 0 && Buffer.byteLength(text) + HEADER_BYTES > maxBytes)) break;
    if (chars > 0 && chars + text.length > MAX_PIECE_CHARS) break;
    parcels.push({ msgID, text });
    chars += text.length;
  }
  return parcels;
}
