/**
 * Purpose: a step that Redis takes as one: a Lua script and the name by which the server remembers it.
 */
import { createHash } from "node:crypto";

/** A Lua script and the SHA-1 by which Redis remembers it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export function script(lua: string): Script {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}
