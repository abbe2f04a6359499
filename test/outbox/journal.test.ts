/** What a store's journal writes into the outbox, on every store: with the change, or not at all. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ControlEvent } from "../../src/core/control-event.ts";
import { OutboxJournal } from "../../src/outbox/journal.ts";
import type { Store } from "../../src/ports/store.ts";
import { memoryPlace, sqlitePlace } from "../contracts/store-places.ts";
import type { StorePlace } from "../contracts/store-bench.ts";
import { adopt, adoption, command, commands, conflict, ENGINE_B, leadership } from "../contracts/store-samples.ts";
import { controlEvent } from "../contracts/outbox-contract.ts";

const ALL = { limit: 1_000, maxBytes: 1e9, throughVersion: Number.MAX_SAFE_INTEGER };

/** A store with its journal, and what waits in its outbox. */
interface Bench {
  readonly store: Store;
  waiting(stackId: string): readonly ControlEvent[];
  /** Version and base of every event of the programme. */
  places(): unknown[];
  reopen(): void;
}

describe.each<[string, () => StorePlace]>([
  ["MemoryStore", () => memoryPlace()],
  ["SqliteStore", sqlitePlace],
])("the journal on a %s", (_name, makePlace) => {
  let place: StorePlace;
  let store: Store;
  const open = (): void => {
    store = place.open();
    const clock = { unixMs: () => 1_900_000_000_000 };
    store.setJournal(new OutboxJournal({ clock, replica: store.replica, wrote: () => {} }, { tenantId: "studio-1" }));
  };
  const bench: Bench = {
    get store() {
      return store;
    },
    waiting: (stackId) => store.replica.outbox.waiting(stackId, ALL).map(({ event }) => event),
    places: () => bench.waiting("programme").map(({ version, baseVersion }) => [version, baseVersion]),
    reopen: () => {
      store.close();
      open();
    },
  };
  beforeEach(() => {
    place = makePlace();
    open();
  });
  afterEach(() => {
    store.close();
    place.dispose();
  });
  changes(bench);
  adoptions(bench);
});

function changes(bench: Bench): void {
  it("tells of commands as they follow each other, and of an epoch's first as standing upon any", () => {
    bench.store.append(commands(1, 3));
    bench.store.append([command(4, { epoch: 2 }), command(5, { epoch: 2 })]);
    const wanted = [[1, 0], [2, 1], [3, 2], [4, 0], [5, 4]]; // prettier-ignore
    expect(bench.places()).toEqual(wanted);
    bench.reopen();
    expect(bench.places()).toEqual(wanted);
  });

  it("tells of a leadership once, and of a conflict once for each outcome", () => {
    bench.store.saveLeadership(leadership(1));
    bench.store.saveLeadership(leadership(1, { toUnixMs: 5 }));
    bench.store.saveLeadership(leadership(2));
    bench.store.saveConflicts([conflict("cfl_1", { outcome: "open" })]);
    bench.store.saveConflicts([conflict("cfl_1", { outcome: "open" })]);
    bench.store.replica.conflicts.save([conflict("cfl_1", { outcome: "resolved" })]);
    expect(bench.waiting("leadership").map(({ version }) => version)).toEqual([1, 2]);
    expect(bench.waiting("conflict/cfl_1").map(({ eventType }) => eventType)).toEqual([
      "conflict.open",
      "conflict.resolved",
    ]);
  });
}

function adoptions(bench: Bench): void {
  it("[SB3] withdraws what an adopted log takes back, and keeps what both logs have", () => {
    bench.store.append(commands(1, 5));
    const standing = [4, 5, 6].map((seq) => command(seq, { epoch: 2, origin: ENGINE_B, originSeq: seq - 3 }));
    adopt(bench.store, adoption(3, standing, { conflicts: [conflict("cfl_1")] }));
    expect(bench.waiting("programme").map(({ eventId }) => eventId.includes(ENGINE_B))).toEqual([
      ...[false, false, false],
      ...[true, true, true],
    ]);
    expect(bench.places().slice(3)).toEqual([[4, 0], [5, 4], [6, 5]]); // prettier-ignore
    expect(bench.waiting("conflict/cfl_1")).toHaveLength(1);
  });

  it("takes over the events of commands that never come along", () => {
    const owed = [2, 3].map((version) => controlEvent("programme", version));
    const base = { shape: [{ epoch: 2, from: 1, to: 3 }], position: { epoch: 2, seq: 3 } };
    const brought = [command(4, { epoch: 2, origin: ENGINE_B, originSeq: 1 })];
    adopt(bench.store, adoption(0, brought, { base, outbox: owed }));
    expect(bench.places()).toEqual([[2, 1], [3, 2], [4, 3]]); // prettier-ignore
  });

  it("writes nothing for a change that is refused", () => {
    expect(() => bench.store.append([command(7)])).toThrow();
    expect(bench.places()).toEqual([]);
  });

  it("undoes the change when its event cannot be written", () => {
    bench.store.setJournal({
      ...{ adopted: () => {}, led: () => {}, conflicted: () => {} },
      appended: () => {
        throw new Error("no room for the event");
      },
    });
    expect(() => bench.store.append(commands(1, 2))).toThrow("no room for the event");
    expect(bench.store.positions().log.seq).toBe(0);
    expect(bench.store.commandsAfter(0, 10).commands).toEqual([]);
  });
}
