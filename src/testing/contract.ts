/**
 * What the contract suites have in common. A suite is a list of cases, each with a title and a function that throws when
 * the adapter breaks its promise. So it runs under any test runner, and this package needs none.
 */
import { AssertionError, deepEqual } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

/** One promise of a port. */
export interface ContractCase {
  readonly title: string;
  /** Resolves when the adapter keeps the promise, rejects with an `AssertionError` when it does not. */
  readonly run: () => Promise<void>;
}

/** How the parts of a suite declare their cases. */
export type Declare<Stage> = (title: string, body: (stage: Stage) => Promise<void>) => void;

/** Collects the cases of a suite. `play` makes the stage of one case, runs its body, and clears up. */
export function collectCases<Stage>(
  parts: readonly ((it: Declare<Stage>) => void)[],
  play: (body: (stage: Stage) => Promise<void>) => Promise<void>,
): readonly ContractCase[] {
  const cases: ContractCase[] = [];
  for (const part of parts) part((title, body) => cases.push({ title, run: async () => play(body) }));
  return cases;
}

/** Asserts that `actual` has all that `expected` has, whatever else it has; arrays have the same length. */
export function like(actual: unknown, expected: unknown): void {
  deepEqual(partOf(actual, expected), expected);
}

function partOf(actual: unknown, expected: unknown): unknown {
  if (Array.isArray(expected)) {
    return Array.isArray(actual) ? actual.map((item: unknown, at) => partOf(item, expected[at] ?? item)) : actual;
  }
  if (typeof expected !== "object" || expected === null || typeof actual !== "object" || actual === null) return actual;
  const entries = Object.entries(expected).filter(([name]) => name in actual);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, partOf((actual as Record<string, unknown>)[name], value)]),
  );
}

const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 5;

/** Waits until `condition` holds, and fails when it does not within ten seconds. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let waitedMs = 0; !(await condition()); waitedMs += LOOK_EVERY_MS) {
    if (waitedMs > PATIENCE_MS) throw new AssertionError({ message: `not within ${PATIENCE_MS} ms: ${what}` });
    await delay(LOOK_EVERY_MS);
  }
}
