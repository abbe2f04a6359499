/** Hybrid logical clocks. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatHlc,
  type Hlc,
  hlcNow,
  hlcReceive,
  hlcZero,
  laterHlc,
  MAX_UNIX_MS,
  parseHlc,
} from "../../src/core/hlc.ts";

const ORIGIN = "eng_a";
const origins = fc.constantFrom("eng_a", "eng_b", "eng_-", "eng__");
const times = fc.integer({ min: 0, max: 2_000 });
const stamps = fc
  .record({ unixMs: times, counter: fc.constantFrom(0, 1, 2, 0xfffe, 0xffff), origin: origins })
  .map(formatHlc);

describe("the text of a stamp", () => {
  it("is 12 and 4 hexadecimal digits, a dash, and the origin", () => {
    expect(formatHlc({ unixMs: 1_700_000_000_000, counter: 255, origin: ORIGIN })).toBe("018bcfe5680000ff-eng_a");
    expect(hlcZero(ORIGIN)).toBe("0000000000000000-eng_a");
  });

  it("is read as it was written", () => {
    const parts = fc.record({
      unixMs: fc.integer({ min: 0, max: MAX_UNIX_MS }),
      counter: fc.integer({ min: 0, max: 0xffff }),
      origin: fc.string({ minLength: 1 }),
    });
    fc.assert(
      fc.property(parts, (given) => {
        expect(parseHlc(formatHlc(given))).toEqual(given);
      }),
    );
  });

  it("has the order of its parts", () => {
    fc.assert(
      fc.property(stamps, stamps, (left, right) => {
        const [x, y] = [parseHlc(left), parseHlc(right)];
        const byParts =
          x.unixMs - y.unixMs || x.counter - y.counter || (x.origin < y.origin ? -1 : Number(x.origin > y.origin));
        expect(Math.sign(byParts)).toBe(left < right ? -1 : Number(left > right));
        expect([left, right]).toContain(laterHlc(left, right));
        expect(laterHlc(left, right)).toBe(laterHlc(right, left));
      }),
    );
  });

  it.each([
    "",
    "0",
    "0000000000000000",
    "0000000000000000-",
    "000000000000000-eng_a",
    "018BCFE5680000FF-eng_a",
    " 018bcfe5680000ff-eng_a",
  ])("is never read from %j", (text) => {
    expect(() => parseHlc(text)).toThrow(expect.objectContaining({ code: "invalid_value" }));
    expect(() => hlcReceive(hlcZero(ORIGIN), text, 1, ORIGIN)).toThrow(/hlc is/u);
  });

  it.each([
    { unixMs: -1, counter: 0, origin: ORIGIN },
    { unixMs: 2 ** 48, counter: 0, origin: ORIGIN },
    { unixMs: 1.5, counter: 0, origin: ORIGIN },
    { unixMs: 1, counter: 65_536, origin: ORIGIN },
    { unixMs: 1, counter: 0, origin: "" },
  ])("is never written from %j", (parts) => {
    expect(() => formatHlc(parts)).toThrow(expect.objectContaining({ code: "invalid_value" }));
  });
});

describe("a stamp for now", () => {
  it("follows the wall clock, and counts where that stands still or steps back", () => {
    const first = hlcNow(hlcZero(ORIGIN), 1_000.9, ORIGIN);
    expect(parseHlc(first)).toEqual({ unixMs: 1_000, counter: 0, origin: ORIGIN });
    expect(parseHlc(hlcNow(first, 1_000.95, ORIGIN))).toMatchObject({ unixMs: 1_000, counter: 1 });
    expect(parseHlc(hlcNow(first, 10, ORIGIN))).toMatchObject({ unixMs: 1_000, counter: 1 });
  });

  it("carries a full counter into the ms", () => {
    const last = formatHlc({ unixMs: 1_000, counter: 0xffff, origin: ORIGIN });
    expect(parseHlc(hlcNow(last, 1_000, ORIGIN))).toMatchObject({ unixMs: 1_001, counter: 0 });
  });

  it("only rises, whatever the wall clock does, also across restarts and among origins", () => {
    const steps = fc.array(fc.tuple(times, origins), { maxLength: 30 });
    fc.assert(
      fc.property(stamps, steps, (start, walls) => {
        let last: Hlc = start;
        for (const [unixMs, origin] of walls) {
          const next = hlcNow(last, unixMs, origin);
          expect(next > last).toBe(true);
          expect(parseHlc(next).unixMs).toBeGreaterThanOrEqual(unixMs);
          last = next;
        }
      }),
    );
  });
});

describe("a stamp from elsewhere", () => {
  it("is passed, together with the own one", () => {
    fc.assert(
      fc.property(stamps, stamps, times, origins, (last, remote, unixMs, origin) => {
        const taken = hlcReceive(last, remote, unixMs, origin, 5_000);
        expect(taken.outcome).toBe("advanced");
        if (taken.outcome !== "advanced") return;
        expect(taken.hlc > last && taken.hlc > remote).toBe(true);
        expect(parseHlc(taken.hlc).origin).toBe(origin);
        // At most one ms of carry beyond the latest of the three clocks.
        const latest = Math.max(parseHlc(last).unixMs, parseHlc(remote).unixMs, unixMs);
        expect(parseHlc(taken.hlc).unixMs - latest).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("is refused from 501 ms ahead on, and says how far; at 500 it is taken", () => {
    const last = hlcZero(ORIGIN);
    const ahead = (aheadMs: number) => formatHlc({ unixMs: 1_000 + aheadMs, counter: 0, origin: "eng_b" });
    expect(hlcReceive(last, ahead(501), 1_000, ORIGIN)).toEqual({ outcome: "refused", aheadMs: 501, maxDriftMs: 500 });
    expect(hlcReceive(last, ahead(500), 1_000, ORIGIN)).toEqual({
      outcome: "advanced",
      hlc: formatHlc({ unixMs: 1_500, counter: 1, origin: ORIGIN }),
    });
  });

  it("may be as old as it likes", () => {
    const last = formatHlc({ unixMs: 9_000, counter: 3, origin: ORIGIN });
    expect(hlcReceive(last, hlcZero("eng_b"), 8_000, ORIGIN)).toEqual({
      outcome: "advanced",
      hlc: formatHlc({ unixMs: 9_000, counter: 4, origin: ORIGIN }),
    });
  });
});
