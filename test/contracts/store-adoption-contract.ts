/** What every store promises of replacing a tail or a whole log [SB4]. Part of `store-contract.ts`. */
import { beforeEach, expect, it } from "vitest";
import type { StoreBench } from "./store-bench.ts";
import { adoption, command, commands, conflict, ENGINE_A, ENGINE_B, everythingIn, adopt } from "./store-samples.ts";

/** What epoch 2 of engine b wrote after seq 4. */
const BROUGHT = [5, 6].map((seq) =>
  command(seq, { epoch: 2, origin: ENGINE_B, originSeq: seq - 4, idempotencyKey: `b-${seq}` }),
);

export function storeAdoptionContract(bench: StoreBench): void {
  beforeEach(() => {
    bench.store.append(commands(1, 8).map((each) => ({ ...each, idempotencyKey: `a-${each.seq}` })));
    bench.store.markExecuted(8);
  });
  tailCases(bench);
  baseCases(bench);
}

function tailCases(bench: StoreBench): void {
  it("replaces the tail after the fork, and all that hangs on it", () => {
    adopt(bench.store, adoption(4, BROUGHT));
    bench.nowAndReopened((store) => {
      expect(store.commandsAfter(4, 10)).toEqual({ commands: BROUGHT, hasMore: false });
      expect(store.firstHeldSeq()).toBe(1);
      expect(store.logShape()).toEqual([
        { epoch: 1, from: 1, to: 4 },
        { epoch: 2, from: 5, to: 6 },
      ]);
      expect(store.recentKeys(10).map(({ key }) => key)).toEqual(["b-6", "b-5", "a-4", "a-3", "a-2", "a-1"]);
      expect(store.load()).toMatchObject({
        log: { epoch: 2, seq: 6 },
        clock: { [ENGINE_A]: 4, [ENGINE_B]: 2 },
        hlc: adoption(4, BROUGHT).hlc,
        acceptedEpoch: 2,
        highestEpoch: 2,
        lastExecutedSeq: 6,
        lockFence: 7,
        checkpoint: { position: { epoch: 2, seq: 6 }, state: { program: "adopted" } },
      });
    });
    bench.store.append([command(7, { epoch: 2, origin: ENGINE_B, originSeq: 3 })]);
    expect(bench.store.load().log.seq).toBe(7);
  });

  it("never lets an epoch, a fence or the stamp fall", () => {
    bench.store.saveEpochs({ highestEpoch: 9, acceptedEpoch: 5 });
    adopt(bench.store, adoption(4, BROUGHT));
    adopt(bench.store, adoption(6, [], { hlc: command(1).hlc, lockFence: 0, acceptedEpoch: 2 }));
    expect(bench.reopen().load()).toMatchObject({ highestEpoch: 9, acceptedEpoch: 5, lockFence: 7 });
    expect(bench.store.load().hlc).toBe(adoption(4, BROUGHT).hlc);
  });

  it("[SB3] takes the winner's keys and conflicts along", () => {
    const key = { key: "b-0", seq: 3, epoch: 1, executeAtUs: 5, atUnixMs: 5, digest: null };
    adopt(bench.store, adoption(4, BROUGHT, { keys: [key], conflicts: [conflict("cfl_1")] }));
    expect(bench.reopen().findKey("b-0")).toEqual(key);
    expect(bench.store.findKey("a-8")).toBeNull();
    expect(bench.store.conflicts(10)).toEqual([conflict("cfl_1")]);
  });

  it("does all of it or nothing", () => {
    const before = everythingIn(bench.store);
    const unreplayable = adoption(4, BROUGHT, { checkpoint: { position: { epoch: 2, seq: 7 }, state: null } });
    expect(() => adopt(bench.store, unreplayable)).toThrow(/broken invariant/u);
    expect(() => adopt(bench.store, adoption(4, BROUGHT.slice(1)))).toThrow(/seq 6 follows 4/u);
    expect(() => adopt(bench.store, adoption(9, []))).toThrow(/log of 8 commands is kept through 9/u);
    bench.reopenFull(true);
    const bulky = commands(5, 40, { epoch: 2, payload: "x".repeat(50_000) });
    expect(() => adopt(bench.store, adoption(4, bulky))).toThrow(expect.objectContaining({ code: "store_full" }));
    bench.reopenFull(false);
    expect(everythingIn(bench.store)).toEqual(before);
    expect(everythingIn(bench.reopen())).toEqual(before);
  });
}

function baseCases(bench: StoreBench): void {
  const shape = [
    { epoch: 1, from: 1, to: 4 },
    { epoch: 2, from: 5, to: 100 },
  ];
  const position = { epoch: 2, seq: 100 };
  const checkpoint = { position, state: { program: "snapshot" } };

  it("replaces the whole log by a base and what follows it", () => {
    const pending = commands(101, 103, { epoch: 4 });
    const baseClock = { [ENGINE_A]: 97, [ENGINE_B]: 3 };
    adopt(bench.store, adoption(4, pending, { base: { shape, position }, checkpoint, baseClock }));
    bench.nowAndReopened((store) => {
      expect(store.commandsAfter(0, 10)).toEqual({ commands: pending, hasMore: false });
      expect(store.firstHeldSeq()).toBe(101);
      expect(store.logShape()).toEqual([...shape, { epoch: 4, from: 101, to: 103 }]);
      expect(store.load()).toMatchObject({ log: { epoch: 4, seq: 103 }, lastExecutedSeq: 100, checkpoint });
      expect(store.load()).toMatchObject({ clock: { [ENGINE_A]: 103, [ENGINE_B]: 3 }, flaw: null });
    });
  });

  it("holds nothing when a base is all that came", () => {
    adopt(bench.store, adoption(0, [], { base: { shape, position }, checkpoint }));
    expect(bench.reopen().load().log).toEqual(position);
    expect(bench.store.firstHeldSeq()).toBe(101);
    expect(bench.store.commandsAfter(0, 10)).toEqual({ commands: [], hasMore: false });
  });

  it("keeps what is held when the base joins it", () => {
    const joined = { shape: [{ epoch: 1, from: 1, to: 4 }], position: { epoch: 1, seq: 4 } };
    adopt(bench.store, adoption(4, BROUGHT, { base: joined }));
    expect(
      bench
        .reopen()
        .commandsAfter(0, 10)
        .commands.map(({ seq }) => seq),
    ).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("knows of a base without a shape only its last seq", () => {
    adopt(bench.store, adoption(0, [], { base: { shape: [], position }, checkpoint }));
    expect(bench.reopen().logShape()).toEqual([{ epoch: 2, from: 100, to: 100 }]);
  });

  it("refuses a base that is not what its shape shows", () => {
    const before = everythingIn(bench.store);
    const wrong = { shape, position: { epoch: 2, seq: 99 } };
    expect(() => adopt(bench.store, adoption(4, [], { base: wrong, checkpoint }))).toThrow(
      /ends at 2\/100, not at 2\/99/u,
    );
    expect(everythingIn(bench.store)).toEqual(before);
  });
}
