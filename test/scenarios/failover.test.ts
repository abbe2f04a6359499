/** The engine on air is lost, freezes, or comes back. */
import { expect } from "vitest";
import { ReferenceEngine } from "../../src/reference-engine/reference-engine.ts";
import { FRAME_MS, scenario } from "./stage.ts";

scenario("A1", "the process of the engine on air is killed", {}, async (stage) => {
  await stage.given("a on air, b ready", () => stage.onAir("a"));
  const { epoch } = stage.state("a");
  const sent: string[] = [];
  await stage.given("20 commands acknowledged for the pair", async () => {
    for (let cue = 0; cue < 20; cue += 1) {
      expect(await stage.submit("a")).toMatchObject({ outcome: "accepted", durability: "pair" });
      sent.push(`cue-${cue + 1}`);
    }
  });
  await stage.when("a is killed", () => stage.process("a").kill(3));
  await stage.outcome("b leads within a frame", async () => {
    expect(await stage.until("b leads", () => stage.leads("b"), 100)).toBeLessThan(FRAME_MS);
  });
  await stage.outcome("at a higher epoch, and takes commands", async () => {
    expect(stage.state("b").epoch).toBeGreaterThan(epoch);
    expect(await stage.submit("b")).toMatchObject({ outcome: "accepted", durability: "local" });
  });
  await stage.outcome("no acknowledged command is lost", async () => {
    await stage.run(100);
    expect(stage.executed("b")).toEqual([...sent, "cue-21"]);
  });
});

scenario("A5", "the engine on air freezes for 10 s while the other takes over", {}, async (stage) => {
  await stage.given("a on air, b ready", () => stage.onAir("a"));
  let late: { outcome: string } | null = null;
  await stage.when("a freezes", () => stage.process("a").pause());
  await stage.outcome("b leads once a has been silent for its lease", async () => {
    const tookMs = await stage.until("b leads", () => stage.leads("b"), 2_000);
    expect(tookMs).toBeLessThan(600 + 200 + FRAME_MS);
  });
  const { epoch } = stage.state("b");
  await stage.when("10 s pass, with commands to b and one that waits for a to wake", async () => {
    for (let cue = 0; cue < 10; cue += 1) expect((await stage.submit("b")).outcome).toBe("accepted");
    const frozen = stage.process("a").life;
    if (frozen !== null) {
      const { scheduler } = stage.world;
      scheduler.enter(frozen, "arrival", () => void stage.send("a").then((answer) => (late = answer)));
    }
    await stage.run(10_000);
  });
  await stage.when("a wakes", () => stage.process("a").wake("arrivals-first"));
  await stage.outcome("a becomes follower of b's epoch; its late command is refused", async () => {
    await stage.until("a follows", () => stage.state("a").role === "follower", 1_000);
    await stage.until("the late command is answered", () => late !== null, 1_000);
    expect(late).not.toMatchObject({ outcome: "accepted" });
    await stage.atRest();
    expect(stage.state("a").epoch).toBe(epoch);
    expect(stage.executed("a")).toEqual(stage.executed("b"));
    expect(stage.executed("b")).toHaveLength(10);
  });
});

scenario("A8", "an engine comes back after a failover", {}, async (stage) => {
  await stage.given("a on air, then killed, b leads", async () => {
    await stage.onAir("a");
    expect((await stage.submit("a")).outcome).toBe("accepted");
    stage.process("a").kill(3);
    await stage.until("b leads", () => stage.leads("b"), 100);
    for (let cue = 0; cue < 5; cue += 1) await stage.submit("b");
  });
  const { epoch } = stage.state("b");
  await stage.when("a is started again", () => stage.process("a").boot());
  await stage.outcome("a is caught up and ready; b still leads", async () => {
    await stage.atRest();
    await stage.run(5_000);
    expect(stage.leads("b")).toBe(true);
    expect(stage.state("b").epoch).toBe(epoch);
    expect(stage.coordinator("a").ready()).toBe(true);
  });
  await stage.outcome("both have the same state", () => {
    expect(stage.executed("a")).toEqual(stage.executed("b"));
    expect(stage.process("a").engineMemory?.chain).toBe(stage.process("b").engineMemory?.chain);
  });
});

const INSTANTS_MS = [0.05, 0.2, 0.4, 0.6, 0.8, 1, 2, 5, 20, 39, 41, 45];

for (const afterMs of INSTANTS_MS) {
  scenario("A11", `the leader dies ${afterMs} ms after it was given a command`, {}, async (stage) => {
    let acknowledged: string | null = null;
    await stage.given("a on air, b ready", () => stage.onAir("a"));
    await stage.when("a gets a command and dies", async () => {
      void stage.send("a").then((answer) => {
        if (answer.outcome === "accepted") acknowledged = answer.durability;
      });
      await stage.run(afterMs);
      stage.process("a").kill(3);
    });
    await stage.outcome("b leads, and has executed it exactly once if it was acknowledged", async () => {
      await stage.until("b leads", () => stage.leads("b"), 100);
      await stage.run(200);
      const times = stage.executed("b").filter((name) => name === "cue-1").length;
      expect(times).toBe(acknowledged === "pair" ? 1 : Math.min(times, 1));
    });
    await stage.outcome("asked for again with its key at b, it stands exactly once", async () => {
      const again = { idempotencyKey: "cue-1", payload: { source: "CAM 1" } };
      expect(await stage.submit("b", again)).toMatchObject({ outcome: "accepted" });
      await stage.run(200);
      expect(stage.executed("b").filter((name) => name === "cue-1")).toHaveLength(1);
    });
  });
}

scenario(
  "A10",
  "failover in the middle of a mix",
  { wrapPorts: (ports) => ({ ...ports, engine: new ReferenceEngine({ clock: ports.clock }) }) },
  async (stage) => {
    const position = async (label: "a" | "b"): Promise<number> => {
      const { body } = await stage.answer(stage.coordinator(label).readEngine("/api/state"));
      return (body as { transitionPosition?: number }).transitionPosition ?? Number.NaN;
    };
    await stage.given("a on air with the reference switcher", async () => {
      stage.world.boot();
      await stage.until("both are ready", () => stage.leads("a") && stage.coordinator("b").ready(), 10_000);
    });
    await stage.given("a mix of one second is half way", async () => {
      const payload = { source: "cam2", type: "mix", durationMs: 1_000 };
      expect((await stage.submit("a", { kind: "POST /api/switch/transition", payload })).outcome).toBe("accepted");
      await stage.run(500);
    });
    const before = await position("a");
    await stage.when("a is killed, and b leads", async () => {
      stage.process("a").kill(3);
      await stage.until("b leads", () => stage.leads("b"), 100);
    });
    await stage.outcome("the mix goes on from the same position, give or take two frames", async () => {
      const after = await position("b");
      expect(before).toBeGreaterThan(0.3);
      expect(Math.abs(after - before)).toBeLessThan((2 * FRAME_MS) / 1_000);
    });
  },
);
