/**
 * Which tests run when. A test file says by its name what it needs:
 * `*.test.ts` nothing but Node, `*.server.test.ts` a server from Debian, `*.browser.test.ts` Chromium,
 * `*.long.test.ts` only minutes. `npm test` runs the first kind, `npm run test:all` every kind.
 */
import { defineConfig } from "vitest/config";
import { LeftOutReporter } from "./test/support/left-out-reporter.ts";

const SERVER = "test/**/*.server.test.ts";
const BROWSER = "test/**/*.browser.test.ts";
const LONG = "test/**/*.long.test.ts";

/** How long a test waits for a condition: far longer than it takes, for a loaded machine. */
const PATIENT = { poll: { timeout: 10_000 } };

export default defineConfig({
  test: {
    reporters: ["default", new LeftOutReporter()],
    projects: [
      {
        test: {
          name: "local",
          include: ["test/**/*.test.ts"],
          exclude: [SERVER, BROWSER, LONG],
          testTimeout: 20_000,
          hookTimeout: 20_000,
          expect: PATIENT,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: { name: "long", include: [LONG], testTimeout: 600_000, expect: PATIENT, sequence: { groupOrder: 1 } },
      },
      {
        // One file at a time: these suites start processes and measure what the loser of a fault does.
        test: {
          name: "server",
          include: [SERVER],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          expect: PATIENT,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "browser",
          include: [BROWSER],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          expect: PATIENT,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
