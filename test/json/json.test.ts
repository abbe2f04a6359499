/** The strict reader of JSON, at once and in slices, against `JSON.parse`. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Json, MAX_DEPTH } from "../../src/core/canonical-json.ts";
import { JsonFault } from "../../src/json/fault.ts";
import { jsonPieces } from "../../src/json/pieces.ts";
import { parseJson, parseJsonPatiently } from "../../src/json/read.ts";

const soon = (fn: () => void): void => void setImmediate(fn);
const bytes = (text: string): Buffer => Buffer.from(text, "utf8");

/** Reads with slices so small that nearly every container is put together by hand. */
async function readBothWays(text: string, sliceBytes: number): Promise<Json> {
  const whole = parseJson(bytes(text));
  const sliced = await parseJsonPatiently(bytes(text), soon, { sliceBytes });
  expect(sliced).toEqual(whole);
  return sliced;
}

async function faultsBothWays(text: string | Buffer): Promise<void> {
  const given = typeof text === "string" ? bytes(text) : text;
  expect(() => parseJson(given)).toThrow(JsonFault);
  for (const sliceBytes of [1, 3, 16])
    await expect(parseJsonPatiently(given, soon, { sliceBytes })).rejects.toThrow(JsonFault);
}

/** Values that both engines read alike: no `__proto__`, well-formed strings, finite numbers. */
const value = fc
  .jsonValue({ maxDepth: 6 })
  .filter((json) => !JSON.stringify(json).includes("__proto__") && wellFormed(json));

function wellFormed(json: unknown): boolean {
  return JSON.stringify(json).isWellFormed() && !/\\ud[89a-f]/i.test(JSON.stringify(json));
}

const spaces = fc.constantFrom(0, 1, 2, "\t", " \n\r ".slice(0, 3));

describe("JSON, read strictly", () => {
  it("gives what JSON.parse gives, whatever the slices", async () => {
    await fc.assert(
      fc.asyncProperty(value, spaces, fc.integer({ min: 1, max: 64 }), async (json, space, sliceBytes) => {
        const text = JSON.stringify(json, null, space);
        expect(await readBothWays(text, sliceBytes)).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  it("refuses what JSON.parse refuses, and nothing that it accepts but what is named", async () => {
    const alphabet = [...'[]{},:"\\0e-.1 \n', "true", "null", '"a"', '"b":', "[1,2]", '{"a":1}', ","];
    const soup = fc.array(fc.constantFrom(...alphabet), { maxLength: 24 }).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(soup, fc.integer({ min: 1, max: 8 }), async (text, sliceBytes) => {
        const expected = outcomeOf(() => JSON.parse(text) as Json);
        const given = outcomeOf(() => parseJson(bytes(text)));
        const sliced = await parseJsonPatiently(bytes(text), soon, { sliceBytes }).catch(() => undefined);
        expect(sliced).toEqual(given);
        if (given === undefined && expected !== undefined) expect(text).toMatch(/"a".*"a"|"b".*"b"|e\d|""|-0|\\/s);
        else expect(given).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("JSON, refused", () => {
  it.each([
    "",
    " ",
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    '{"a":1,}',
    '{,"a":1}',
    "[1]]",
    "[1][2]",
    "[1}",
    '{"a":[1,2}]',
    "[[1,2] [3,4]]",
    '[{"a":[1,2]} {"b":1}]',
    "[1 2,3]",
    '{"a":[1,2] "b":1}',
    '{"a" [1,2,3]}',
    '{[1,2,3]:"a"}',
    '{"a":1,2:[3,4]}',
    "[x[1,2,3]]",
    "[1,2]x",
    "x[1,2]",
    '["a',
    '["a\\"]',
    "[1,2],",
    ",",
    ":",
    "]",
    '[1,"a":2]',
    "nul",
  ])("refuses %j", faultsBothWays);

  it.each([
    '{"a":1,"a":1}',
    '{"a":{"b":1,"b":2}}',
    '[{"a":1},{"b":[1,2],"c":3,"b":4}]',
    '{"a":[1,2,3],"b":1,"a":[4]}',
    '{"a":[1,2,3],"\\u0061":1}',
    '{"__proto__":{"x":1}}',
    '[1,2,{"a":{"__proto__":[1,2,3]}}]',
    "[1e999]",
    '["\\ud800"]',
    '{"\\udc00":1}',
    "[".repeat(MAX_DEPTH + 1) + "]".repeat(MAX_DEPTH + 1),
  ])("refuses what two engines could read differently: %j", faultsBothWays);
});

it("takes any name in the state of an engine, as a name and nothing more, and a state as deep as one may be", async () => {
  const text = '[{"a":{"__proto__":[1,2,3],"b":1}},{"__proto__":{"x":[1,2]}}]';
  for (const sliceBytes of [1, 4, 1_000]) {
    const read = await parseJsonPatiently(bytes(text), soon, { sliceBytes, source: "engine" });
    expect(JSON.stringify(read)).toBe(text);
    expect((read as readonly object[]).map((one) => "x" in one)).toEqual([false, false]);
  }
  expect(JSON.stringify(parseJson(bytes(text), "engine"))).toBe(text);
  const deepest = `{"snapshot":{"state":${"[".repeat(MAX_DEPTH)}${"]".repeat(MAX_DEPTH)}}}`;
  expect(JSON.stringify(parseJson(bytes(deepest), "engine"))).toBe(deepest);
  expect(() => parseJson(bytes(`[[[[[${deepest}]]]]]`), "engine")).toThrow("nested deeper");
  expect(() => parseJson(bytes('{"__proto__":1,"__proto__":2}'), "engine")).toThrow("repeats a key");
});

describe("JSON at the edges", () => {
  it("refuses bytes that are not UTF-8, and a text cut within a character", async () => {
    await faultsBothWays(Buffer.from([0x5b, 0x22, 0xc3, 0x28, 0x22, 0x5d]));
    await faultsBothWays(bytes('["ö"]').subarray(0, 3));
  });

  it("reads the deepest nesting that is allowed", async () => {
    const text = `${"[".repeat(MAX_DEPTH)}1,2${"]".repeat(MAX_DEPTH)}`;
    expect(await readBothWays(text, 1)).toEqual(JSON.parse(text));
  });

  it("never shows the text in a fault", () => {
    const message = (() => {
      try {
        parseJson(bytes('{"password":"hunter2", oops}'));
        return "";
      } catch (error) {
        return String(error);
      }
    })();
    expect(message).toContain("not JSON");
    expect(message).not.toContain("hunter2");
  });

  it("lets others have their turn while it reads a large text", async () => {
    const large = bytes(JSON.stringify(Array.from({ length: 20_000 }, (_, n) => ({ n, name: `source ${n}` }))));
    let turns = 0;
    await parseJsonPatiently(large, (fn) => {
      turns += 1;
      setImmediate(fn);
    });
    expect(turns).toBeGreaterThan(5);
  });
});

describe("JSON, written in pieces", () => {
  it("is what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (json) => {
        expect([...jsonPieces(json as Json)].join("")).toBe(JSON.stringify(json));
      }),
    );
  });

  it("is in many pieces when it is large, whatever makes it large", () => {
    const wide: Json = Array.from({ length: 50_000 }, (_, n) => ({ n, on: n % 2 === 0 }));
    const dictionary: Json = Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`key ${n}`, [n, null]]));
    const nested: Json = { a: { b: { c: wide } }, d: dictionary, e: "x".repeat(100_000), f: [], g: {} };
    for (const json of [wide, dictionary, nested]) {
      const pieces = [...jsonPieces(json)];
      expect(pieces.join("")).toBe(JSON.stringify(json));
      expect(pieces.length).toBeGreaterThan(20);
    }
  });
});

function outcomeOf(read: () => Json): Json | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
