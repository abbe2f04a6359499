/** What every suite of faults is told: which witness the pairs of it have. */
export interface WitnessUnderTest {
  /** As in the titles. */
  readonly name: string;
  /** URL of the Redis, asked when a test starts; undefined: a SQLite file. */
  readonly redis: () => string | undefined;
}

/** Of one scenario: far longer than it takes, for a machine that has much else to do. */
export const PATIENCE_MS = 240_000;

/** The witness that comes with the package. */
export const EMBEDDED: WitnessUnderTest = { name: "SQLite", redis: () => undefined };
