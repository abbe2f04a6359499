/** What every store promises of what is kept for people. Part of `store-contract.ts`. */
import { expect, it } from "vitest";
import type { StoreBench } from "./store-bench.ts";
import {
  adopt,
  adoption,
  command,
  commands,
  conflict,
  ENGINE_A,
  ENGINE_B,
  leadership,
  START_UNIX_MS,
} from "./store-samples.ts";

export function storeHistoryContract(bench: StoreBench): void {
  divergentContract(bench);
  it("[SB3] keeps conflicts, the open ones first, then the newest; a known one is replaced in its place", () => {
    bench.store.saveConflicts([conflict("cfl_1", { outcome: "open" }), conflict("cfl_2")]);
    bench.store.saveConflicts([conflict("cfl_3"), conflict("cfl_4", { outcome: "open" })]);
    const ids = (limit: number) => bench.store.conflicts(limit).map(({ id }) => id);
    expect(ids(10)).toEqual(["cfl_4", "cfl_1", "cfl_3", "cfl_2"]);
    const resolved = conflict("cfl_1", {
      outcome: "resolved",
      resolution: { choice: "keep", by: "ops", atUnixMs: START_UNIX_MS + 9 },
    });
    bench.store.saveConflicts([resolved]);
    bench.reopen();
    expect(ids(10)).toEqual(["cfl_4", "cfl_3", "cfl_2", "cfl_1"]);
    expect(ids(1)).toEqual(["cfl_4"]);
    expect(bench.store.findConflict("cfl_1")).toEqual(resolved);
    expect(bench.store.findConflict("cfl_9")).toBeNull();
  });

  it("keeps leaderships, newest first; a new one ends the one before", () => {
    bench.store.saveLeadership(leadership(1));
    bench.store.saveLeadership(leadership(2));
    const ended = leadership(1, { toUnixMs: leadership(2).fromUnixMs });
    expect(bench.store.leadership(10)).toEqual([leadership(2), ended]);
    bench.store.endLeadership(2, START_UNIX_MS + 7_777);
    bench.store.endLeadership(4, 1);
    bench.reopen();
    expect(bench.store.leadership(10)).toEqual([leadership(2, { toUnixMs: START_UNIX_MS + 7_777 }), ended]);
    expect(bench.store.leadership(1).map(({ epoch }) => epoch)).toEqual([2]);
  });

  it("takes of a leadership that is known only its end", () => {
    bench.store.saveLeadership(leadership(3, { by: "ops" }));
    bench.store.saveLeadership(leadership(3, { by: "someone else", toUnixMs: START_UNIX_MS + 1 }));
    expect(bench.reopen().leadership(10)).toEqual([leadership(3, { by: "ops", toUnixMs: START_UNIX_MS + 1 })]);
  });

  it("puts a leadership that is learned late in its place", () => {
    bench.store.saveLeadership(leadership(4));
    bench.store.saveLeadership(leadership(3, { toUnixMs: START_UNIX_MS }));
    expect(bench.reopen().leadership(10)).toEqual([leadership(4), leadership(3, { toUnixMs: START_UNIX_MS })]);
  });

  it("[HO4] keeps requests; the first answer stands", () => {
    const request = { requestId: "req_1", at: "2024-03-05T16:00:00Z", by: "ops", reason: "drill", mode: "graceful" };
    bench.store.saveRequest({ ...request, answer: { epoch: 3 } });
    bench.store.saveRequest({ ...request, answer: { epoch: 5 } });
    expect(bench.reopen().findRequest("req_1")).toEqual({ ...request, answer: { epoch: 3 } });
    expect(bench.store.findRequest("req_2")).toBeNull();
  });
}

function divergentContract(bench: StoreBench): void {
  it("SB6 I15: what a conflict holds is not counted by the clock", () => {
    bench.store.append(commands(1, 3));
    const divergent = command(9, { origin: ENGINE_B, originSeq: 7, clock: { [ENGINE_B]: 7 } });
    bench.store.saveConflicts([conflict("cfl_1", { divergent })]);
    bench.nowAndReopened((store) => expect(store.load().clock).toEqual({ [ENGINE_A]: 3 }));
  });

  it("SB6: the numbers of this engine's own commands only rise, also by those that are kept as conflicts", () => {
    const { engineId } = bench.store.load();
    const own = (originSeq: number) => command(originSeq, { origin: engineId, originSeq, clock: {} });
    bench.store.append([own(1), own(2)]);
    bench.nowAndReopened((store) => expect(store.load().highestOwnSeq).toBe(2));
    bench.store.saveConflicts([conflict("cfl_1", { divergent: own(5) })]);
    bench.nowAndReopened((store) =>
      expect([store.load().highestOwnSeq, store.positions().highestOwnSeq]).toEqual([5, 5]),
    );
    adopt(bench.store, adoption(1, []));
    bench.nowAndReopened((store) => expect(store.load()).toMatchObject({ highestOwnSeq: 5, clock: { [engineId]: 1 } }));
  });

  it("SB6 RP2: they rise too with a state that holds later commands of this engine, none of which the log gets", () => {
    const { engineId } = bench.store.load();
    const own = command(1, { origin: engineId, originSeq: 1, clock: {} });
    bench.store.append([own]);
    const base = { shape: [{ epoch: 1, from: 1, to: 40 }], position: { epoch: 1, seq: 40 } };
    const checkpoint = { ...adoption(40, []).checkpoint, position: { epoch: 1, seq: 40 } };
    adopt(bench.store, { ...adoption(0, []), base, checkpoint, baseClock: { [engineId]: 36 } });
    bench.nowAndReopened((store) =>
      expect([store.load().highestOwnSeq, store.positions().highestOwnSeq]).toEqual([36, 36]),
    );
  });
}
