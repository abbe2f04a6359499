/**
 * What Changeover itself asks of a command for an engine that it does not know from within: bounds and
 * well-formed text. Everything else is for that engine to judge.
 */
import { type Json, canonicalJson } from "../core/canonical-json.ts";

/** Characters of a kind. */
const MAX_KIND_CHARS = 1_024;
/** Characters of a payload's canonical text. */
const MAX_PAYLOAD_CHARS = 65_536;

/** What is wrong with the command, as field, value and bound; `null` when nothing is. Never throws. */
export function foreignCommandProblem(kind: string, payload: Json): string | null {
  if (kind.length === 0 || kind.length > MAX_KIND_CHARS) {
    return `kind: ${kind.length} characters, must be 1 to ${MAX_KIND_CHARS}`;
  }
  if (!kind.isWellFormed()) return "kind: holds a lone surrogate, must be well-formed text";
  try {
    const chars = canonicalJson(payload).length;
    return chars > MAX_PAYLOAD_CHARS ? `payload: ${chars} characters, at most ${MAX_PAYLOAD_CHARS}` : null;
  } catch (error) {
    return `payload: ${error instanceof Error ? error.message : "not JSON"}`;
  }
}
