/**
 * What an engine in another process says of itself, in `/health` and in the lines of its lifeline [EN2, EN9]. Every field is
 * optional. A field of the wrong type is left out and named, so that one bad field does not hide the others.
 */
import { isWithinDepth, type Json, MAX_DEPTH } from "../core/canonical-json.ts";
import type { LogPosition } from "../core/command.ts";
import type { EngineHealth } from "../ports/engine.ts";

export interface EngineReport {
  readonly status: EngineHealth | null;
  readonly programSource: string | null;
  readonly position: LogPosition | null;
  readonly instance: string | null;
}

/** What was understood, and what was wrong; null: nothing. */
export interface ReadReport {
  readonly report: EngineReport | null;
  readonly fault: string | null;
}

/** It travels in every heartbeat. */
const MAX_SOURCE_CHARS = 4_096;
const MAX_INSTANCE_CHARS = 4_096;
const MAX_SHOWN_CHARS = 60;

/** Reads a report from text that must be a JSON object. */
export function parseReport(text: string): ReadReport {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { report: null, fault: `${shown(text)} is not JSON` };
  }
  return value === null ? { report: null, fault: "null is not a JSON object" } : readReport(value as Json);
}

/** Reads a report from a JSON value; null, as an empty body is read, says nothing. */
export function readReport(body: Json): ReadReport {
  if (body === null) return { report: null, fault: null };
  if (typeof body !== "object" || Array.isArray(body))
    return { report: null, fault: `${shown(body)} is not a JSON object` };
  const given = body as Readonly<Record<string, Json>>;
  const { status, programSource, position, instance } = given;
  const faults = [
    wrong("status", status, isStatus, '"ok", "degraded" or "failed"'),
    wrong("programSource", programSource, isSource, `a string of at most ${MAX_SOURCE_CHARS} characters`),
    wrong("position", position, isPosition, "{epoch, seq} of whole numbers from 0"),
    wrong("instance", instance, isInstance, `a string of 1 to ${MAX_INSTANCE_CHARS} characters`),
  ].filter((fault) => fault !== null);
  const report = {
    status: isStatus(status) ? status : null,
    programSource: isSource(programSource) ? programSource : null,
    position: isPosition(position) ? { epoch: position.epoch, seq: position.seq } : null,
    instance: isInstance(instance) ? instance : null,
  };
  return { report, fault: faults.length === 0 ? null : faults.join("; ") };
}

function wrong(field: string, value: unknown, is: (value: unknown) => boolean, must: string): string | null {
  return value === undefined || value === null || is(value) ? null : `${field} is ${shown(value)}, must be ${must}`;
}

function isStatus(value: unknown): value is EngineHealth {
  return value === "ok" || value === "degraded" || value === "failed";
}

function isSource(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_SOURCE_CHARS && value.isWellFormed();
}

function isInstance(value: unknown): value is string {
  return typeof value === "string" && value.length >= 1 && value.length <= MAX_INSTANCE_CHARS && value.isWellFormed();
}

function isPosition(value: unknown): value is LogPosition {
  if (typeof value !== "object" || value === null) return false;
  const { epoch, seq } = value as Partial<LogPosition>;
  return isCount(epoch) && isCount(seq);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A value in few characters, for people. */
export function shown(value: unknown): string {
  if (!isWithinDepth(value)) return `a value nested deeper than ${MAX_DEPTH}`;
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= MAX_SHOWN_CHARS ? text : `${text.slice(0, MAX_SHOWN_CHARS)}…`;
}
