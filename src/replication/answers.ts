/** Purpose: what another place answers to `/sync`, looked at before it is believed. */
import type { Json } from "../core/canonical-json.ts";
import { MAX_UNIX_MS } from "../core/hlc.ts";
import { type Check, listOf, nullable, text, vectorClock, whole } from "../core/shape.ts";
import { KEY_FORM, SIGNATURE_FORM } from "../core/signature.ts";
import { MAX_PAGE_OPS } from "../core/sync-bounds.ts";
import { MAX_CLOCK_ENTRIES } from "../core/vector-clock.ts";
import { isHead } from "./history.ts";
import type { PullPage, SyncIdentity } from "./hub.ts";
import type { Taken } from "./intake.ts";

const ID = text(1, 128);
const CURSOR = text(0, 160);
const ANY: Check = () => null;

/** The identity, or what its answer lacks. Fields of a later version are passed over. */
export function readIdentity(value: Json): SyncIdentity | "identity_missing" | "clock_cap" {
  if (!holds(value, { hubId: ID, engineId: ID, generation: ID, version: ID, mode: text(1, 32) })) {
    return "identity_missing";
  }
  const identity = value as unknown as SyncIdentity;
  const { clock, held, heads, unixMs, key, proof } = identity;
  if (heads !== undefined && !areHeads(heads)) return "identity_missing";
  if (unixMs !== undefined && whole(0, MAX_UNIX_MS)(unixMs) !== null) return "identity_missing";
  if (key !== undefined && !(KEY_FORM.test(key) && SIGNATURE_FORM.test(proof ?? ""))) return "identity_missing";
  const odd = [clock, held].filter((one) => one !== undefined && vectorClock(one) !== null);
  if (odd.length === 0) return identity;
  return odd.some(hasTooManyEntries) ? "clock_cap" : "identity_missing";
}

/**
 * The page, or null when the answer is none: too many operations, a cursor that goes back or
 * promises more without giving any, a clock out of bounds.
 */
export function readPage(value: Json, after: string): PullPage | null {
  const shape = {
    ops: listOf(ANY, MAX_PAGE_OPS),
    nextCursor: CURSOR,
    hasMore: (flag: unknown) => (typeof flag === "boolean" ? null : "no flag"),
    hubId: ID,
    generation: ID,
  };
  if (!holds(value, shape)) return null;
  const page = value as unknown as PullPage;
  if (page.nextCursor < after) return null;
  if (page.hasMore && (page.nextCursor === after || page.ops.length === 0)) return null;
  const { snapshot } = page;
  if (snapshot === undefined) return page;
  return holds(snapshot as unknown as Json, { through: CURSOR, clock: vectorClock }) ? page : null;
}

/** What became of `count` pushed operations, or null when the answer does not say. */
export function readResults(value: Json, count: number): readonly Taken[] | null {
  if (!holds(value, { results: listOf(ANY, MAX_PAGE_OPS), applied: whole(0) })) return null;
  const { results } = value as unknown as { readonly results: readonly Json[] };
  const shape = { origin: text(0, 64), originSeq: whole(0), outcome: text(1, 32), reason: nullable(text(0, 64)) };
  const wellFormed = results.every((one) => holds({ reason: null, ...(one as object) }, shape));
  return wellFormed && results.length === count ? (results as unknown as readonly Taken[]) : null;
}

function areHeads(heads: unknown): boolean {
  if (heads === null || typeof heads !== "object" || Array.isArray(heads)) return false;
  const all = Object.values(heads);
  return all.length <= MAX_CLOCK_ENTRIES && all.every(isHead);
}

function hasTooManyEntries(clock: unknown): boolean {
  if (clock === null || typeof clock !== "object") return false;
  let entries = 0;
  for (const _origin in clock) if (++entries > MAX_CLOCK_ENTRIES) return true;
  return false;
}

function holds(value: Json, shape: Readonly<Record<string, Check>>): boolean {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.entries(shape).every(([name, check]) => check(fields[name]) === null);
}
