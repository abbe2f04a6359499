/** A state as engines have it, of a given size: many small records in maps and lists, with texts and numbers. */
import type { Json } from "../../src/core/canonical-json.ts";

/** Characters of JSON that one record of the sample is long. */
const RECORD_CHARS = 190;

/** @param megabytes length of its JSON text, 10⁶ characters */
export function sampleState(megabytes: number): Json {
  const records: Record<string, Json> = {};
  const count = Math.ceil((megabytes * 1_000_000) / RECORD_CHARS);
  for (let index = 0; index < count; index += 1) {
    records[`layer-${String(index).padStart(7, "0")}`] = {
      template: "lower-third",
      text: `Guest number ${index}, speaking from the studio`,
      visible: index % 3 === 0,
      opacity: index / 7,
      keys: [index, index * 2, { easing: "linear", at: index * 40 }],
    };
  }
  return { records };
}
