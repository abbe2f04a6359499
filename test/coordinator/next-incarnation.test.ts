/** [HB2] Of two starts of an engine the names say which was the later one. */
import { describe, expect, it } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { MemoryStore } from "../../src/adapters/memory-store.ts";
import { nextIncarnation } from "../../src/coordinator/create-coordinator.ts";
import { type IncarnationId, isEarlierStart, parseId } from "../../src/core/ids.ts";
import { NamedIds, SetClock, START_MS } from "../support/replication-node.ts";

class Machine {
  readonly disk = new MemoryDisk();
  readonly clock = new SetClock();
  readonly warnings: string[] = [];
  /** What stands on the disk before the next start. */
  noted: string | null = null;
  store: MemoryStore | null = null;

  start(): IncarnationId {
    this.disk.ownerDied();
    const store = (this.store = new MemoryStore({ ids: new NamedIds("a"), disk: this.disk }));
    if (this.noted !== null) store.replica.peerState.set("start", this.noted);
    this.noted = null;
    const silent = (): void => undefined;
    const warn = (_detail: object, message: string): void => void this.warnings.push(message);
    const logger = { debug: silent, info: silent, warn, error: silent };
    return nextIncarnation({ store, clock: this.clock, ids: new NamedIds("a"), logger }, () => false);
  }
}

describe("[HB2] the name of a start", () => {
  it("is an incarnation's, and no two are the same", () => {
    const machine = new Machine();
    const names = [machine.start(), machine.start()];
    for (const name of names) expect(parseId("incarnation", name)).toBe(name);
    expect(new Set(names).size).toBe(2);
  });

  it("is later than that of every start before, also when the wall clock was set back in between", () => {
    const machine = new Machine();
    const first = machine.start();
    machine.clock.nowMs = START_MS - 3_600_000;
    const second = machine.start();
    const third = machine.start();
    expect(isEarlierStart(first, second)).toBe(true);
    expect(isEarlierStart(second, third)).toBe(true);
    expect(isEarlierStart(second, first)).toBe(false);
    expect(isEarlierStart(first, first)).toBe(false);
  });

  it("goes by the wall clock where the disk is full, and holds up no start", () => {
    const machine = new Machine();
    const first = machine.start();
    machine.disk.full = true;
    machine.clock.nowMs += 5_000;
    const second = machine.start();
    expect(machine.warnings).toEqual(["this start could not be noted; it is tried again until the disk takes it"]);
    machine.disk.full = false;
    machine.clock.nowMs += 5_000;
    expect(isEarlierStart(first, second)).toBe(true);
    expect(isEarlierStart(second, machine.start())).toBe(true);
  });

  it("is noted as soon as the disk takes it: the next start is the later one, though the clock was put back", async () => {
    const machine = new Machine();
    machine.start();
    machine.disk.full = true;
    machine.clock.nowMs += 3_600_000;
    const first = machine.start();
    machine.disk.full = false;
    await expect
      .poll(() => machine.store?.replica.peerState.get("start"), { timeout: 10_000 })
      .toBe(String(machine.clock.nowMs));
    machine.clock.nowMs -= 3_600_000;
    expect(isEarlierStart(first, machine.start())).toBe(true);
  });

  it.each(["inc_V1StGXR8_Z5jdHi6B-myT", "inc_7-StGXR8Z5jdHi6BmyT42", "inc_1234567890123456789-x"])(
    "tells nothing where an older version made it: %s",
    (name) => {
      const [old, numbered] = [name, new Machine().start()] as [IncarnationId, IncarnationId];
      expect(isEarlierStart(old, numbered)).toBe(false);
      expect(isEarlierStart(numbered, old)).toBe(false);
    },
  );

  it.each(["1e300", "Infinity", "999999999999999", "-5", "x"])(
    "a broken note of the last start counts as none: %s",
    (note) => {
      const machine = new Machine();
      machine.noted = note;
      const first = machine.start();
      machine.clock.nowMs += 1;
      expect(isEarlierStart(first, machine.start())).toBe(true);
    },
  );
});
