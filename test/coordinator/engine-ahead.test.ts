/** An engine that runs on beside a coordinator whose folder was restored: it has executed what the folder does not hold. */
import { expect, test } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { Pair } from "./pair.ts";

test("EN9 EN10: an engine ahead of its coordinator's log executes and leads nothing before it has the peer's state", async () => {
  const told: { position: { epoch: number; seq: number } | null } = { position: null };
  const pair = await Pair.started({
    wrapPorts: (ports, label) => {
      if (label === "b") Object.assign(ports.engine, { position: async () => told.position });
      return ports;
    },
  });
  await pair.submit("a", "CAM 1");
  await pair.until(() => pair.of("b").syncHealth().lastExecutedSeq === 1);
  const { content } = pair.disks.b;
  const old = structuredClone(content);
  await pair.stop("b");
  await pair.stop("a");
  Object.assign(pair.disks, { b: Object.assign(new MemoryDisk(), { content: old }) });

  told.position = { epoch: 1, seq: 7 };
  const { engine } = await pair.start("b");
  await pair.clock.pass(10_000);
  expect(pair.of("b").state()).toMatchObject({ role: "follower", mayAct: false });
  expect(pair.alarm("b", "engine-failed")).toBe(true);
  expect(engine.past).toBeNull();

  await pair.start("a");
  await pair.until(() => pair.of("a").mayAct() && pair.of("b").ready());
  expect(engine.past).toMatchObject({ epoch: 1, seq: 1 });
  expect(pair.alarm("b", "engine-failed")).toBe(false);
});
