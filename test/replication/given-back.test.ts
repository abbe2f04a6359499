/** R1 RP2: a spoke gives a hub back what that has lost, until the hub has taken it. */
import { expect, it } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { makePlace, originOf, type Place, SetClock, shown } from "../support/replication-node.ts";

it("also where the clock of the restored hub is behind when it is given it, and right later", async () => {
  const [disk, spokeDisk, clock] = [new MemoryDisk(), new MemoryDisk(), new SetClock()];
  const spokeOf = (hub: Place): Place =>
    makePlace({ name: "s1", clock, disk: spokeDisk, hub: hub.wayFor(originOf("s1")) });
  const hub = makePlace({ name: "hub", clock, disk });
  hub.replication.records.set("macros", "kept", 1);
  let spoke = spokeOf(hub);
  await exchange(spoke);
  const backup = new MemoryDisk();
  backup.content = structuredClone(disk.content);
  clock.nowMs += 60_000;
  for (const field of ["lost 1", "lost 2"]) hub.replication.records.set("macros", field, 2);
  await exchange(spoke);
  hub.replication.stop();
  spoke.replication.stop();
  spokeDisk.ownerDied();
  const behind = new SetClock();
  const restored = makePlace({ name: "hub", clock: behind, disk: backup });
  spoke = spokeOf(restored);
  await exchange(spoke);
  await exchange(spoke);
  expect(restored.replication.records.get("macros", "lost 1")).toBeNull();
  behind.nowMs = clock.nowMs;
  for (let turn = 0; turn < 3; turn += 1) await exchange(spoke);
  expect(restored.replication.records.get("macros", "lost 2")?.value).toBe(2);
  expect(shown(restored)).toEqual(shown(spoke));
  for (const { replication } of [restored, spoke]) replication.stop();
});

async function exchange({ replication }: Place): Promise<void> {
  expect((await replication.spoke?.exchangeNow())?.outcome).toBe("done");
}
