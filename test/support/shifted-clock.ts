/**
 * A launcher like `src/cli/main.ts` whose wall clock is wrong by as many ms as the file named by `CLOCK_FILE`, or `CONFIG.clock`, says, from one moment
 * to the next, as on a host whose time somebody sets.
 */
import { readFileSync } from "node:fs";

const file = process.env["CLOCK_FILE"] ?? `${process.argv.at(process.argv.indexOf("-c") + 1)}.clock`;
const rightNow = Date.now.bind(Date);
const READ_EVERY_MS = 50;
let readAt = -Infinity;
let aheadMs = 0;

Date.now = () => {
  if (performance.now() - readAt >= READ_EVERY_MS) {
    readAt = performance.now();
    try {
      aheadMs = Number(readFileSync(file, "utf8")) || 0;
    } catch {
      aheadMs = 0;
    }
  }
  return rightNow() + aheadMs;
};

await import("../../src/cli/main.ts");
