/** What becomes of commands that were accepted on the side of a split that does not stand. */
import { expect } from "vitest";
import { scenario } from "../scenarios/stage.ts";

const FADE = { kind: "POST /api/switch/ftb", payload: { toggle: true } };

scenario(
  "A4",
  "a command that is applied again keeps its key",
  { commands: { onConflict: "reapply" } },
  async (stage) => {
    await stage.splitBrain();
    await stage.submit("a", { ...FADE, idempotencyKey: "fade" });
    await stage.submit("b");
    stage.rejoin("a");
    await stage.atRest();
    expect(stage.coordinator("b").conflicts(10)).toMatchObject([{ outcome: "reapplied" }]);
    // Its panel had no answer, and asks again.
    await stage.submit("b", { ...FADE, idempotencyKey: "fade" });
    await stage.run(500);
    for (const label of ["a", "b"] as const) {
      expect(stage.log(label).filter(({ kind }) => kind === FADE.kind)).toHaveLength(1);
    }
  },
);

scenario("SB2", "the side that has nothing of its own fast-forwards", {}, async (stage) => {
  await stage.splitBrain();
  for (const source of ["CAM 1", "CAM 2"]) await stage.submit("a", { payload: { source }, idempotencyKey: source });
  stage.rejoin("a");
  await stage.atRest();
  expect(stage.leads("b")).toBe(true);
  for (const label of ["a", "b"] as const) {
    expect(stage.executed(label)).toEqual(["CAM 1", "CAM 2"]);
    expect(stage.log(label).map((command) => command.epoch)).toEqual([2, 2]);
    expect(
      stage
        .coordinator(label)
        .conflicts(10)
        .map(({ outcome }) => outcome),
    ).toEqual(["reapplied", "reapplied"]);
  }
});

scenario("SB6", "an engine that fails does not cost its store what it holds", {}, async (stage) => {
  await stage.splitBrain();
  await stage.submit("a", { idempotencyKey: "of-a" });
  stage.process("a").engineFaults.health = "failed";
  stage.rejoin("a");
  // More failed adoptions than a store would be given before it takes the winner's whole state.
  await stage.run(5_000);
  expect(stage.alarms("a")).not.toContain("resynced");
  stage.process("a").engineFaults.health = "ok";
  await stage.atRest();
  expect(stage.alarms("a")).not.toContain("resynced");
});

scenario("SB6", "a full disk does not cost its store what it holds", {}, async (stage) => {
  await stage.splitBrain();
  await stage.submit("a", { idempotencyKey: "of-a" });
  // Another holder of the lock keeps the recovery waiting until the disk is full.
  const lock = await stage.answer(stage.coordinator("b").acquireLock({ holder: "tool", ttlMs: 30_000 }));
  if (lock.outcome !== "acquired") throw new Error(lock.outcome);
  stage.rejoin("a");
  await stage.until("b would recover a", () => stage.alarms("b").includes("split-brain"), 5_000);
  const { disk } = stage.process("a");
  disk.full = true;
  await stage.answer(stage.coordinator("b").releaseLock(lock.lockId));
  // More failed adoptions than a store would be given before it takes the winner's whole state.
  await stage.run(5_000);
  disk.full = false;
  await stage.atRest();
  expect(stage.alarms("a")).not.toContain("resynced");
  expect(stage.coordinator("b").conflicts(10)).toMatchObject([{ divergent: { idempotencyKey: "of-a" } }]);
});
