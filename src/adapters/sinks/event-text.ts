/**
 * A control event as the text that a feed keeps, in either format, and back. A reader takes both formats, so that
 * `outbox.format` can change while a feed stands. A feed may hold what others wrote: anything that is no whole event reads
 * as null.
 */
import Type from "typebox";
import { Check } from "typebox/value";
import type { Json } from "../../core/canonical-json.ts";
import { type ControlEvent, requireControlEvent } from "../../core/control-event.ts";
import { ChangeoverError } from "../../core/errors.ts";
import type { Published, PublishFailure, PublishResult } from "../../ports/feed-sink.ts";

/** How events are written: with the names of this API, or flat, in snake case, for other readers of control events. */
export type FeedFormat = "changeover" | "flat";

/** Longest text of an event that a sink takes, in UTF-8 bytes; larger things are artifacts. */
export const MAX_EVENT_BYTES = 1_000_000;

/** A page of a feed ends behind the event that makes it larger than this, in bytes. */
export const MAX_PAGE_BYTES = 4_000_000;

const Version = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const EventShape = Type.Object({
  eventId: Type.String(),
  eventType: Type.String(),
  tenantId: Type.String(),
  stackId: Type.String(),
  version: Version,
  baseVersion: Version,
  artifactRef: Type.Optional(Type.String()),
  checksum: Type.Optional(Type.String()),
  payload: Type.Unsafe<Json>({}),
});

/** The text of `event`, or null for one that is larger than a feed takes. */
export function eventToText(event: ControlEvent, format: FeedFormat = "changeover"): string | null {
  const text = JSON.stringify(format === "flat" ? flattened(event) : event);
  return Buffer.byteLength(text) > MAX_EVENT_BYTES ? null : text;
}

/** The event in the flat format, without its `control_version`, which only the feed knows. */
export function flattened(event: ControlEvent): Readonly<Record<string, Json>> {
  const { eventId, eventType, tenantId, stackId, version, baseVersion, artifactRef, checksum, payload } = event;
  return {
    event_id: eventId,
    type: eventType,
    tenant_id: tenantId,
    stack_id: stackId,
    version,
    base_version: baseVersion,
    ...(artifactRef === undefined ? {} : { artifact_ref: artifactRef }),
    ...(checksum === undefined ? {} : { checksum }),
    payload,
  };
}

/** The event of a text; null for anything else. */
export function eventFromText(text: string): ControlEvent | null {
  try {
    return eventFromJson(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The event of a parsed text of either format; null for anything else. */
export function eventFromJson(value: unknown): ControlEvent | null {
  const event = isFlat(value) ? unflattened(value) : value;
  if (!Check(EventShape, event)) return null;
  try {
    requireControlEvent(event);
    return event;
  } catch {
    return null;
  }
}

/** Whether a parsed text is in the flat format. */
export function isFlat(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && "event_id" in value;
}

function unflattened(flat: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { event_id, type, tenant_id, stack_id, version, base_version, artifact_ref, checksum, payload } = flat;
  return {
    ...{ eventId: event_id, eventType: type, tenantId: tenant_id, stackId: stack_id, version, payload },
    baseVersion: base_version,
    ...(artifact_ref === undefined ? {} : { artifactRef: artifact_ref }),
    ...(checksum === undefined ? {} : { checksum }),
  };
}

// The name under which a feed shows one of its readers.

/** `consumer` as a name that every feed takes. Throws `invalid_configuration` for an empty or too long one. */
export function consumerName(consumer: string): string {
  const name = safeName(consumer);
  if (name !== null) return name;
  throw new ChangeoverError("invalid_configuration", "consumer: a name of 1 to 200 characters is needed", {
    details: { field: "consumer", value: consumer.slice(0, 200), bound: "1 to 200 characters" },
  });
}

// Any text as a name that means nothing to a file system and nothing to NATS, or as a header of NATS. Two texts never
// get the same name; no name is a path, a wildcard or a hidden file.

/** Longest name: file systems stop at 255 bytes, and a suffix must find room. */
const MAX_NAME_CHARS = 200;
export const MAX_HEADER_CHARS = 500;

/** `text` with all but letters, digits, `_` and `-` as `%XX` of its UTF-8 bytes; null for an empty or too long one. */
export function safeName(text: string): string | null {
  const name = text.isWellFormed() ? text.replace(/[^A-Za-z0-9_-]/gu, escaped) : "";
  return name === "" || name.length > MAX_NAME_CHARS ? null : name;
}

/** As `safeName`, and dots stand, except at the start, where a dot would hide the file. */
export function dottedName(text: string): string | null {
  const name = text.isWellFormed() ? text.replace(/^\.|[^A-Za-z0-9_.-]/gu, escaped) : "";
  return name === "" || name.length > MAX_NAME_CHARS ? null : name;
}

/** `text` as the value of a header: as it stands, but for blanks, `%` and what is no printable ASCII; null for a too long one. */
export function headerText(text: string): string | null {
  const value = text.isWellFormed() ? text.replace(/[^!-$&-~]/gu, escaped) : "";
  return value === "" || value.length > MAX_HEADER_CHARS ? null : value;
}

function escaped(character: string): string {
  return Buffer.from(character).toString("hex").toUpperCase().replace(/../g, "%$&");
}

// The answers of a sink, put together in one way.

/** The batch ended before its end. */
export function failed(
  published: readonly Published[],
  reason: PublishFailure["reason"],
  error: unknown,
): PublishResult {
  return { published, failure: { reason, error } };
}

/** The feed was started over: it has another name than the one that was published to. */
export function feedLost(expected: string, found: string): PublishResult {
  const message = `the feed was started over: it is ${found}, published was to ${expected}; run changeover outbox resync`;
  return failed([], "lost", new ChangeoverError("feed_lost", message, { details: { expected, found } }));
}

/** The feed ends before what it had given: a copy of an earlier time stands in its place. */
export function feedOutdated(feedId: string, reached: number): PublishResult {
  const message = `the feed ${feedId} is an older copy: published was through ${reached}, which it does not have; run changeover outbox resync`;
  return failed([], "lost", new ChangeoverError("feed_lost", message, { details: { feedId, reached } }));
}

/** Nobody can be asked any more. */
export function sinkClosed(): ChangeoverError {
  return new ChangeoverError("stopped", "the sink is closed");
}

/** This event will never be taken as it is. */
export function notTaken(event: ControlEvent, why: string): ChangeoverError {
  return new ChangeoverError("invalid_event", `the feed does not take this event: ${why}`, {
    details: { eventId: event.eventId.slice(0, 200), why },
  });
}
