/** A feed in a folder over kills of its publisher. `CRASH_ROUNDS` sets how many; few by default. */
import { test } from "vitest";
import { proveOverKills } from "./crash.suite.ts";

const ROUNDS = Number(process.env["CRASH_ROUNDS"] ?? 8);

test(
  `[A22] no committed event is lost, and each stands in its order, over ${ROUNDS} kills: file`,
  { timeout: 60_000 + ROUNDS * 5_000 },
  () => proveOverKills({ kind: "file", address: null, rounds: ROUNDS }),
);
