/** What the suites of the port Witness have in common: a memory with ways to it, and a record to put there. */
import { makeId } from "../../src/core/ids.ts";
import type { Witness, WitnessRecord } from "../../src/ports/witness.ts";

/** A witness on a real server passes time by itself; one with a clock of its own is driven by `pass`. */
export interface WitnessUnderTest {
  /** A further engine's way to the same, at first empty, memory. */
  readonly connect: () => Witness;
  /** Lets at least `ms` pass. */
  readonly pass: (ms: number) => Promise<void>;
  /** The memory loses everything and answers again. */
  readonly forget: () => Promise<void>;
  /** Someone else writes `text` where the record belongs. */
  readonly scribble: (text: string) => Promise<void>;
  /** Closes every client and lets the memory go. */
  readonly end: () => Promise<void>;
}

/** A record of engine a, changed in what a test is about. */
export function aRecord(changed: Partial<WitnessRecord> = {}): WitnessRecord {
  return {
    holder: "a",
    engineId: makeId("engine", "one"),
    epoch: 1,
    seq: 1,
    lastCommandSeq: 0,
    lastCommandEpoch: 0,
    clock: {},
    released: false,
    ...changed,
  };
}

/** Asks until there is an answer: a witness that came back may take a moment to be reached. */
export async function until<Answer>(given: WitnessUnderTest, ask: () => Promise<Answer | null>): Promise<Answer> {
  for (let asked = 0; asked < 1_000; asked += 1) {
    const answer = await ask();
    if (answer !== null) return answer;
    await given.pass(10);
  }
  throw new Error("no such answer came");
}
