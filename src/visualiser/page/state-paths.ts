/** Reads XState's state values and finds the transitions of a drawing that lead from one to another. */
import type { Json } from "../../core/canonical-json.ts";
import type { Inspected } from "../inspected.ts";

/** Paths of all states that are active: `{role: "leader"}` is `role` and `role.leader`. */
export function activePaths(value: Json | undefined, prefix = ""): string[] {
  if (typeof value === "string") return [prefix + value];
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, below]) => [prefix + key, ...activePaths(below, `${prefix}${key}.`)]);
}

/** The active states, as people read them: `follower · waiting`. Of regions side by side only the innermost. */
export function stateWords(value: Json | undefined): string {
  if (typeof value === "string") return value;
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "not known";
  const [only, ...more] = Object.entries(value);
  if (only !== undefined && more.length === 0) return `${only[0]} · ${stateWords(only[1])}`;
  return Object.values(value).map(stateWords).join(" · ");
}

/** The role in a state value of `leadership`; older recordings have it in a region of its own. */
export function roleWord(value: Json | undefined): string | null {
  if (typeof value === "string") return value;
  if (value === null || value === undefined || typeof value !== "object" || Array.isArray(value)) return null;
  if ("role" in value) return roleWord(value["role"]);
  return Object.keys(value)[0] ?? null;
}

/** A transition as the drawing names it. */
export interface DrawnHop {
  readonly event: string;
  readonly from: string;
  readonly to: string;
}

/** Whether a drawn transition is the one that an entry tells of. */
export function isTaken(hop: DrawnHop, { type, event, from, to }: Inspected): boolean {
  if (type === "snapshot" || hop.event !== event) return false;
  const [before, after] = [activePaths(from ?? to), activePaths(to)];
  const leaves = hop.from === "" || before.includes(hop.from);
  if (type === "event") return leaves && hop.from === hop.to;
  return leaves && (hop.to === "" || (after.includes(hop.to) && (!before.includes(hop.to) || hop.from === hop.to)));
}

/** What changed between two state values, in words: `follower → candidate`. */
export function changeWords({ from, to, type }: Inspected): string {
  if (type !== "transition" || from === undefined) return stateWords(to);
  const [before, after] = [leaves(from), leaves(to)];
  const left = before.filter((path) => !after.includes(path));
  const entered = after.filter((path) => !before.includes(path));
  return `${left.map(lastWord).join(" · ")} → ${entered.map(lastWord).join(" · ")}`;
}

function leaves(value: Json): string[] {
  const paths = activePaths(value);
  return paths.filter((path) => !paths.some((other) => other.startsWith(`${path}.`)));
}

function lastWord(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
