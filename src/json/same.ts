/**
 * Purpose: whether two JSON values are the same, told a little at a time, at a fraction of what writing them out costs.
 * Keeps true: what is the same here has one canonical text: the order of keys does not count, members that are undefined
 * are none. What one container holds directly is gone through at one go.
 */
import type { Json } from "../core/canonical-json.ts";

/** Containers that are compared at one go. */
const GO = 1_024;

type Members = Readonly<Record<string, Json | undefined>>;

/** Yields `true` for as long as no difference was found; ends with the first `false`. */
export function* comparedInGoes(left: Json, right: Json): Generator<boolean, void, undefined> {
  const open: [Json | undefined, Json | undefined][] = [[left, right]];
  for (let count = 1; ; count += 1) {
    const pair = open.pop();
    if (pair === undefined) return;
    if (!openedAlike(pair[0], pair[1], open)) return yield false;
    if (count % GO === 0) yield true;
  }
}

/** Compares two values but for what they contain, which is added to `open`. */
function openedAlike(
  left: Json | undefined,
  right: Json | undefined,
  open: [Json | undefined, Json | undefined][],
): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [leftKeys, rightKeys] = [heldKeys(left as Members), heldKeys(right as Members)];
  if (leftKeys.length !== rightKeys.length) return false;
  for (const key of leftKeys) {
    if (!Object.hasOwn(right, key)) return false;
    const [ours, theirs] = [(left as Members)[key], (right as Members)[key]];
    if (ours !== theirs) open.push([ours, theirs]);
  }
  return true;
}

function heldKeys(value: Members): readonly string[] {
  const keys = Object.keys(value);
  return keys.some((key) => value[key] === undefined) ? keys.filter((key) => value[key] !== undefined) : keys;
}
