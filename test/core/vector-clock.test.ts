/** Vector clocks: the laws of a partial order and of a join. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  advanceClock,
  type ClockOrder,
  compareClocks,
  leastClock,
  MAX_CLOCK_ENTRIES,
  mergeClocks,
  mergeClocksCapped,
  parseClock,
  type VectorClock,
} from "../../src/core/vector-clock.ts";

const origins = fc.constantFrom("eng_a", "eng_b", "eng_c", "constructor", "toString");
const clocks: fc.Arbitrary<VectorClock> = fc.dictionary(origins, fc.nat({ max: 4 }), { noNullPrototype: false });

const REVERSED: Record<ClockOrder, ClockOrder> = {
  before: "after",
  after: "before",
  equal: "equal",
  concurrent: "concurrent",
};

const holds = (left: VectorClock, right: VectorClock) => ["after", "equal"].includes(compareClocks(left, right));

describe("comparing clocks", () => {
  it.each<[VectorClock, VectorClock, ClockOrder]>([
    [{}, {}, "equal"],
    [{ a: 0 }, {}, "equal"],
    [{ a: 1 }, {}, "after"],
    [{ a: 1 }, { a: 2 }, "before"],
    [{ a: 1, b: 2 }, { a: 1, b: 2 }, "equal"],
    [{ a: 2, b: 1 }, { a: 1, b: 2 }, "concurrent"],
    [{ a: 1 }, { b: 1 }, "concurrent"],
  ])("%j against %j is %s", (left, right, order) => {
    expect(compareClocks(left, right)).toBe(order);
  });

  it("is reflexive, and reverses with its sides", () => {
    fc.assert(
      fc.property(clocks, clocks, (left, right) => {
        expect(compareClocks(left, left)).toBe("equal");
        expect(compareClocks(right, left)).toBe(REVERSED[compareClocks(left, right)]);
      }),
    );
  });

  it("is transitive", () => {
    fc.assert(
      fc.property(clocks, clocks, clocks, (x, y, z) => {
        fc.pre(holds(x, y) && holds(y, z));
        expect(holds(x, z)).toBe(true);
      }),
    );
  });
});

describe("merging clocks", () => {
  it("is idempotent, commutative and associative", () => {
    fc.assert(
      fc.property(clocks, clocks, clocks, (x, y, z) => {
        expect(mergeClocks(x, x)).toEqual(x);
        expect(mergeClocks(x, y)).toEqual(mergeClocks(y, x));
        expect(mergeClocks(mergeClocks(x, y), z)).toEqual(mergeClocks(x, mergeClocks(y, z)));
      }),
    );
  });

  it("has the minimum as its counterpart: what both count", () => {
    fc.assert(
      fc.property(clocks, clocks, (x, y) => {
        expect(leastClock(x, y)).toEqual(leastClock(y, x));
        expect(holds(x, leastClock(x, y))).toBe(true);
        expect(compareClocks(leastClock(x, mergeClocks(x, y)), x)).toBe("equal");
      }),
    );
  });

  it("gives the least clock that holds both", () => {
    fc.assert(
      fc.property(clocks, clocks, clocks, (x, y, bound) => {
        const merged = mergeClocks(x, y);
        expect(holds(merged, x) && holds(merged, y)).toBe(true);
        if (holds(bound, x) && holds(bound, y)) expect(holds(bound, merged)).toBe(true);
      }),
    );
  });

  it("changes neither side", () => {
    const left = Object.freeze({ a: 1 });
    expect(mergeClocks(left, Object.freeze({ a: 2, b: 1 }))).toEqual({ a: 2, b: 1 });
    expect(advanceClock(left, "b", 1)).toEqual({ a: 1, b: 1 });
  });

  it("refuses one entry more than the cap, and only that", () => {
    const full = Object.fromEntries(Array.from({ length: MAX_CLOCK_ENTRIES }, (_, index) => [`eng_${index}`, 1]));
    expect(Object.keys(mergeClocksCapped(full, { eng_0: 2 }))).toHaveLength(MAX_CLOCK_ENTRIES);
    expect(() => mergeClocksCapped(full, { eng_more: 1 })).toThrow(
      expect.objectContaining({ code: "clock_cap", details: { entries: 257, maxEntries: 256 } }),
    );
  });
});

describe("one clock", () => {
  it("is never read from an origin that would change the object itself", () => {
    const value: unknown = JSON.parse('{"__proto__": 1}');
    expect(() => parseClock(value)).toThrow(expect.objectContaining({ code: "corrupt_clock" }));
  });

  it("only moves on", () => {
    fc.assert(
      fc.property(clocks, origins, fc.nat({ max: 4 }), (clock, origin, seq) => {
        const advanced = advanceClock(clock, origin, seq);
        expect(holds(advanced, clock)).toBe(true);
        expect(holds(advanced, { [origin]: seq })).toBe(true);
      }),
    );
  });

  it("is read from outside as it was written", () => {
    fc.assert(
      fc.property(clocks, (clock) => {
        expect(parseClock(JSON.parse(JSON.stringify(clock)))).toEqual(clock);
      }),
    );
  });

  it.each([null, 7, "{}", [], [1], { a: -1 }, { a: 0.5 }, { a: "1" }, { a: null }, { a: 2 ** 53 }])(
    "is never read from %j",
    (value) => {
      expect(() => parseClock(value)).toThrow(expect.objectContaining({ code: "corrupt_clock" }));
    },
  );
});
