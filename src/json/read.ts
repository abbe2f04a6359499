/**
 * Reads JSON text strictly, and a large one in slices, so that a body of many megabytes does not hold up
 * heartbeats.
 * How: one pass over the bytes finds where elements begin and end; runs of whole elements go to `JSON.parse` together,
 * and containers larger than a slice are put together from theirs.
 * What is accepted is what `JSON.parse` accepts and gives the same value, except for what two engines could
 * read differently: repeated keys, numbers beyond a double, lone surrogates, bytes that are not UTF-8, and nesting deeper
 * than `MAX_DEPTH` are refused. So is the key `__proto__`, except in the state of an engine.
 */
import { isUtf8 } from "node:buffer";
import { type Json, MAX_DEPTH } from "../core/canonical-json.ts";
import type { Clock } from "../ports/basics.ts";
import { JsonFault, type Source } from "./fault.ts";
import { Assembly } from "./assembly.ts";

/** Bytes that are scanned and parsed before others have their turn: well below a millisecond of work. */
const SLICE_BYTES = 65_536;

/** Levels around a state in a snapshot, and in a transfer. */
const CARRIER_DEPTH = 4;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Reads `bytes` at once. Throws `JsonFault`. */
export function parseJson(bytes: Buffer, source: Source = "stranger"): Json {
  const steps = parseInSteps(bytes, Number.POSITIVE_INFINITY, source);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Reads `bytes` and lets others have their turn after every slice. Rejects with `JsonFault`. */
export async function parseJsonPatiently(
  bytes: Buffer,
  soon: Clock["soon"],
  { source = "stranger", sliceBytes = SLICE_BYTES }: { readonly source?: Source; readonly sliceBytes?: number } = {},
): Promise<Json> {
  const steps = parseInSteps(bytes, sliceBytes, source);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await new Promise<void>((resolve) => soon(resolve));
  }
}

function* parseInSteps(bytes: Buffer, sliceBytes: number, source: Source): Generator<void, Json, undefined> {
  if (!isUtf8(bytes)) throw new JsonFault("the body is not UTF-8");
  const assembly = new Assembly(bytes, source);
  const deepest = source === "engine" ? MAX_DEPTH + CARRIER_DEPTH : MAX_DEPTH;
  for (let at = 0; at < bytes.length; at += 1) {
    switch (bytes[at]) {
      case QUOTE:
        at = endOfString(bytes, at);
        break;
      case COLON:
        assembly.members += 1;
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (assembly.depth === deepest) throw new JsonFault(`nested deeper than ${deepest}`, at);
        assembly.enter(at, bytes[at] === OPEN_OBJECT);
        break;
      case COMMA:
        assembly.comma(at);
        if (at - assembly.sliceStart >= sliceBytes) {
          assembly.takeSlices();
          yield;
        }
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        assembly.leave(at, bytes[at] === CLOSE_OBJECT);
        break;
      case undefined:
      default:
    }
  }
  return assembly.finish();
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at += 1;
  }
  throw new JsonFault("a string without an end", start);
}
