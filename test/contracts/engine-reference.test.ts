/** The reference switcher keeps the engine's contract. */
import { SystemClock } from "../../src/adapters/system-clock.ts";
import { ReferenceEngine } from "../../src/reference-engine/reference-engine.ts";
import { describeEngineContract } from "./engine-contract.ts";

describeEngineContract("the reference switcher", {
  make: async () => new ReferenceEngine({ clock: new SystemClock() }),
  judgesCommands: true,
});
