/** How a log may grow and be replaced; the stores' contract shows the same from outside. */
import { describe, expect, it } from "vitest";
import {
  endOfShape,
  extendClock,
  extendHlc,
  extendShape,
  identityText,
  keyedAnswer,
  rebaseFirstHeld,
  rebaseShape,
  requireReplayable,
} from "../../src/core/log-rules.ts";
import { command, commands, ENGINE_A, ENGINE_B, START_UNIX_MS } from "../contracts/store-samples.ts";

const SHAPE = [
  { epoch: 1, from: 1, to: 4 },
  { epoch: 2, from: 5, to: 8 },
];

describe("a log that grows", () => {
  it("has the shape of its commands, batch by batch or all at once", () => {
    const all = [...commands(1, 3), ...commands(4, 6, { epoch: 2 }), ...commands(7, 7, { epoch: 5 })];
    const oneByOne = all.reduce<ReturnType<typeof extendShape>>((shape, each) => extendShape(shape, [each]), []);
    expect(extendShape([], all)).toEqual(oneByOne);
    expect(endOfShape(oneByOne)).toEqual({ epoch: 5, seq: 7 });
    expect(endOfShape([])).toEqual({ epoch: 0, seq: 0 });
    expect(extendShape(SHAPE, [])).toBe(SHAPE);
  });

  it("SB6: counts what it holds, not what the leader of a command knew, within the cap of a clock", () => {
    const known = command(1, { clock: { [ENGINE_A]: 1, [ENGINE_B]: 9 } });
    expect(extendClock({ eng_c: 2 }, [known])).toEqual({ [ENGINE_A]: 1, eng_c: 2 });
    const inflated = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`eng_${index}`, 1]));
    expect(() => extendClock(inflated, [command(1)])).toThrow(expect.objectContaining({ code: "clock_cap" }));
  });

  it("has the latest stamp, also when a later command bears an earlier one", () => {
    expect(extendHlc(command(5).hlc, commands(1, 3), ENGINE_A)).toBe(command(5).hlc);
    expect(extendHlc(command(1).hlc, commands(2, 3), ENGINE_A)).toBe(command(3).hlc);
  });

  it("CK1: is not moved by the stamps of another engine", () => {
    expect(extendHlc(command(1).hlc, commands(2, 3), ENGINE_B)).toBe(command(1).hlc);
  });

  it("remembers the answer of a key at the time of its stamp", () => {
    const { executeAtUs } = command(7);
    expect(keyedAnswer(command(7), String)).toBeNull();
    expect(keyedAnswer(command(7, { idempotencyKey: "k" }), (text) => `hash of ${text}`)).toEqual({
      ...{ key: "k", seq: 7, epoch: 1, executeAtUs },
      atUnixMs: START_UNIX_MS + 7,
      digest: `hash of ${identityText(command(7))}`,
    });
  });
});

describe("a log that is replaced", () => {
  it.each<[string, number, Parameters<typeof rebaseFirstHeld>[2], number]>([
    ["a tail", 6, null, 3],
    ["everything that is held", 2, null, 3],
    ["more than is held", 1, null, 2],
    ["by a base that joins", 6, { shape: SHAPE, position: { epoch: 2, seq: 6 } }, 3],
    ["by a base beyond a gap", 6, { shape: SHAPE, position: { epoch: 2, seq: 90 } }, 91],
  ])("%s, held from 3 on", (_title, keepThroughSeq, base, firstHeldSeq) => {
    expect(rebaseFirstHeld(3, keepThroughSeq, base)).toBe(firstHeldSeq);
  });

  it("keeps its shape through the fork, or takes the base's", () => {
    expect(rebaseShape(SHAPE, 6, null)).toEqual([SHAPE[0], { epoch: 2, from: 5, to: 6 }]);
    const base = { shape: [{ epoch: 7, from: 3, to: 90 }], position: { epoch: 7, seq: 90 } };
    expect(rebaseShape(SHAPE, 6, base)).toBe(base.shape);
    expect(() => rebaseShape(SHAPE, 91, null)).toThrow(/log of 8 commands is kept through 91/u);
    expect(() => rebaseShape(SHAPE, 8, { shape: [], position: { epoch: 2, seq: 7 } })).toThrow(/base ends at 7/u);
  });

  it("can always be replayed from its checkpoint", () => {
    for (const seq of [4, 5, 9]) expect(() => requireReplayable(seq, 5, 9)).not.toThrow();
    expect(() => requireReplayable(3, 5, 9)).toThrow(/needs the commands from 4, held from 5/u);
    expect(() => requireReplayable(10, 5, 9)).toThrow(/ends at 9/u);
  });
});
