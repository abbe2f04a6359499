/** What only the store in memory has: a disk that outlives its process, and may lose what was not synced. */
import { describe, expect, it } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { MemoryStore } from "../../src/adapters/memory-store.ts";
import { command, commands, CountedIds, ENGINE_A, ENGINE_B, everythingIn } from "../contracts/store-samples.ts";

const ids = new CountedIds();

describe("a memory disk", () => {
  it("[EP2] keeps what a dead process had written", () => {
    const disk = new MemoryDisk();
    const first = new MemoryStore({ ids, disk });
    first.append(commands(1, 3));
    first.saveEpochs({ highestEpoch: 5, acceptedEpoch: 3 });
    const before = everythingIn(first);
    disk.ownerDied();
    expect(everythingIn(new MemoryStore({ ids, disk }))).toEqual(before);
  });

  it("SB6 I15: says a clock above its content at the next opening, and puts it right", () => {
    const disk = new MemoryDisk();
    new MemoryStore({ ids, disk }).append(commands(1, 3));
    disk.ownerDied();
    if (disk.content !== null) disk.content.clock = { [ENGINE_A]: 3, [ENGINE_B]: 2 };
    const { flaw, clock } = new MemoryStore({ ids, disk }).load();
    expect(flaw).toContain(`2 commands of ${ENGINE_B}, 0 are held`);
    expect(clock).toEqual({ [ENGINE_A]: 3 });
  });

  it("takes nothing more from a dead process", () => {
    const disk = new MemoryDisk();
    const dead = new MemoryStore({ ids, disk });
    disk.ownerDied();
    const alive = new MemoryStore({ ids, disk });
    expect(() => dead.append([command(1)])).toThrow(expect.objectContaining({ code: "stopped" }));
    expect(() => dead.markExecuted(1)).toThrow(expect.objectContaining({ code: "stopped" }));
    dead.close();
    alive.append([command(1)]);
    expect(alive.load().log.seq).toBe(1);
  });

  it.each([
    ["loses how far execution had come where the disk does", true, 0],
    ["keeps how far execution had come where the disk does", false, 2],
  ])("%s", (_title, loseUnsynced, lastExecutedSeq) => {
    const disk = new MemoryDisk({ loseUnsynced });
    const first = new MemoryStore({ ids, disk });
    first.append(commands(1, 3));
    first.markExecuted(2);
    expect(first.load().lastExecutedSeq).toBe(2);
    disk.ownerDied();
    expect(new MemoryStore({ ids, disk }).load().lastExecutedSeq).toBe(lastExecutedSeq);
  });

  it("keeps how far execution had come once another write took it along", () => {
    const disk = new MemoryDisk({ loseUnsynced: true });
    const first = new MemoryStore({ ids, disk });
    first.append(commands(1, 3));
    first.markExecuted(2);
    first.append([command(4)]);
    disk.ownerDied();
    expect(new MemoryStore({ ids, disk }).load().lastExecutedSeq).toBe(2);
  });
});

describe("a full memory disk", () => {
  it("refuses every write while it is full, under the eyes of the same process", () => {
    const disk = new MemoryDisk();
    const store = new MemoryStore({ ids, disk });
    store.append(commands(1, 3));
    const before = everythingIn(store);
    disk.full = true;
    const full = expect.objectContaining({ code: "store_full" }) as Error;
    expect(() => store.append([command(4)])).toThrow(full);
    expect(() => store.saveEpochs({ highestEpoch: 9, acceptedEpoch: 9 })).toThrow(full);
    expect(() => store.compact(3, 0)).toThrow(full);
    store.markExecuted(0);
    expect(everythingIn(store)).toEqual(before);
    disk.full = false;
    store.append([command(4)]);
    expect(store.load().log.seq).toBe(4);
  });

  it("cannot begin when it is full, and can later", () => {
    const disk = new MemoryDisk();
    disk.full = true;
    expect(() => new MemoryStore({ ids, disk })).toThrow(expect.objectContaining({ code: "store_full" }));
    disk.full = false;
    expect(new MemoryStore({ ids, disk }).load().log.seq).toBe(0);
  });
});
