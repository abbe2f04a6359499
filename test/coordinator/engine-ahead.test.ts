/** An engine that runs on beside its coordinator, and whose position is ahead of the log, or behind all that is held of it. */
import { expect, test } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { Pair, type PairSettings } from "./pair.ts";

/** The engine of `b` tells the position that is put into `told`. */
async function telling(commands: PairSettings["commands"] = {}) {
  const told: { position: { epoch: number; seq: number } | null } = { position: null };
  const pair = await Pair.started({
    commands,
    wrapPorts: (ports, label) => {
      if (label === "b") Object.assign(ports.engine, { position: async () => told.position });
      return ports;
    },
  });
  return { pair, told };
}

test("EN9 EN10: an engine ahead of its coordinator's log executes and leads nothing before it has the peer's state", async () => {
  const { pair, told } = await telling();
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

test("EN9 EN10: an engine behind all that its coordinator still holds is given the checkpoint, and goes on from there", async () => {
  const { pair, told } = await telling({ keep: 0, checkpointEvery: 5 });
  for (let n = 1; n <= 12; n += 1) await pair.submit("a", `CAM ${n}`);
  await pair.until(() => pair.of("b").syncHealth().lastExecutedSeq === 12);
  await pair.stop("b");

  // The engine came back with a state that it had stored itself, long ago.
  told.position = { epoch: 1, seq: 2 };
  const { engine } = await pair.start("b");
  await pair.until(() => pair.of("b").ready());
  await pair.submit("a", "CAM 13");
  await pair.until(() => pair.of("b").syncHealth().lastExecutedSeq === 13);
  expect(engine.past).toMatchObject({ epoch: 1, seq: 13 });
});
