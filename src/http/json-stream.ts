/** Purpose: a large value as the body of an answer, written in pieces so that it does not hold up heartbeats. */
import { Readable } from "node:stream";
import type { Json } from "../core/canonical-json.ts";
import { jsonPieces } from "../json/pieces.ts";
import type { Clock } from "../ports/clock.ts";

/** The JSON text of `value` as a stream that lets others have their turn after every piece. */
export function jsonStream(value: Json, soon: Clock["soon"]): Readable {
  return Readable.from(patientPieces(value, soon), { objectMode: false });
}

async function* patientPieces(value: Json, soon: Clock["soon"]): AsyncGenerator<string, void, undefined> {
  for (const piece of jsonPieces(value)) {
    yield piece;
    await new Promise<void>((resolve) => soon(resolve));
  }
}
