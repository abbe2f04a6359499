/**
 * The stream that holds the feed, and the subject of a stack in it.
 * A stream that is there stays as its people made it; one that is missing is made with every setting named.
 */
import { randomUUID } from "node:crypto";
import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { ControlEvent } from "../../core/control-event.ts";
import { ChangeoverError } from "../../core/errors.ts";
import { MAX_EVENT_BYTES, safeName, eventFromText, MAX_PAGE_BYTES } from "./event-text.ts";
import { isNotFound, type NatsSession } from "../nats/link.ts";
import type { Clock } from "../../ports/basics.ts";
import type { FeedEntry } from "../../ports/feed-sink.ts";

/** How a missing stream is made. */
export interface FeedStreamInit {
  /** Name of the stream: letters, digits, `_` and `-`. */
  readonly stream: string;
  /** What every subject begins with. Default: the name of the stream, or what a standing stream takes. */
  readonly subjectPrefix?: string | undefined;
  /** Copies in a cluster of NATS. Default 1. */
  readonly replicas?: number | undefined;
  /** Where the stream is kept. Default `file`. */
  readonly storage?: "file" | "memory" | undefined;
  /** How long an event is kept, ms. Default 30 days. */
  readonly maxAgeMs?: number;
  /** How many bytes are kept, the oldest go first; the server sets them aside at once. Default 1 GiB. */
  readonly maxBytes?: number;
  /** How long a double is recognised by the server, ms. Default 1 hour. */
  readonly duplicateWindowMs?: number;
}

/** What the subjects of every stream began with before each had its own. */
const OLDER_PREFIX = "changeover";
const DAY_MS = 86_400_000;
export const DEFAULTS = {
  replicas: 1,
  maxAgeMs: 30 * DAY_MS,
  maxBytes: 1_073_741_824,
  duplicateWindowMs: 3_600_000,
};

/** `prefix.tenant.stack`; null for ids that are too long. */
export function subjectOf(prefix: string, { tenantId, stackId }: ControlEvent): string | null {
  const tenant = safeName(tenantId);
  const stack = safeName(stackId);
  return tenant === null || stack === null ? null : `${prefix}.${tenant}.${stack}`;
}

/** The key in the stream's metadata under which it keeps the identity of the feed. */
const FEED_ID = "changeover-feed-id";

/**
 * The feed that a stream holds: the name in its metadata. A stream without one (made by a person, by an older version, or
 * on a server before 2.10) is known by the time it was made, which stays with it and is another for another stream.
 */
export function feedIdOf({ config, created }: StreamInfo): string {
  return config.metadata?.[FEED_ID] ?? `feed_${created}`;
}

/** A stream that can be published to. */
export interface FeedStream {
  readonly feedId: string;
  readonly subjectPrefix: string;
  /** The highest of its sequences that is known. */
  readonly reached: number;
}

/** Makes the stream where it is missing. Two that make it at once make the same. */
export async function ensureStream(
  session: Pick<NatsSession, "manager" | "connection">,
  init: FeedStreamInit,
): Promise<FeedStream> {
  const info = await standingOrMade(session, init);
  const subjectPrefix = prefixIn(info.config.subjects ?? [], init);
  return { feedId: feedIdOf(info), subjectPrefix, reached: info.state.last_seq };
}

/** What the subjects of this feed begin with. Throws where the standing stream would not take them. */
function prefixIn(subjects: readonly string[], { stream, subjectPrefix }: FeedStreamInit): string {
  // Streams of older versions take `changeover.>`, whatever their name is.
  const wanted = subjectPrefix === undefined ? [stream, OLDER_PREFIX] : [subjectPrefix];
  const found = wanted.find((prefix) => subjects.includes(`${prefix}.>`));
  if (found !== undefined) return found;
  const [first = stream] = wanted;
  if (subjects.includes(">")) return first;
  throw new ChangeoverError(
    "invalid_configuration",
    `outbox.subject: stream ${stream} does not take ${first}.>, but ${subjects.join(", ")}; name its subject or another stream`,
    { details: { field: "outbox.subject", value: first, bound: subjects.join(", ") } },
  );
}

function knowsMetadata(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 2 || (major === 2 && minor >= 10);
}

async function standingOrMade(
  { manager, connection }: Pick<NatsSession, "manager" | "connection">,
  init: FeedStreamInit,
): Promise<StreamInfo> {
  try {
    return await manager.streams.info(init.stream);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const settings = { ...DEFAULTS, ...init };
    const version = connection.info?.version ?? "0";
    const settled = {
      name: init.stream,
      subjects: [`${init.subjectPrefix ?? init.stream}.>`],
      retention: RetentionPolicy.Limits,
      storage: init.storage === "memory" ? StorageType.Memory : StorageType.File,
      discard: DiscardPolicy.Old,
      num_replicas: init.replicas ?? DEFAULTS.replicas,
      max_age: nanos(settings.maxAgeMs),
      max_bytes: settings.maxBytes,
      max_msg_size: 2 * MAX_EVENT_BYTES,
      duplicate_window: nanos(Math.min(settings.duplicateWindowMs, settings.maxAgeMs)),
    };
    const metadata = { [FEED_ID]: `feed_${randomUUID()}` };
    // The client itself refuses metadata for a server before 2.10, before it sends anything.
    if (!knowsMetadata(version)) return manager.streams.add(settled);
    return manager.streams.add({ ...settled, metadata }).catch(async (made: unknown) => {
      // Another publisher made it first, with its own name.
      const standing = await manager.streams.info(init.stream).catch(() => null);
      if (standing === null) throw made;
      return standing;
    });
  }
}

/** The stream sequence of the last event of a subject; 0 for none. */
export async function lastSequence(manager: JetStreamManager, stream: string, subject: string): Promise<number> {
  try {
    const last = await manager.streams.getMessage(stream, { last_by_subj: subject });
    return last?.seq ?? 0;
  } catch (error) {
    if (isNotFound(error)) return 0;
    throw error;
  }
}

// A durable consumer of JetStream, put at one place of the stream, and what it delivers from there. Entries come in
// order and without a gap. The consumer is made again wherever reading begins, because a redelivery to one that was left
// behind would come out of order; the server numbers what it delivers, so that a message that got lost on the way
// shows, and ends this reader.

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

  /** Makes the consumer `name` again, to deliver what stands behind `after`. */
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
