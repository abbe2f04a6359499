/** What every suite of faults is told: which witness the pairs of it have. */
export interface WitnessUnderTest {
  /** As in the titles. */
  readonly name: string;
  /** URL of the Redis, asked when a test starts; undefined: a SQLite file. */
  readonly redis: () => string | undefined;
}

/** The witness that comes with the package. */
export const EMBEDDED: WitnessUnderTest = { name: "SQLite", redis: () => undefined };
