/**
 * Every rule on which safety rests is needed: each planted bug must be found. The seed that showed it last, in
 * docs/proof.json, is tried first; where it shows no more, all seeds are searched as `npm run sim -- --bugs` does.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ALL_BUGS } from "../../src/simulation/planted-bugs/all.ts";
import type { BugResult, Task, TaskResult } from "../../src/simulation/tasks.ts";
import { shareOut } from "../../src/simulation/worker-pool.ts";

const WORKERS = 2;

describe("planted bugs", () => {
  it("are at least thirty, and each is found", { timeout: 1_500_000 }, async () => {
    const known = (JSON.parse(readFileSync("docs/proof.json", "utf8")) as { bugs: readonly BugResult[] }).bugs;
    const tasks: Task[] = ALL_BUGS.map(({ name }) => {
      const seed = known.find((bug) => bug.name === name)?.seed;
      return { kind: "bug", name, ...(seed === undefined ? {} : { foundWith: seed }) };
    });
    const results: TaskResult[] = [];
    await shareOut(
      WORKERS,
      () => tasks.shift() ?? null,
      (result) => results.push(result),
    );
    expect(ALL_BUGS.length).toBeGreaterThanOrEqual(30);
    const unfound = results.filter(({ kind, result }) => kind === "bug" && result.invariant === null);
    expect(results.length).toBe(ALL_BUGS.length);
    expect(unfound).toEqual([]);
  });
});
