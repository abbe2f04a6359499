/** Links and witness fail while both engines live. */
import { expect } from "vitest";
import { FRAME_MS, scenario } from "./stage.ts";

for (const policy of ["on-air", "consistency"] as const) {
  scenario(
    "A2",
    `the peer link is cut, both reach the witness (${policy})`,
    { failover: { policy } },
    async (stage) => {
      await stage.given("a on air, b ready", () => stage.onAir("a"));
      const { epoch } = stage.state("a");
      await stage.when("the link is cut for 5 s", () => stage.cut());
      await stage.run(5_000);
      await stage.outcome("a leads on the witness's vote, b waits and says so", () => {
        expect(stage.leads("a")).toBe(true);
        expect(stage.leads("b")).toBe(false);
        expect(stage.state("a")).toMatchObject({ epoch, confirmedBy: "witness" });
        expect(stage.alarms("b")).toContain("peer-unreachable");
      });
      await stage.outcome("a takes commands alone, and the pair is equal once the link is back", async () => {
        expect(await stage.submit("a")).toMatchObject({ outcome: "accepted", durability: "local" });
        stage.healLinks();
        await stage.atRest();
        expect(stage.state("a").epoch).toBe(epoch);
      });
    },
  );

  scenario("A2", `a is cut off from b and from the witness (${policy})`, { failover: { policy } }, async (stage) => {
    await stage.given("a on air, b ready", () => stage.onAir("a"));
    await stage.when("a is cut off", () => stage.isolate("a"));
    await stage.outcome(
      policy === "on-air" ? "a stays on air, unconfirmed; b leads too" : "a stops before b leads",
      async () => {
        await stage.until("b leads", () => stage.leads("b"), 3_000);
        expect(stage.leads("a")).toBe(policy === "on-air");
        if (policy === "on-air") expect(stage.state("a").confirmedBy).toBe("none");
      },
    );
    await stage.outcome("one leader under the higher epoch once it heals", async () => {
      stage.rejoin("a");
      await stage.atRest();
      expect(stage.leads("b")).toBe(true);
    });
  });
}

scenario(
  "A13",
  "both led in a partition and took commands",
  { commands: { onConflict: "leader-wins" } },
  async (stage) => {
    await stage.given("a on air, one command on both", async () => {
      await stage.onAir("a");
      await stage.submit("a");
    });
    await stage.given("a is cut off, b leads too, both take commands", async () => {
      stage.isolate("a");
      await stage.until("b leads", () => stage.leads("b"), 3_000);
      for (let cue = 0; cue < 3; cue += 1) expect((await stage.submit("a")).outcome).toBe("accepted");
      for (let cue = 0; cue < 4; cue += 1) expect((await stage.submit("b")).outcome).toBe("accepted");
      await stage.run(200);
    });
    const onAir = stage.executed("b");
    await stage.when("it heals", () => stage.rejoin("a"));
    await stage.outcome("one leader, its on-air state untouched, both equal", async () => {
      await stage.atRest();
      expect(stage.leads("b")).toBe(true);
      expect(stage.executed("b")).toEqual(onAir);
      expect(stage.executed("a")).toEqual(onAir);
    });
    await stage.outcome("every divergent command is listed on both, with both sides", () => {
      for (const label of ["a", "b"] as const) {
        const conflicts = stage
          .coordinator(label)
          .conflicts(10)
          .filter((one) => one.kind === "command");
        expect(conflicts.map(({ divergent }) => divergent.idempotencyKey).sort()).toEqual(["cue-2", "cue-3", "cue-4"]);
        expect(conflicts.every(({ standing, outcome }) => standing.length === 4 && outcome === "superseded")).toBe(
          true,
        );
      }
    });
  },
);

scenario("A19", "a burst of 20 cuts and a macro of 177 steps while the link drops and returns", {}, async (stage) => {
  await stage.given("a on air, b ready", () => stage.onAir("a"));
  const names: string[] = [];
  await stage.when("the link drops in the burst and returns in the macro", async () => {
    const answers = Array.from({ length: 20 }, () => stage.send("a"));
    await stage.run(0.3);
    stage.cut();
    for (let step = 0; step < 177; step += 1) {
      answers.push(stage.send("a"));
      if (step % 10 === 0) await stage.run(5);
      if (step === 100) stage.healLinks();
    }
    for (const answer of await stage.answer(Promise.all(answers))) expect(answer.outcome).toBe("accepted");
    for (let cue = 1; cue <= 197; cue += 1) names.push(`cue-${cue}`);
  });
  await stage.outcome("both converge: no gap, no double, no reorder", async () => {
    await stage.atRest();
    expect(stage.executed("a")).toEqual(names);
    expect(stage.executed("b")).toEqual(names);
  });
});

scenario(
  "A24",
  "the witness is killed, restarted empty, stalled and stepped with the pair on air",
  {},
  async (stage) => {
    await stage.given("a on air, b ready", () => stage.onAir("a"));
    const { epoch } = stage.state("a");
    const { witness } = stage.world.ground;
    if (witness === null) throw new Error("this stage has a witness");
    const unmoved = async (): Promise<void> => {
      await stage.atRest();
      expect(stage.state("a")).toMatchObject({ epoch, role: "leader" });
      expect(stage.world.ground.witness?.server.record).toMatchObject({ holder: "a", epoch });
    };
    await stage.when("it is down for 3 s", async () => {
      witness.up = false;
      await stage.run(3_000);
      witness.up = true;
    });
    await stage.outcome("no role has changed, the record is renewed", () => unmoved());
    await stage.when("it restarts empty", () => witness.server.forget());
    await stage.run(1_000);
    await stage.outcome("a asserts the same epoch again", () => unmoved());
    await stage.when("it stands still for 5 s", async () => {
      witness.stalledUntilMs = stage.world.nowMs + 5_000;
      await stage.run(6_000);
    });
    await stage.outcome("no role has changed", () => unmoved());
    await stage.when("its clock jumps by an hour", () => witness.stepClock(3_600_000));
    await stage.run(2_000);
    await stage.outcome("no role has changed", () => unmoved());
  },
);

scenario("A16", "clients of both engines across a failover", {}, async (stage) => {
  await stage.given("a on air, with commands", async () => {
    await stage.onAir("a");
    for (let cue = 0; cue < 3; cue += 1) await stage.submit("a");
  });
  await stage.when("a is killed and b takes two commands", async () => {
    stage.process("a").kill(3);
    await stage.until("b leads", () => stage.leads("b"), FRAME_MS);
    for (let cue = 0; cue < 2; cue += 1) await stage.submit("b");
  });
  await stage.outcome("(epoch, seq) orders them, seq without a gap", () => {
    const log = stage.log("b");
    expect(log.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    const epochs = log.map(({ epoch }) => epoch);
    expect(epochs).toEqual([...epochs].sort((left, right) => left - right));
    expect(new Set(epochs).size).toBe(2);
  });
  await stage.outcome("b says at once that it is on air", () => {
    expect(stage.state("b")).toMatchObject({ role: "leader", leader: "b", mayAct: true });
  });
});
