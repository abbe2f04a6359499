/**
 * Purpose: a control event as the text that every feed keeps, and back.
 * Keeps true: what comes back is a whole event, or it is said that it is none: a feed may hold what others wrote.
 */
import Type from "typebox";
import { Check } from "typebox/value";
import type { Json } from "../../core/canonical-json.ts";
import { type ControlEvent, requireControlEvent } from "../../core/control-event.ts";

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
export function eventToText(event: ControlEvent): string | null {
  const text = JSON.stringify(event);
  return Buffer.byteLength(text) > MAX_EVENT_BYTES ? null : text;
}

/** The event of a text; null for anything else. */
export function eventFromText(text: string): ControlEvent | null {
  try {
    return eventFromJson(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The event of a parsed text; null for anything else. */
export function eventFromJson(value: unknown): ControlEvent | null {
  if (!Check(EventShape, value)) return null;
  try {
    requireControlEvent(value);
    return value;
  } catch {
    return null;
  }
}
