/** The judgement of a soak finds what grows, and nothing else. Its options are answered clearly. */
import { describe, expect, test } from "vitest";
import { Draw } from "../campaign/schedule.ts";
import { type FlatRule, judge, type Point } from "./judge.ts";
import { readOptions } from "./options.ts";

const HALF_HOUR_SEC = 1_800;
const MEMORY: FlatRule = { growth: 24, share: 0.1, most: 450 };
const HEAP: FlatRule = { growth: 8, share: 0.15, level: 0.1 };
const FILES: FlatRule = { growth: 4, share: 0 };

function verdict(
  rule: FlatRule,
  value: (atSec: number, draw: Draw) => number,
  lastsSec = HALF_HOUR_SEC,
  allowance = 0,
) {
  const draw = new Draw(7);
  const points = Array.from({ length: lastsSec }, (_, atSec): Point => [atSec, value(atSec, draw)]);
  return judge({ name: "it", unit: "MB", points, rule }, lastsSec, allowance);
}

/** Garbage that is collected every 40 s, and noise. */
const saw = (atSec: number, draw: Draw): number => 60 + (atSec % 40) + draw.between(0, 10);

describe("what is flat", () => {
  test("a saw of garbage collection, noise, and a warm-up of ten minutes", () => {
    expect(verdict(HEAP, saw)).toMatchObject({ isFlat: true, why: "" });
    const warming = (atSec: number, draw: Draw): number => Math.min(300, 150 + atSec / 4) + draw.between(-20, 20);
    expect(verdict(MEMORY, warming).isFlat).toBe(true);
    expect(verdict(FILES, (atSec) => 45 + (atSec % 300 < 20 ? 12 : 0)).isFlat).toBe(true);
  });

  test("a store that the retention may still fill", () => {
    const filling = (atSec: number): number => 5 + Math.min(atSec, 900) / 20;
    expect(verdict({ growth: 4, share: 0 }, filling).isFlat).toBe(false);
    expect(verdict({ growth: 4, share: 0 }, filling, HALF_HOUR_SEC, 5).isFlat).toBe(true);
  });

  test("what falls", () => {
    expect(verdict(MEMORY, (atSec) => 300 - atSec / 10).isFlat).toBe(true);
  });
});

describe("a planted leak is found", () => {
  test("a heap that loses 2 MB a minute under its saw", () => {
    const found = verdict(HEAP, (atSec, draw) => saw(atSec, draw) + (atSec / 60) * 2);
    expect(found.isFlat).toBe(false);
    expect(found.why).toMatch(/^grew by 26\.\d MB, at most 2\d\.\d$/);
  });

  test("one file descriptor for each of 90 faults, and ten at once late in the run", () => {
    expect(verdict(FILES, (atSec) => 45 + Math.floor(atSec / 20)).isFlat).toBe(false);
    expect(verdict(FILES, (atSec) => (atSec > 1_350 ? 55 : 45)).isFlat).toBe(false);
  });

  test("over a day, 4 MB an hour", () => {
    const daySec = 86_400;
    expect(verdict(HEAP, (atSec, draw) => saw(atSec, draw) + (atSec / 3_600) * 4, daySec).isFlat).toBe(false);
  });

  test("a level above its bound, however flat", () => {
    expect(verdict(MEMORY, () => 460)).toMatchObject({ isFlat: false, why: "is 460 MB, at most 450" });
  });
});

test("too few samples are no proof, unless the thing is rare", () => {
  const few = { name: "it", unit: "ms", points: [[1_700, 3]] as const };
  expect(judge({ ...few, rule: MEMORY }, HALF_HOUR_SEC)).toMatchObject({ isFlat: false, last: null });
  expect(judge({ ...few, rule: { ...MEMORY, optional: true } }, HALF_HOUR_SEC).isFlat).toBe(true);
});

describe("options", () => {
  test("minutes, hours, and 30 minutes where neither is given", () => {
    expect(readOptions([])?.lastsMs).toBe(1_800_000);
    expect(readOptions(["--minutes", "15", "--seed", "4"])).toMatchObject({ lastsMs: 900_000, seed: 4 });
    expect(readOptions(["--hours", "24"])?.lastsMs).toBe(86_400_000);
    expect(readOptions(["--help"])).toBeNull();
  });

  test.each([
    [["--minutes", "0"], "--minutes 0: must be a whole number from 1 to 10080, for example --minutes 30"],
    [["--hours", "1.5"], "--hours 1.5: must be a whole number from 1 to 168, for example --hours 24"],
    [["--minutes", "3", "--hours", "1"], "--minutes and --hours: give only one of them"],
    [["--seed", "-1"], "--seed"],
    [["--witness", "nats"], "--witness nats: must be redis or sqlite"],
    [["--policy", "both"], "--policy both: must be on-air or consistency"],
    [["--loud"], "Unknown option '--loud'"],
    [["soon"], "Unexpected argument 'soon'"],
  ])("%j is refused", (argv, message) => {
    expect(() => readOptions(argv)).toThrow(message);
  });
});
