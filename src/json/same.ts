/**
 * Whether two JSON values are the same, told a little at a time, at a fraction of what writing them out costs.
 * What is the same here has one canonical text: the order of keys does not count, members that are undefined
 * are none. What one container holds directly is gone through at one go.
 */
import type { Json } from "../core/canonical-json.ts";

/** Containers that are compared at one go. */
const GO = 1_024;

type Members = Readonly<Record<string, Json | undefined>>;

/** Two containers of which it is not yet known whether they are the same: left, right. */
type Pair = readonly [object, object];

/** Yields `true` for as long as no difference was found; ends with the first `false`. */
export function* comparedInGoes(left: Json, right: Json): Generator<boolean, void, undefined> {
  const open: Pair[] = [];
  if (!maySame(left, right, open)) return yield false;
  for (let count = 1; ; count += 1) {
    const pair = open.pop();
    if (pair === undefined) return;
    const [ours, theirs] = pair;
    const same = Array.isArray(ours)
      ? sameItems(ours, theirs as readonly Json[], open)
      : sameMembers(ours as Members, theirs as Members, open);
    if (!same) return yield false;
    if (count % GO === 0) yield true;
  }
}

/** Whether two values are the same; two containers may be, and are added to `open`. */
function maySame(left: Json | undefined, right: Json | undefined, open: Pair[]): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  open.push([left, right]);
  return true;
}

function sameItems(left: readonly Json[], right: readonly Json[], open: Pair[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) if (!maySame(left[index], right[index], open)) return false;
  return true;
}

function sameMembers(left: Members, right: Members, open: Pair[]): boolean {
  let missing = 0;
  for (const key of Object.keys(right)) if (right[key] !== undefined) missing += 1;
  for (const key of Object.keys(left)) {
    const value = left[key];
    if (value === undefined) continue;
    if (!Object.hasOwn(right, key) || !maySame(value, right[key], open)) return false;
    missing -= 1;
  }
  return missing === 0;
}
