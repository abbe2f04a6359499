/** Engines of others under the pair's name, as whole processes in the virtual world [A35]. */
import { describe, expect, it } from "vitest";
import type { Label } from "../../src/core/ids.ts";
import { COPIED_FOLDER_FAULT_KINDS, STRANGER_FAULT_KINDS } from "../../src/simulation/faults/catalogue.ts";
import { runSeed } from "../../src/simulation/run.ts";
import { simulated } from "../../src/simulation/subject.ts";

const POLICIES = ["consistency", "on-air"] as const;
const COMES_MS = 6_000;

describe.each([...STRANGER_FAULT_KINDS, ...COPIED_FOLDER_FAULT_KINDS])("%s", (kind) => {
  it.each(POLICIES)("A35 VT7 I18: moves no role and writes nothing, and is named, under %s", async (policy) => {
    for (const target of ["a", "b"] as const) {
      const moves: string[] = [];
      const named = new Set<string>();
      const visits: string[] = [];
      const run = await runSeed(simulated, {
        ...{ seed: 5, policy, spokes: 0, sites: 0, feed: false, safetyMs: COMES_MS + 9_000 },
        faults: [{ kind, atMs: COMES_MS, forMs: 8_000, target, amount: 0.3 }],
        settings: (planned) => ({ ...planned, witness: true }),
        prepare: (world) => {
          const note = (label: Label): void => {
            for (const { code } of world.processes[label].coordinator?.state().alarms ?? [])
              named.add(`${label} ${code}`);
          };
          world.scheduler.at(COMES_MS, () =>
            world.watch({
              told: (label, event) => {
                if (event.type === "role") moves.push(`${label} ${event.role} ${event.epoch}`);
                if (event.type === "alarm") note(label);
              },
            }),
          );
          world.scheduler.at(COMES_MS + 7_000, () => {
            for (const { label, disk } of world.strangers.visit?.processes ?? []) {
              visits.push(label);
              const own = ["a", "b"].filter((one) => world.contentOf(one)?.engineId === disk.content?.engineId);
              expect(own).toEqual(kind === "copied-folder" ? [target] : []);
            }
          });
        },
      });
      expect(run.violation, target).toBeNull();
      expect(moves, target).toEqual([]);
      expect(visits, target).toEqual(kind === "second-pair" ? ["a", "b"] : [target]);
      // The record is the pair's all the time: only somebody at the address of a peer is seen by the pair.
      const other = target === "a" ? "b" : "a";
      if (kind === "impostor-process") expect([...named]).toContain(`${other} peer-refused`);
    }
  });
});

it.each(["a", "b"] as const)(
  "VT7 DP1: an engine on a copy of the folder of %s that loses the witness for a moment moves nothing",
  async (target) => {
    const roles: string[] = [];
    const run = await runSeed(simulated, {
      ...{ seed: 1, policy: "on-air", spokes: 0, sites: 0, feed: false, safetyMs: COMES_MS + 11_000 },
      // Nobody listens at the address of its peer, and it is no longer too far behind to lead.
      faults: [{ kind: "copied-folder", atMs: COMES_MS, forMs: 10_000, target, amount: 0.3 }],
      settings: (planned) => ({ ...planned, witness: true }),
      prepare: (world) => {
        const each = (what: "cutOff" | "heal"): void => {
          const way = world.strangers.visit?.witnessWays[target];
          for (const path of [way?.there, way?.back]) path?.[what]();
        };
        world.scheduler.at(COMES_MS + 7_000, () => each("cutOff"));
        world.scheduler.at(COMES_MS + 8_500, () => each("heal"));
        world.scheduler.at(COMES_MS + 9_500, () => {
          const stray = world.strangers.visit?.processes[0];
          roles.push(`${stray?.label} ${stray?.coordinator?.state().role}`);
        });
      },
    });
    expect(run.violation).toBeNull();
    expect(roles).toEqual([`${target} follower`]);
  },
);
