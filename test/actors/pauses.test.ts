/** Waits end with their owner. */
import { expect, test } from "vitest";
import { Pauses } from "../../src/actors/pauses.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

test("a wait takes its time; one that is closed ends at once, says so, and leaves no timer", async () => {
  const clock = new VirtualClock();
  const pauses = new Pauses({ clock });
  const passed = pauses.wait(20);
  await clock.pass(20);
  expect(await passed).toBe(true);
  const cut = pauses.wait(20);
  pauses.close();
  pauses.close();
  expect(await cut).toBe(false);
  expect(await pauses.wait(20)).toBe(false);
  expect(clock.waiting).toBe(0);
});
