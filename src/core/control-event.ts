/**
 * What a change is to those outside: one event of the feed, in the order of its stack.
 * An event that has an identity, a type and a payload, or none is made.
 * Source: the outbox of `docs/decisions`; the field names are those of the control feed that downstream systems read.
 */
import type { Json } from "./canonical-json.ts";
import { ChangeoverError } from "./errors.ts";

/** The stack of commands: what the pair's log orders. */
export const PROGRAMME = "programme";

/** What goes out in the place of an event that a person gave up: it changes nothing but its stack's version. */
export const SKIPPED = "event.skipped";

/** One event of the feed. Identity: `eventId`; place: `version` within (`tenantId`, `stackId`). */
export interface ControlEvent {
  /** Made from the identity of the change, so that both engines of a pair give it the same. */
  readonly eventId: string;
  /** `noun.verb`, as `command.accepted`. */
  readonly eventType: string;
  /** Whose it is: the pair's name. */
  readonly tenantId: string;
  /** What is ordered by itself: events of one stack are published and applied first in, first out. */
  readonly stackId: string;
  /** The version of the stack that this event makes. */
  readonly version: number;
  /** The version it was made upon; 0 when it stands upon any. */
  readonly baseVersion: number;
  /** Name of the artifact that belongs to it in the artifact store. */
  readonly artifactRef?: string;
  /** sha256 (hex) of the artifact's bytes. */
  readonly checksum?: string;
  readonly payload: Json;
}

/** Through here a stack has been published, whichever engine did it. */
export interface StackMark {
  readonly stackId: string;
  readonly version: number;
  readonly eventId: string;
  /** The feed's own number of that event. */
  readonly controlVersion: number;
}

/**
 * Throws `invalid_event` naming the field: identity, type and payload are needed, whole versions, and a checksum with an
 * artifact. Programs without types call this too.
 */
export function requireControlEvent(event: ControlEvent): void {
  const given: Readonly<Record<string, unknown>> = { ...event };
  const missing = ["eventId", "eventType", "tenantId", "stackId"].find((name) => !isText(given[name]));
  if (missing !== undefined) throw refused(event, missing, "is empty, must be a text");
  const broken = ["version", "baseVersion"].find((name) => !isCount(given[name]));
  if (broken !== undefined) throw refused(event, broken, `is ${String(given[broken])}, must be a whole number from 0`);
  if ([undefined, null, ""].includes(given["payload"] as null)) throw refused(event, "payload", "is empty");
  if (event.artifactRef !== undefined && (event.checksum ?? "") === "") {
    throw refused(event, "checksum", "is needed with artifactRef");
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function refused(event: ControlEvent, field: string, why: string): ChangeoverError {
  return new ChangeoverError("invalid_event", `${field} ${why}`, { details: { eventId: event.eventId, field } });
}
