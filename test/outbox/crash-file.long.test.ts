/** Two hundred kills with a feed in a folder. */
import { test } from "vitest";
import { proveOverKills } from "./crash.suite.ts";

test("[A22] no committed event is lost, and each stands in its order, over 200 kills: file", () =>
  proveOverKills({ kind: "file", address: null, rounds: 200 }));
