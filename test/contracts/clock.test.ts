/** The machine's clock keeps the contract of the port Clock. */
import { SystemClock } from "../../src/adapters/basics.ts";
import { clockContract } from "./clock-contract.ts";

/** Two waits: a timer of the first turn that has to look at the time once more is due before the second ends. */
const wait = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

clockContract("SystemClock", () => ({
  clock: new SystemClock(),
  pass: (ms) => wait(ms).then(() => wait(5)),
}));
