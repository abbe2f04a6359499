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
