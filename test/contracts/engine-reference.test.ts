/** The reference switcher keeps the engine's contract. */
import { SystemClock } from "../../src/adapters/basics.ts";
import { ReferenceEngine } from "../../src/reference-engine/reference-engine.ts";
import { CUT_WITHOUT_SOURCE, engineContract } from "../../src/testing/engine-contract.ts";
import { runContract } from "./run-contract.ts";

runContract(
  "engine contract: the reference switcher",
  engineContract({
    make: async () => new ReferenceEngine({ clock: new SystemClock() }),
    failing: CUT_WITHOUT_SOURCE,
  }),
);
