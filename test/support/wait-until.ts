/** Waits for a condition instead of for a time. */

/** Resolves once `condition` holds; throws with its text when it does not within `withinMs`. */
export async function waitUntil(condition: () => boolean, withinMs = 10_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => void setTimeout(resolve, 2));
  }
}
