/**
 * Purpose: the two ways in which code says "this cannot happen".
 * Keeps true: a broken invariant stops with a message instead of going on with a wrong state.
 */

/** Throws when `condition` does not hold. For invariants, never for input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`);
}

/** Ends a switch over a closed union: a forgotten member does not compile. */
export function assertNever(value: never): never {
  throw new Error(`broken invariant: unexpected value ${JSON.stringify(value)}`);
}
