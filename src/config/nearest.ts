/**
 * Finds the known word that a mistyped one most likely means. Case, hyphens and underscores do not count, so that
 * `data_dir` means `dataDir`. Says nothing rather than something far-fetched.
 */

/** A longer word is no typing error of a key, and would cost time to compare. */
const MAX_CHARS = 64;
/** One typing error for each so many characters. */
const CHARS_PER_ERROR = 3;

/** The word of `known` that `given` most likely means; null where none is near. */
export function nearestOf(given: string, known: readonly string[]): string | null {
  if (given.length > MAX_CHARS) return null;
  const wanted = plainForm(given);
  let nearest: string | null = null;
  let least = Infinity;
  for (const word of known) {
    const errors = errorsIn(wanted, plainForm(word));
    if (errors < least) [nearest, least] = [word, errors];
  }
  return least <= Math.floor(wanted.length / CHARS_PER_ERROR) ? nearest : null;
}

function plainForm(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, "");
}

/**
 * Characters to insert, drop, replace or swap with their neighbour (optimal string alignment). A word that was only cut
 * short, `lease` for `leaseMs`, counts as one error, and one that goes on, `warning` for `warn`, as two.
 */
function errorsIn(one: string, other: string): number {
  if (one === other) return 0;
  if (one.length >= CHARS_PER_ERROR && other.startsWith(one)) return 1;
  if (other.length >= CHARS_PER_ERROR && one.startsWith(other)) return Math.min(2, one.length - other.length);
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const replaced = one[row - 1] === other[column - 1] ? 0 : 1;
      const isSwap = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + replaced,
        isSwap ? (beforeLast[column - 2] ?? 0) + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[other.length] ?? 0;
}
