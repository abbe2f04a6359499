/**
 * Which tests run when. A test file says by its name what it needs:
 * `*.test.ts` nothing but Node, `*.engines.test.ts` a core for the engines that it starts, `*.pair.test.ts` the machine to
 * itself, `*.server.test.ts` a server from Debian, `*.browser.test.ts` Chromium, `*.long.test.ts` only minutes.
 * `npm test` runs the first three, `npm run test:all` all.
 */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { LeftOutReporter } from "./test/support/left-out-reporter.ts";

/**
 * The tests start engines and commands by the hundred, and most of what a start costs is compiling the same files. Every
 * process that inherits this variable takes them compiled from here.
 */
process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url));

const ENGINES = "test/**/*.engines.test.ts";
const PAIR = "test/**/*.pair.test.ts";
const SERVER = "test/**/*.server.test.ts";
const BROWSER = "test/**/*.browser.test.ts";
const LONG = "test/**/*.long.test.ts";

/** How long a test waits for a condition: far longer than it takes, for a loaded machine. */
const PATIENT = { poll: { timeout: 10_000 } };

/** Suites whose files do not disturb each other: one on each core. Vitest would leave one core idle, half of a small machine. */
const SIDE_BY_SIDE = { maxWorkers: "100%" };

/**
 * Suites that start whole engines. A machine that stands still for a second is no fault of an engine: what fails is tried
 * once more, and the reporter tells of it.
 */
const WHOLE_ENGINES = { retry: 1, testTimeout: 120_000, hookTimeout: 60_000, expect: PATIENT };

/** One file at a time where a role must stay or move in time: engines that starve each other prove nothing. */
const ONE_BY_ONE = { ...WHOLE_ENGINES, fileParallelism: false };

export default defineConfig({
  test: {
    reporters: ["default", new LeftOutReporter()],
    projects: [
      {
        test: {
          name: "local",
          include: ["test/**/*.test.ts"],
          exclude: [ENGINES, PAIR, SERVER, BROWSER, LONG],
          ...SIDE_BY_SIDE,
          testTimeout: 20_000,
          hookTimeout: 20_000,
          expect: PATIENT,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "long",
          include: [LONG],
          ...SIDE_BY_SIDE,
          testTimeout: 600_000,
          expect: PATIENT,
          sequence: { groupOrder: 1 },
        },
      },
      // What waits for an exchange or for a process to start, however long it takes, shares the machine.
      {
        test: {
          name: "engines",
          include: [ENGINES],
          ...WHOLE_ENGINES,
          ...SIDE_BY_SIDE,
          sequence: { groupOrder: 2 },
        },
      },
      { test: { name: "pair", include: [PAIR], ...ONE_BY_ONE, sequence: { groupOrder: 3 } } },
      { test: { name: "server", include: [SERVER], ...ONE_BY_ONE, sequence: { groupOrder: 4 } } },
      { test: { name: "browser", include: [BROWSER], ...ONE_BY_ONE, sequence: { groupOrder: 5 } } },
    ],
  },
});
