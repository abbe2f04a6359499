/**
 * Reads a message of the stream that somebody else made: the peer, the engine that a command asks, a recorded run.
 * Whatever answers at the peer's address may send anything. Such a message must not end the process that only wanted to
 * show it, so everything that the visualiser computes with is checked here.
 *
 * The checks are written by hand, because the page reads recorded runs too: its content policy forbids the code that a
 * compiled schema needs. They run in Node and in the browser.
 */
import { isWithinDepth } from "../core/canonical-json.ts";
import { isReachable } from "../core/epoch.ts";
import type { StreamMessage } from "./inspected.ts";

/** Characters of a run's name, of a statechart's and of an event's. */
const MAX_NAME_CHARS = 256;

/** The message in `text`; null: it is none. */
export function parseMessage(text: string): StreamMessage | null {
  try {
    return readMessage(JSON.parse(text));
  } catch {
    return null;
  }
}

/** `value` as a message of the stream; null: it is none. Never throws. Fields of a later version are ignored. */
export function readMessage(value: unknown): StreamMessage | null {
  if (!isObject(value) || !isWithinDepth(value)) return null;
  if (value["engine"] !== "a" && value["engine"] !== "b") return null;
  return isWhole(value) ? (value as unknown as StreamMessage) : null;
}

function isWhole(message: Fields): boolean {
  switch (message["type"]) {
    case "hello":
      return isName(message["run"]) && isReachable(message["seq"]) && isObject(message["values"]) && hasEvents(message);
    case "events":
      return hasEvents(message);
    case "snapshot":
      return isReachable(message["seq"]) && isReachable(message["missed"]) && isObject(message["values"]);
    case "state":
      return Number.isFinite(message["atUnixMs"]) && isObject(message["state"]);
    case "gone":
      return true;
    default:
      return false;
  }
}

function hasEvents({ events }: Fields): boolean {
  return Array.isArray(events) && events.every(isInspected);
}

function isInspected(event: unknown): boolean {
  if (!isObject(event)) return false;
  const { seq, atUnixMs, machine, type, event: name, to } = event;
  return (
    isReachable(seq) && Number.isFinite(atUnixMs) && [machine, type, name].every(isName) && isObjectOrName(to ?? null)
  );
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_NAME_CHARS;
}

/** What XState gives as a state value; null where it has none. */
function isObjectOrName(value: unknown): boolean {
  return value === null || isName(value) || isObject(value);
}
