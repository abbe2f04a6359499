/** RFC 8785: its own examples, and what must hold for every value. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, canonicalPieces, type Json, MAX_DEPTH } from "../../src/core/canonical-json.ts";

const values = fc.jsonValue({ maxDepth: 4 }).map((value) => value as Json);

/** The same value with the keys of every object in another order. */
function shuffled(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(shuffled);
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, item]) => [key, shuffled(item)]));
}

/** Keys that are told apart with care: like places of a list, inherited names, halves of a pair of surrogates. */
const keys = fc.constantFrom(
  "",
  "0",
  "1",
  "9",
  "10",
  "01",
  "__proto__",
  "toJSON",
  "\ud800",
  "\udc00",
  "\ud83d\ude00",
  "\ufb33",
);
const scalars = fc.constantFrom(null, true, -0, 1e21, 1e-7, 5e-324, Number.NaN, "\u0000\u2028", "\ud800", undefined);

/** Lists with holes, members that are undefined, objects without a prototype: more than the types let through. */
const { handedOver } = fc.letrec<{ handedOver: unknown }>((tie) => ({
  handedOver: fc.oneof(
    { maxDepth: 4 },
    scalars,
    fc
      .tuple(fc.array(tie("handedOver"), { maxLength: 3 }), fc.nat(4))
      .map(([items, length]) => Object.assign([...items], { length })),
    fc
      .tuple(
        fc.uniqueArray(fc.tuple(keys, tie("handedOver")), { maxLength: 4, selector: ([key]) => key }),
        fc.boolean(),
      )
      .map(([members, sorted]) =>
        Object.fromEntries(sorted ? members.sort(([one], [other]) => (one < other ? -1 : 1)) : members),
      ),
  ),
}));

function textOr(write: () => string): string {
  try {
    return write();
  } catch {
    return "refused";
  }
}

function nested(depth: number): Json {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

describe("the examples of RFC 8785", () => {
  it("3.2.2 and 3.2.3: white space, numbers, strings and the order of keys", () => {
    const given = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`) as Json;
    expect(canonicalJson(given)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
        String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it("3.2.3: keys by UTF-16 code units", () => {
    const given = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    expect(canonicalJson(given)).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis",' +
        '"\u20ac":"Euro Sign","\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
  });

  it.each([
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["ffefffffffffffff", "-1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4e", "999999999999999700000"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["41b3de4355555553", "333333333.3333332"],
    ["41b3de4355555554", "333333333.33333325"],
    ["41b3de4355555557", "333333333.33333343"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
    ["43143ff3c1cb0959", "1424953923781206.2"],
  ])("appendix B: the number of bits %s", (bits, text) => {
    expect(canonicalJson(Buffer.from(bits, "hex").readDoubleBE())).toBe(text);
  });
});

describe("canonical JSON", () => {
  it("is JSON of the same value, whatever the order of the keys", () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(shuffled(value))).toBe(text);
        expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
        expect([...canonicalPieces(value)].join("")).toBe(text);
      }),
    );
  });

  it("comes in pieces that make the whole and stay small", () => {
    const large: Json = Array.from({ length: 20_000 }, (_, index) => ({ input: index, name: `Camera ${index}` }));
    const pieces = [...canonicalPieces(large)];
    expect(pieces.join("")).toBe(canonicalJson(large));
    expect(pieces.length).toBeGreaterThan(20);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(20_000);
  });

  it("leaves out what is undefined, as JSON does", () => {
    expect(canonicalJson({ b: 1, a: undefined } as unknown as Json)).toBe('{"b":1}');
    expect(canonicalJson({})).toBe("{}");
    expect(canonicalJson([])).toBe("[]");
  });

  it.each([
    Number.NaN,
    Infinity,
    "\ud800",
    { "\udc00": 1 },
    [undefined],
    new Array(1),
    { a: [1, { b: "\ud800" }] },
    () => 1,
    1n,
  ])("refuses %s", (value) => {
    expect(() => canonicalJson(value as Json)).toThrow();
  });

  it.each([
    ["b", "a"],
    ["a", "b"],
    ["10", "9"],
  ])("puts members in order, at any depth and in lists: %s, %s", (one, other) => {
    const [first = "", last = ""] = [one, other].sort();
    const text = `{${JSON.stringify(first)}:1,${JSON.stringify(last)}:1}`;
    const value = { [one]: 1, [other]: 1 };
    expect(canonicalJson({ a: [[value]], b: value })).toBe(`{"a":[[${text}]],"b":${text}}`);
  });

  it("refuses what is nested deeper than any programme", () => {
    expect(canonicalJson(nested(MAX_DEPTH))).toHaveLength(2 * MAX_DEPTH + 1);
    expect(() => canonicalJson(nested(MAX_DEPTH + 1))).toThrow(expect.objectContaining({ code: "invalid_value" }));
  });
});

describe("what a program without types hands over", () => {
  it("is the same as in pieces for whatever a program may hand over: both are refused, or both give one text", () => {
    fc.assert(
      fc.property(handedOver, (value) => {
        expect(textOr(() => canonicalJson(value as Json))).toBe(
          textOr(() => [...canonicalPieces(value as Json)].join("")),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ["a date", new Date(0)],
    ["bytes", Buffer.from("ab")],
    ["a list", Object.assign([1], { toJSON: () => 5 })],
  ])("does not ask %s for a text of its own, in whichever way it is written", (_name, value) => {
    for (const one of [value, [value], { a: value }, { b: 1, a: value }]) {
      expect(canonicalJson(one as unknown as Json)).toBe([...canonicalPieces(one as unknown as Json)].join(""));
    }
  });
});
