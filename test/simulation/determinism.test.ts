/** The same seed gives the same history: in one process, in two, over one worker or several. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSeed } from "../../src/simulation/run.ts";
import { simulated } from "../../src/simulation/subject.ts";
import type { Task } from "../../src/simulation/tasks.ts";
import { shareOut } from "../../src/simulation/worker-pool.ts";

const MAIN = fileURLToPath(new URL("../../src/simulation/main.ts", import.meta.url));
const run = promisify(execFile);

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "trace-"))));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function traceOf(name: string): Promise<Buffer> {
  const file = join(folder, name);
  await run(process.execPath, [MAIN, "--seeds", "1", "--first", "10", "--policy", "on-air", "--trace", file]);
  return readFile(file);
}

describe("a seed", () => {
  it("gives the same trace, byte for byte, in two processes", { timeout: 60_000 }, async () => {
    const [first, second] = await Promise.all([traceOf("first"), traceOf("second")]);
    expect(first.length).toBeGreaterThan(100_000);
    expect(first.equals(second)).toBe(true);
  });

  it("a sweep prints one hash over all its traces, the same in two processes", { timeout: 60_000 }, async () => {
    const hashOf = async (workers: string): Promise<string | undefined> => {
      const { stdout } = await run(process.execPath, [MAIN, "--seeds", "2", "--workers", workers]);
      return /^trace hash +([0-9a-f]{16})$/mu.exec(stdout)?.[1];
    };
    const [one, two] = await Promise.all([hashOf("1"), hashOf("2")]);
    expect(one).toBeDefined();
    expect(two).toBe(one);
  });

  it("gives the same steps whether or not somebody listens, and others than the next seed", async () => {
    const quiet = await runSeed(simulated, { seed: 10, policy: "on-air" });
    let lines = 0;
    const loud = await runSeed(simulated, { seed: 10, policy: "on-air", sink: () => (lines += 1) });
    const other = await runSeed(simulated, { seed: 11, policy: "on-air" });
    expect(lines).toBeGreaterThan(1_000);
    expect(loud.traceHash).toBe(quiet.traceHash);
    expect(other.traceHash).not.toBe(quiet.traceHash);
  });

  it("gives the same result over one worker and over three", { timeout: 60_000 }, async () => {
    const results = async (workers: number): Promise<unknown[]> => {
      const tasks: Task[] = [1, 2, 3, 4, 5, 6].map((seed) => ({ kind: "seed", seed, policy: "consistency" }));
      const done: unknown[] = [];
      await shareOut(
        workers,
        () => tasks.shift() ?? null,
        (result) => done.push(result),
      );
      return done;
    };
    expect(await results(3)).toEqual(await results(1));
  });
});
