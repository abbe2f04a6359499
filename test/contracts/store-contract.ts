/**
 * What every store promises, whatever it is made of: run on each adapter by `store.test.ts`.
 */
import { describe, expect, it } from "vitest";
import { hlcZero } from "../../src/core/hlc.ts";
import type { Store } from "../../src/ports/store.ts";
import { storeAdoptionContract } from "./store-adoption-contract.ts";
import { type StoreBench, storeBench, type StorePlace } from "./store-bench.ts";
import { storeCheckpointContract } from "./store-checkpoint-contract.ts";
import { storeHistoryContract } from "./store-history-contract.ts";
import {
  adopt,
  adoption,
  command,
  commands,
  ENGINE_A,
  ENGINE_B,
  everythingIn,
  START_UNIX_MS,
  saveCheckpoint,
} from "./store-samples.ts";

export function storeContract(name: string, makePlace: () => StorePlace): void {
  describe(`the store contract: ${name}`, () => {
    const bench = storeBench(makePlace);
    describe("identity and epochs", () => identityContract(bench));
    describe("the log", () => logContract(bench));
    describe("reading the log", () => pagingContract(bench));
    describe("idempotency keys and compaction", () => keyContract(bench));
    describe("the clock over compaction", () => compactedClockContract(bench));
    describe("one owner, no room, the end", () => boundsContract(bench));
    describe("a checkpoint in pieces", () => storeCheckpointContract(bench));
    describe("adoption", () => storeAdoptionContract(bench));
    describe("history", () => storeHistoryContract(bench));
  });
}

function identityContract(bench: StoreBench): void {
  it("makes an engine id once and starts with nothing", () => {
    const first = bench.store.load();
    expect(first).toEqual({
      engineId: first.engineId,
      pinnedPeer: null,
      highestEpoch: 0,
      acceptedEpoch: 0,
      hlc: hlcZero(first.engineId),
      clock: {},
      highestOwnSeq: 0,
      flaw: null,
      log: { epoch: 0, seq: 0 },
      lastExecutedSeq: 0,
      maintenance: null,
      checkpoint: null,
      lockFence: 0,
    });
    expect(first.engineId).toMatch(/^eng_/u);
    expect(bench.reopen().load()).toEqual(first);
    expect(bench.store.commandsAfter(0, 10)).toEqual({ commands: [], hasMore: false });
    expect(bench.store.firstHeldSeq()).toBe(1);
    expect(bench.store.logShape()).toEqual([]);
  });

  it("[EP2] keeps epochs durably, and neither of the two ever falls", () => {
    bench.store.saveEpochs({ highestEpoch: 7, acceptedEpoch: 5 });
    bench.store.saveEpochs({ highestEpoch: 3, acceptedEpoch: 4 });
    expect(bench.reopen().load()).toMatchObject({ highestEpoch: 7, acceptedEpoch: 5 });
    bench.store.saveEpochs({ highestEpoch: 0, acceptedEpoch: 9 });
    expect(bench.reopen().load()).toMatchObject({ highestEpoch: 9, acceptedEpoch: 9 });
  });

  it("keeps the pinned peer and an operator's hold", () => {
    const maintenance = { on: true, stamp: hlcZero(ENGINE_A), by: "ops", reason: "camera 3" };
    const pinnedPeer = { engineId: ENGINE_B, key: "k".repeat(43) };
    bench.store.pinPeer(pinnedPeer);
    bench.store.saveMaintenance(maintenance);
    expect(bench.reopen().load()).toMatchObject({ pinnedPeer, maintenance });
    bench.store.pinPeer({ engineId: ENGINE_B, key: null });
    expect(bench.reopen().load().pinnedPeer).toEqual({ engineId: ENGINE_B, key: null });
    bench.store.pinPeer(null);
    expect(bench.reopen().load().pinnedPeer).toBeNull();
  });

  it("keeps a checkpoint that is not changed by whoever gave it", () => {
    const state = { program: { me: [1, 2] } };
    bench.store.append(commands(1, 3));
    saveCheckpoint(bench.store, { position: { epoch: 1, seq: 2 }, state });
    state.program.me[0] = 99;
    const kept = { position: { epoch: 1, seq: 2 }, state: { program: { me: [1, 2] } } };
    expect(bench.store.load().checkpoint).toEqual(kept);
    expect(bench.reopen().load().checkpoint).toEqual(kept);
  });
}

function logContract(bench: StoreBench): void {
  it("gives back every part of a command as it was", () => {
    const given = [
      command(1, { idempotencyKey: "key-1" }),
      command(2, { epoch: 4, payload: null }),
      command(3, { epoch: 4 }),
    ];
    bench.store.append(given);
    expect(bench.store.commandsAfter(0, 10)).toEqual({ commands: given, hasMore: false });
    expect(bench.reopen().commandsAfter(0, 10)).toEqual({ commands: given, hasMore: false });
  });

  it("SB6: moves position, clock, stamp and shape on with the log; what a command's leader knew is not held", () => {
    bench.store.append(commands(1, 4));
    bench.store.append([
      command(5, { epoch: 2, origin: ENGINE_B, originSeq: 1, clock: { [ENGINE_A]: 4, [ENGINE_B]: 1, eng_gone: 3 } }),
    ]);
    bench.nowAndReopened((store) => {
      expect(store.load()).toMatchObject({
        log: { epoch: 2, seq: 5 },
        clock: { [ENGINE_A]: 4, [ENGINE_B]: 1 },
        // CK1: the stamps of other engines' commands are not this engine's.
        hlc: hlcZero(store.load().engineId),
      });
      expect(store.logShape()).toEqual([
        { epoch: 1, from: 1, to: 4 },
        { epoch: 2, from: 5, to: 5 },
      ]);
      expect(store.logShape(1)).toEqual([{ epoch: 2, from: 5, to: 5 }]);
    });
  });

  it("never lets the stamp fall", () => {
    const origin = bench.store.load().engineId;
    bench.store.append([command(1, { hlc: command(900).hlc, origin })]);
    bench.store.append([command(2)]);
    expect(bench.reopen().load().hlc).toBe(command(900).hlc);
  });

  it("refuses a gap, a fallen epoch, a double and a broken instant, and changes nothing", () => {
    bench.store.append(commands(1, 3, { epoch: 3 }));
    const before = everythingIn(bench.store);
    expect(() => bench.store.append([command(5, { epoch: 3 })])).toThrow(/broken invariant: seq 5 follows 3/u);
    expect(() => bench.store.append([command(4, { epoch: 3 }), command(6, { epoch: 3 })])).toThrow(/seq 6 follows 4/u);
    expect(() => bench.store.append([command(4, { epoch: 2 })])).toThrow(/epoch 2 is not below 3/u);
    expect(() => bench.store.append([command(4, { epoch: 3, originSeq: 3 })])).toThrow(/command 3 of eng_a.* is new/u);
    expect(() => bench.store.append([command(4, { epoch: 3, executeAtUs: 0.5 })])).toThrow(/executeAtUs 0.5/u);
    expect(everythingIn(bench.store)).toEqual(before);
    expect(everythingIn(bench.reopen())).toEqual(before);
  });

  it("keeps how far execution had come over a clean end", () => {
    bench.store.append(commands(1, 3));
    bench.store.markExecuted(2);
    expect(bench.store.load().lastExecutedSeq).toBe(2);
    expect(bench.reopen().load().lastExecutedSeq).toBe(2);
  });

  it("takes an empty batch for what it is", () => {
    bench.store.append([]);
    expect(bench.store.load().log).toEqual({ epoch: 0, seq: 0 });
  });
}

function pagingContract(bench: StoreBench): void {
  it("pages by count and by bytes, and always gives at least one", () => {
    bench.store.append(commands(1, 10, { payload: "x".repeat(98) }));
    const seqs = (page: ReturnType<Store["commandsAfter"]>) => page.commands.map(({ seq }) => seq);
    expect(seqs(bench.store.commandsAfter(3, 4))).toEqual([4, 5, 6, 7]);
    expect(bench.store.commandsAfter(3, 4).hasMore).toBe(true);
    expect(bench.store.commandsAfter(6, 4).hasMore).toBe(false);
    expect(seqs(bench.store.commandsAfter(0, 10, 250))).toEqual([1, 2, 3]);
    expect(bench.store.commandsAfter(0, 10, 250).hasMore).toBe(true);
    expect(seqs(bench.store.commandsAfter(8, 10, 1))).toEqual([9]);
    expect(bench.store.commandsAfter(10, 10)).toEqual({ commands: [], hasMore: false });
  });
}

function keyContract(bench: StoreBench): void {
  it("remembers the answer of a key, the newest when one comes again", () => {
    const given = [command(1, { idempotencyKey: "one" }), command(2, { idempotencyKey: "two" }), command(3)];
    bench.store.append([...given, command(4, { idempotencyKey: "one" })]);
    const { epoch, executeAtUs } = command(4);
    const answer = {
      key: "one",
      seq: 4,
      epoch,
      executeAtUs,
      atUnixMs: START_UNIX_MS + 4,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    };
    bench.nowAndReopened((store) => {
      expect(store.findKey("one")).toEqual(answer);
      expect(store.findKey("three")).toBeNull();
      expect(store.recentKeys(10).map(({ key }) => key)).toEqual(["one", "two"]);
      expect(store.recentKeys(1)).toEqual([answer]);
    });
  });

  it("compacts through a seq, never beyond the checkpoint, and keeps the shape of what is gone", () => {
    bench.store.append(commands(1, 10));
    bench.store.compact(8, 0);
    expect(bench.store.firstHeldSeq()).toBe(1);
    saveCheckpoint(bench.store, { position: { epoch: 1, seq: 6 }, state: null });
    bench.store.compact(8, 0);
    bench.nowAndReopened((store) => {
      expect(store.firstHeldSeq()).toBe(7);
      expect(store.commandsAfter(0, 2).commands.map(({ seq }) => seq)).toEqual([7, 8]);
      expect(store.logShape()).toEqual([{ epoch: 1, from: 1, to: 10 }]);
    });
    bench.store.compact(3, 0);
    expect(bench.store.firstHeldSeq()).toBe(7);
    expect(() => saveCheckpoint(bench.store, { position: { epoch: 1, seq: 5 }, state: null })).toThrow(/held from 7/u);
    expect(() => saveCheckpoint(bench.store, { position: { epoch: 1, seq: 11 }, state: null })).toThrow(/ends at 10/u);
  });

  it("may hold no command at all and still knows where the log ends", () => {
    bench.store.append(commands(1, 5, { epoch: 3 }));
    saveCheckpoint(bench.store, { position: { epoch: 3, seq: 5 }, state: "five" });
    bench.store.compact(5, 0);
    expect(bench.reopen().load().log).toEqual({ epoch: 3, seq: 5 });
    expect(bench.store.firstHeldSeq()).toBe(6);
    expect(bench.store.commandsAfter(0, 5)).toEqual({ commands: [], hasMore: false });
    bench.store.append([command(6, { epoch: 3 })]);
    expect(bench.store.commandsAfter(0, 5).commands).toHaveLength(1);
  });

  it("drops keys that are old, but never one of the newest 10 000", () => {
    const keyed = commands(1, 10_050).map((each) => ({ ...each, idempotencyKey: `key-${each.seq}` }));
    bench.store.append(keyed);
    bench.store.compact(0, START_UNIX_MS + 31);
    expect(bench.store.findKey("key-30")).toBeNull();
    expect(bench.store.findKey("key-31")).not.toBeNull();
    bench.store.compact(0, START_UNIX_MS + 20_000);
    expect(bench.reopen().findKey("key-50")).toBeNull();
    expect(bench.store.findKey("key-51")?.seq).toBe(51);
    expect(bench.store.recentKeys(20_000)).toHaveLength(10_000);
  });
}

function boundsContract(bench: StoreBench): void {
  it("has one owner at a time", () => {
    expect(() => bench.place.open()).toThrow(expect.objectContaining({ code: "store_in_use" }));
    bench.store.append(commands(1, 2));
    expect(bench.reopen().load().log.seq).toBe(2);
  });

  it("says store_full, changes nothing, and goes on once there is room", () => {
    bench.store.append(commands(1, 3));
    const before = everythingIn(bench.store);
    bench.reopenFull(true);
    const bulky = commands(4, 40, { payload: "x".repeat(50_000), idempotencyKey: "bulky" });
    const full = expect.objectContaining({ code: "store_full", retryable: true }) as Error;
    expect(() => bench.store.append(bulky)).toThrow(full);
    expect(everythingIn(bench.store)).toEqual(before);
    expect(bench.store.findKey("bulky")).toBeNull();
    bench.reopenFull(false);
    bench.store.append(bulky);
    expect(bench.reopen().load().log.seq).toBe(40);
  });

  it("can be closed twice and is then stopped", () => {
    bench.store.close();
    bench.store.close();
    const stopped = expect.objectContaining({ code: "stopped" }) as Error;
    expect(() => bench.store.load()).toThrow(stopped);
    expect(() => bench.store.append([command(1)])).toThrow(stopped);
    expect(() => bench.store.markExecuted(0)).toThrow(stopped);
    expect(() => bench.store.logShape()).toThrow(stopped);
  });
}

function compactedClockContract(bench: StoreBench): void {
  it("SB6: what was compacted away still counts, and no more than that once the tail is replaced", () => {
    bench.store.append([...commands(1, 4), command(5, { epoch: 2, origin: ENGINE_B, originSeq: 1 })]);
    bench.store.append([command(6, { epoch: 3, originSeq: 9 })]);
    saveCheckpoint(bench.store, { position: { epoch: 2, seq: 5 }, state: null });
    bench.store.compact(5, 0);
    bench.nowAndReopened((store) => {
      expect(store.load()).toMatchObject({ clock: { [ENGINE_A]: 9, [ENGINE_B]: 1 }, flaw: null });
      expect(store.clockThrough(5)).toEqual({ [ENGINE_A]: 4, [ENGINE_B]: 1 });
    });
    adopt(bench.store, adoption(5, [command(6, { epoch: 4, origin: ENGINE_B, originSeq: 3 })]));
    bench.nowAndReopened((store) =>
      expect(store.load()).toMatchObject({ clock: { [ENGINE_A]: 4, [ENGINE_B]: 3 }, flaw: null }),
    );
  });
}
