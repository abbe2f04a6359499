/** The shrinker cuts a schedule down to the faults that matter. */
import { expect, it } from "vitest";
import type { Fault } from "../../src/simulation/faults/catalogue.ts";
import { runSeed } from "../../src/simulation/run.ts";
import { shrink } from "../../src/simulation/shrink.ts";
import { simulated } from "../../src/simulation/subject.ts";
import { faultsOf } from "../../src/simulation/run.ts";

function fault(atMs: number): Fault {
  return { kind: "cut", atMs, forMs: 1, target: "a", amount: 0 };
}

it("finds the two faults out of forty that fail together", async () => {
  const schedule = Array.from({ length: 40 }, (_, index) => fault(index));
  const fails = async (faults: readonly Fault[]): Promise<boolean> =>
    [7, 31].every((atMs) => faults.some((one) => one.atMs === atMs));
  expect(await shrink(schedule, fails)).toEqual([fault(7), fault(31)]);
});

it("shortens times and durations of the faults that are left", async () => {
  const schedule = [{ ...fault(1_234.567), forMs: 987.654 }, fault(5_000)];
  const fails = async (faults: readonly Fault[]): Promise<boolean> =>
    faults.some(({ atMs, forMs }) => atMs > 1_000 && atMs < 2_000 && forMs >= 100);
  expect(await shrink(schedule, fails)).toEqual([{ ...fault(1_200), forMs: 123 }]);
});

it("leaves the length of a fault that does several things in it", async () => {
  const kept: Fault = { ...fault(1_000), kind: "killed-while-reconciling", forMs: 4_000 };
  expect(await shrink([{ ...kept, atMs: 1_020 }], async (faults) => faults.length > 0)).toEqual([kept]);
});

it(
  "cuts the schedule of a failing seed down, and what is left fails in the same way",
  { timeout: 60_000 },
  async () => {
    const rules = { outOfQuarantine: () => true };
    const fails = async (faults: readonly Fault[]): Promise<boolean> => {
      const { violation } = await runSeed(simulated, { seed: 1, policy: "consistency", faults, rules });
      return violation?.invariant === "I5";
    };
    const planned = faultsOf(1);
    expect(await fails(planned)).toBe(true);
    const least = await shrink(planned, fails);
    expect(least.length).toBeLessThan(planned.length);
    expect(await fails(least)).toBe(true);
  },
);
