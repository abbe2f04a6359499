/**
 * One REST call as the switcher sees it, and what a family of calls answers.
 * The text of a kind is taken apart in one place only.
 * It does not know what any call means.
 */
import type { Json } from "../core/canonical-json.ts";
import { MAX_KIND_CHARS, MAX_PATH_SEGMENTS } from "./limits.ts";
import type { SwitcherState } from "./state.ts";

const METHODS = ["POST", "PUT", "PATCH", "DELETE"] as const;
export type Method = (typeof METHODS)[number];

/** A kind taken apart: `path` as it was written, `segments` decoded and without the query. */
export interface Target {
  method: Method;
  path: string;
  segments: readonly string[];
}

/** A call at its instant. `params`: the variable segments of its route. `id`: unique and the same on both engines. */
export interface Call<Body> {
  method: Method;
  path: string;
  params: readonly string[];
  body: Body;
  payload: Json;
  atUs: number;
  seq: number;
  id: string;
}

/** A call that the switcher cannot carry out in its present state. */
export interface Refusal {
  refused: string;
}

/** What a call makes of a state. */
export type Outcome = SwitcherState | Refusal;

export function refused(why: string): Refusal {
  return { refused: why };
}

export function isRefusal(outcome: object): outcome is Refusal {
  return "refused" in outcome;
}

/** Takes `"METHOD /path"` apart, or says what is wrong with it. */
export function parseKind(kind: string): Target | Refusal {
  if (kind.length > MAX_KIND_CHARS) return refused(`kind: ${kind.length} characters, at most ${MAX_KIND_CHARS}`);
  if (!kind.isWellFormed()) return refused("kind: holds a lone surrogate, must be well-formed text");
  const space = kind.indexOf(" ");
  const verb = space < 0 ? kind : kind.slice(0, space);
  const method = METHODS.find((known) => known === verb);
  if (method === undefined)
    return refused(`kind: method ${JSON.stringify(verb)}, must be one of ${METHODS.join(", ")}`);
  const path = space < 0 ? "" : kind.slice(space + 1);
  if (!path.startsWith("/")) return refused(`kind: path ${JSON.stringify(path)}, must begin with "/"`);
  const segments = parsePath(path);
  return isRefusal(segments) ? segments : { method, path, segments };
}

/** The decoded segments of a path, its query left out. */
export function parsePath(path: string): readonly string[] | Refusal {
  const query = path.indexOf("?");
  const parts = (query < 0 ? path : path.slice(0, query)).split("/").slice(1);
  if (parts.length > MAX_PATH_SEGMENTS) {
    return refused(`kind: path of ${parts.length} segments, at most ${MAX_PATH_SEGMENTS}`);
  }
  try {
    return parts.map((part) => decodeURIComponent(part));
  } catch {
    return refused(`kind: path ${JSON.stringify(path)}, must be percent-encoded UTF-8`);
  }
}
