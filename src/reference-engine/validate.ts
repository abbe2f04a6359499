/**
 * Judges a call before it becomes a command: its kind, the size and depth of its payload, its body's schema.
 * Depends on the call alone, so that it can be judged before its place in the order is known.
 */
import { type Json, canonicalJson } from "../core/canonical-json.ts";
import { isRefusal, parseKind } from "./call.ts";
import { MAX_PAYLOAD_CHARS, MAX_PAYLOAD_DEPTH } from "./limits.ts";
import { findRoute } from "./routes.ts";

/** What is wrong with the call, as field, value and bound; `null` when nothing is. Never throws. */
export function validateCall(kind: string, payload: Json): string | null {
  const target = parseKind(kind);
  if (isRefusal(target)) return target.refused;
  const found = findRoute(target);
  return (
    payloadProblem(payload, found?.route.maxPayloadChars ?? MAX_PAYLOAD_CHARS) ?? found?.route.check(payload) ?? null
  );
}

function payloadProblem(payload: Json, maxChars: number): string | null {
  if (isDeeperThan(payload, MAX_PAYLOAD_DEPTH)) return `payload: nested deeper than ${MAX_PAYLOAD_DEPTH}`;
  try {
    const chars = canonicalJson(payload).length;
    return chars > maxChars ? `payload: ${chars} characters, at most ${maxChars}` : null;
  } catch (error) {
    return `payload: ${error instanceof Error ? error.message : "not JSON"}`;
  }
}

function isDeeperThan(value: Json, levels: number): boolean {
  if (value === null || typeof value !== "object") return false;
  return levels === 0 || Object.values(value).some((item: Json) => isDeeperThan(item, levels - 1));
}
