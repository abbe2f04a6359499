/** People: holds, forced leaders, rolling upgrades; and engines that are not well. */
import { expect } from "vitest";
import type { ForceLeaderRequest } from "../../src/core/outcomes.ts";
import { FRAME_MS, scenario } from "./stage.ts";

function request(more: Partial<ForceLeaderRequest> = {}): ForceLeaderRequest {
  return {
    ...{ mode: "graceful", reason: "the desk says so", requestId: "req-1", expectedEpoch: null },
    ...{ acceptDualAir: false, by: "operator" },
    ...more,
  };
}

scenario("A3", "a person holds a, and automation would move to b", {}, async (stage) => {
  await stage.given("a on air, held by a person", async () => {
    await stage.onAir("a");
    stage.coordinator("a").setMaintenance({ on: true, reason: "works on b", by: "operator" });
    await stage.run(500);
  });
  await stage.when("a is killed", () => stage.process("a").kill(3));
  await stage.outcome("nothing moves, and an alarm shows it", async () => {
    await stage.run(5_000);
    expect(stage.leads("b")).toBe(false);
    expect(stage.alarms("b")).toContain("maintenance-blocks-failover");
  });
  await stage.when("a person forces b", async () => {
    const asked = stage.coordinator("b").forceLeader(request({ mode: "immediate" }));
    expect((await stage.answer(asked)).outcome).toBe("leads");
  });
  await stage.outcome("b leads; the hold still stands", () => {
    expect(stage.leads("b")).toBe(true);
    expect(stage.state("b").maintenance).toMatchObject({ on: true, by: "operator" });
  });
});

scenario("A6", "b's engine is unhealthy when a degrades", {}, async (stage) => {
  await stage.given("a on air, b's engine failed", async () => {
    await stage.onAir("a");
    stage.process("b").engineFaults.health = "failed";
    await stage.run(500);
  });
  const { epoch } = stage.state("a");
  await stage.when("a's engine fails too", () => (stage.process("a").engineFaults.health = "failed"));
  await stage.outcome("nothing switches; the alarm says that there is no valid backup", async () => {
    await stage.run(3_000);
    expect(stage.leads("a")).toBe(true);
    expect(stage.state("a").epoch).toBe(epoch);
    expect(stage.alarms("a")).toContain("no-valid-backup");
  });
  await stage.when("b's engine is well again", () => (stage.process("b").engineFaults.health = "ok"));
  await stage.outcome("b takes over", async () => {
    await stage.until("b leads", () => stage.leads("b"), 2_000);
  });
});

scenario("A7", "health and link flap every 300 ms for 5 min", {}, async (stage) => {
  await stage.given("a on air, b ready", () => stage.onAir("a"));
  let changes = 0;
  let changesInLastMinute = 0;
  stage.world.watch({
    told: (_label, event) => {
      if (event.type !== "role" || event.role !== "leader") return;
      changes += 1;
      if (stage.world.nowMs > 250_000) changesInLastMinute += 1;
    },
  });
  await stage.when("they flap", async () => {
    const endMs = stage.world.nowMs + 300_000;
    for (let sick = true; stage.world.nowMs < endMs; sick = !sick) {
      const leader = stage.leads("a") ? "a" : "b";
      stage.process(leader).engineFaults.health = sick ? "failed" : "ok";
      if (sick) stage.cut();
      else stage.healLinks();
      await stage.run(300);
    }
    for (const label of ["a", "b"] as const) stage.process(label).engineFaults.health = "ok";
    stage.healLinks();
  });
  await stage.outcome("the role moved no oftener than three times a minute allows", () => {
    expect(changes).toBeLessThanOrEqual(3 * 6);
    expect(changesInLastMinute).toBeLessThanOrEqual(3);
  });
  await stage.outcome("and not at all afterwards", async () => {
    await stage.atRest(70_000);
    const before = changes;
    await stage.run(120_000);
    expect(changes).toBe(before);
  });
});

scenario("A12", "force-leader", {}, async (stage) => {
  await stage.given("a on air, b ready", () => stage.onAir("a"));
  const { epoch } = stage.state("a");
  await stage.outcome("a, who leads, says so", async () => {
    const asked = stage.coordinator("a").forceLeader(request({ requestId: "req-0" }));
    expect(await stage.answer(asked)).toEqual({ outcome: "already-leader", epoch });
  });
  const asked = (): Promise<unknown> => stage.answer(stage.coordinator("b").forceLeader(request()));
  let first: unknown;
  await stage.when("b is forced", async () => void (first = await asked()));
  await stage.outcome("b leads within a second, under one epoch", () => {
    expect(first).toMatchObject({ outcome: "leads", answer: { previousEpoch: epoch, previousLeader: "a" } });
    expect((first as { answer: { tookMs: number } }).answer.tookMs).toBeLessThan(1_000);
    expect(stage.leads("b")).toBe(true);
  });
  await stage.outcome("it is on record with its reason", async () => {
    await stage.run(50);
    expect(stage.coordinator("b").leadership(1)[0]).toMatchObject({ cause: "forced", reason: "the desk says so" });
  });
  await stage.outcome("the same request gets the same answer", async () => expect(await asked()).toEqual(first));
});

scenario("A25", "a rolling upgrade: a stops and starts, then b", {}, async (stage) => {
  await stage.given("a on air, with a command", async () => {
    await stage.onAir("a");
    await stage.submit("a");
  });
  for (const [first, second] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    let gapMs = Infinity;
    await stage.when(`${first} is stopped cleanly`, async () => {
      const sinceMs = stage.world.nowMs;
      stage.process(first).stop();
      await stage.until("it stops acting", () => !stage.leads(first), 1_000);
      const stoppedMs = stage.world.nowMs;
      await stage.until(`${second} leads`, () => stage.leads(second), 1_000);
      gapMs = stage.world.nowMs - stoppedMs;
      expect(stoppedMs - sinceMs).toBeLessThan(500);
    });
    await stage.outcome(`${second} leads within a frame, with all commands`, async () => {
      expect(gapMs).toBeLessThan(FRAME_MS);
      expect((await stage.submit(second)).outcome).toBe("accepted");
    });
    await stage.when(`${first} is started again`, () => stage.process(first).boot());
    await stage.outcome(`the pair is at rest again, and ${second} sees ${first} ready`, async () => {
      await stage.atRest();
      await stage.until("seen ready", () => stage.state(second).peer.syncState === "ready", 1_000);
    });
  }
  await stage.outcome("nothing is lost", () => {
    expect(stage.executed("a")).toEqual(["cue-1", "cue-2", "cue-3"]);
    expect(stage.executed("b")).toEqual(stage.executed("a"));
  });
});
