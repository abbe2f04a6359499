/** Wall clocks that jump: commands under way keep their instant, and nothing waits for a clock that has gone back. */
import { expect } from "vitest";
import { scenario } from "../scenarios/stage.ts";

const HOUR_MS = 3_600_000;

for (const label of ["a", "b"] as const) {
  scenario(
    "A9",
    `the wall clock of ${label} goes back an hour while a command waits for its instant`,
    {},
    async (stage) => {
      await stage.onAir("a");
      await stage.submit("a");
      await stage.run(500);
      const asked = stage.send("a", { idempotencyKey: "cut" });
      await stage.run(5);
      stage.process(label).machine.clock.stepUnix(-HOUR_MS);
      await stage.answer(asked);
      await stage.run(60);
      for (const one of ["a", "b"] as const) expect(stage.executed(one)).toContain("cut");
      await stage.submit("a", { idempotencyKey: "next" });
      await stage.run(60);
      for (const one of ["a", "b"] as const) expect(stage.executed(one)).toContain("next");
    },
  );
}

scenario(
  "A9",
  "an engine that starts with a clock an hour behind does not wait for what it missed",
  {},
  async (stage) => {
    await stage.onAir("a");
    stage.process("b").kill(3);
    await stage.run(1_000);
    await stage.submit("a", { idempotencyKey: "missed" });
    stage.process("b").machine.clock.stepUnix(-HOUR_MS);
    stage.process("b").boot();
    await stage.atRest(5_000);
    expect(stage.executed("b")).toContain("missed");
  },
);

const DAY_MS = 86_400_000;

for (const days of [1, 365]) {
  scenario(
    "A34",
    `CK1–CK4: the clock of the leader is ${days} days ahead for a while: commands go on, records flow again by themselves`,
    {},
    async (stage) => {
      await stage.onAir("a");
      const records = (label: "a" | "b") => stage.coordinator(label).replication.records;
      const alarms = (label: "a" | "b") =>
        stage
          .coordinator(label)
          .state()
          .alarms.map(({ code }) => code);
      stage.process("a").machine.clock.stepUnix(days * DAY_MS);
      await stage.run(3_000);
      await stage.submit("a", { idempotencyKey: "while wrong" });
      await stage.run(60);
      for (const one of ["a", "b"] as const) expect(stage.executed(one)).toContain("while wrong");
      expect(records("a").set("macros", "x", 1)).toMatchObject({ outcome: "clock-wrong" });
      expect(stage.coordinator("a").readiness()).toMatchObject({ ready: false, reasons: ["clock-wrong"] });
      expect(alarms("a")).toEqual(expect.arrayContaining(["clock-wrong", "clocks-far-apart"]));
      expect(alarms("b")).toContain("clocks-far-apart");
      // The follower's own records are not stamped by the leader's clock.
      expect(records("b").set("macros", "y", 1)).toMatchObject({ outcome: "written" });
      stage.process("a").machine.clock.stepUnix(-days * DAY_MS);
      await stage.run(5_000);
      expect(records("a").set("macros", "x", 2)).toMatchObject({ outcome: "written" });
      await stage.run(10_000);
      for (const one of ["a", "b"] as const) {
        expect([records(one).get("macros", "x")?.value, records(one).get("macros", "y")?.value]).toEqual([2, 1]);
        expect(alarms(one)).not.toContain("clock-wrong");
        expect(alarms(one)).not.toContain("clocks-far-apart");
        expect(stage.coordinator(one).readiness().ready).toBe(true);
      }
    },
  );
}
