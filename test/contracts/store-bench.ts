/** A store under test: where it is, and what a test does to it besides the calls of its port. */
import { afterEach, beforeEach } from "vitest";
import type { Replica } from "../../src/ports/replica.ts";
import type { Store } from "../../src/ports/store.ts";

/** One place where a store can be, from test to test a new one. */
export interface StorePlace {
  /** Opens the store that is there; makes it the first time. */
  open(): Store;
  /** Lets the store find no more room, or room again. */
  setFull(full: boolean): void;
  dispose(): void;
}

/** A store that can be closed and opened again in its place. */
export interface StoreBench {
  readonly store: Store;
  readonly replica: Replica;
  readonly place: StorePlace;
  reopen(): Store;
  /** Fills the place, or makes room again, and opens the store that is there. */
  reopenFull(full: boolean): void;
  /** What holds now and after a restart. */
  nowAndReopened(check: (store: Store) => void): void;
}

/** A new store before every test, put away behind it. */
export function storeBench(makePlace: () => StorePlace): StoreBench {
  let place: StorePlace;
  let store: Store;
  const bench: StoreBench = {
    get store() {
      return store;
    },
    get replica() {
      return store.replica;
    },
    get place() {
      return place;
    },
    reopen() {
      store.close();
      store = place.open();
      return store;
    },
    reopenFull(full) {
      place.setFull(full);
      bench.reopen();
    },
    nowAndReopened(check) {
      check(store);
      check(bench.reopen());
    },
  };
  beforeEach(() => {
    place = makePlace();
    store = place.open();
  });
  afterEach(() => {
    store.close();
    place.dispose();
  });
  return bench;
}
