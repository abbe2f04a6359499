/** What every store promises of a checkpoint whose state comes in pieces. Part of `store-contract.ts`. */
import { beforeEach, expect, it } from "vitest";
import type { StateDraft, Store } from "../../src/ports/store.ts";
import type { StoreBench } from "./store-bench.ts";
import { adopt, adoption, commands, everythingIn, saveCheckpoint } from "./store-samples.ts";

const POSITION = { epoch: 1, seq: 4 };

/** So many pieces that no store can keep them back. */
const LARGE = Array.from({ length: 64 }, (_, index) => `${index} ▸ ${"x".repeat(32_768)}`);

function draftOf(store: Store, items: readonly string[]): StateDraft {
  const draft = store.draftState();
  items.forEach((item, index) => draft.add(`${index === 0 ? "[" : ","}${JSON.stringify(item)}`));
  draft.add("]");
  return draft;
}

export function storeCheckpointContract(bench: StoreBench): void {
  beforeEach(() => bench.store.append(commands(1, 8)));

  it("keeps a large state that comes in pieces, and the next one in its place", () => {
    bench.store.saveCheckpoint({ position: POSITION, state: draftOf(bench.store, LARGE) });
    bench.nowAndReopened((store) => expect(store.load().checkpoint).toEqual({ position: POSITION, state: LARGE }));
    const next = LARGE.toReversed();
    bench.store.saveCheckpoint({ position: POSITION, state: draftOf(bench.store, next) });
    bench.nowAndReopened((store) => expect(store.load().checkpoint?.state).toEqual(next));
  });

  it("counts nothing of a draft that no checkpoint has kept, nor what a death leaves of it", () => {
    saveCheckpoint(bench.store, { position: POSITION, state: "stands" });
    const before = everythingIn(bench.store);
    draftOf(bench.store, LARGE).discard();
    draftOf(bench.store, LARGE);
    expect(everythingIn(bench.store)).toEqual(before);
    expect(everythingIn(bench.reopen())).toEqual(before);
    saveCheckpoint(bench.store, { position: POSITION, state: "next" });
    expect(bench.reopen().load().checkpoint?.state).toBe("next");
  });

  it("keeps one of two drafts that are made at the same time; discarding it then does nothing", () => {
    const [left, right] = [draftOf(bench.store, LARGE), draftOf(bench.store, LARGE.toReversed())];
    bench.store.saveCheckpoint({ position: POSITION, state: right });
    right.discard();
    left.discard();
    bench.nowAndReopened((store) => expect(store.load().checkpoint?.state).toEqual(LARGE.toReversed()));
  });

  it("tells its positions as `load` does", () => {
    adopt(bench.store, adoption(6, []));
    bench.nowAndReopened((store) => {
      const { log, clock, highestOwnSeq, hlc, lockFence } = store.load();
      expect(store.positions()).toEqual({ log, clock, highestOwnSeq, hlc, lockFence });
      expect(lockFence).toBe(7);
    });
  });
}
