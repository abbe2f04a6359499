/** A process that is frozen in the middle of something. */
import { expect } from "vitest";
import { scenario } from "../scenarios/stage.ts";

scenario("VT5", "frozen between the swap and its answer, it verifies before it acts", {}, async (stage) => {
  await stage.onAir("a");
  const { witness, witnessWays } = stage.world.ground;
  stage.isolate("a");
  await stage.run(300);
  witnessWays.b.back.slow(140);
  await stage.until("b has swapped the record", () => witness?.server.record?.holder === "b", 3_000);
  expect(stage.state("b").role).toBe("candidate");
  stage.process("b").pause();
  stage.process("a").kill(3);
  await stage.run(2_000);
  stage.process("b").wake("as-due");
  await stage.until("b has won what it began", () => stage.state("b").role === "leader", 50);
  expect(stage.leads("b")).toBe(false);
  await stage.until("b acts", () => stage.leads("b"), 500);
});

scenario(
  "VT5",
  "a death proof renews the vote of a leader that was frozen",
  { failover: { policy: "consistency", deathProof: "refused" } },
  async (stage) => {
    await stage.onAir("a");
    if (stage.world.ground.witness !== null) stage.world.ground.witness.up = false;
    stage.process("b").kill(3);
    await stage.run(2_000);
    expect(stage.leads("a")).toBe(true);
    stage.process("a").pause();
    await stage.run(2_000);
    stage.process("a").wake("as-due");
    await stage.until("a acts", () => stage.leads("a"), 1_000);
  },
);

scenario("CP5", "a follower that was frozen does not campaign for a while, whatever it sees", {}, async (stage) => {
  await stage.onAir("a");
  stage.process("b").pause();
  await stage.run(2_000);
  stage.process("b").wake("as-due");
  await stage.run(250);
  expect(stage.state("b").waiting.reasons).toContain("quarantine");
  await stage.run(1_000);
  expect(stage.state("b").waiting.reasons).not.toContain("quarantine");
});

for (const order of ["as-due", "timers-first", "arrivals-first"] as const) {
  scenario(
    "CP5",
    `a follower that was frozen blames nobody for what it missed meanwhile (${order})`,
    {},
    async (stage) => {
      await stage.onAir("a");
      const told: string[] = [];
      stage.world.watch({
        told: (label, event) => {
          if (label === "b" && event.type === "alarm" && event.raised) told.push(event.alarm.code);
        },
      });
      stage.process("b").pause();
      await stage.run(2_000);
      stage.process("b").wake(order);
      await stage.run(2_000);
      expect(told).not.toContain("peer-unreachable");
      expect(stage.leads("a")).toBe(true);
    },
  );
}
