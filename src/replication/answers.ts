/** What another place answers to `/sync`, checked before it is believed. Fields of a later version are ignored. */
import { Type } from "typebox";
import type { Json } from "../core/canonical-json.ts";
import { MAX_UNIX_MS } from "../core/hlc.ts";
import { nullable, text, vectorClock, whole } from "../core/schema.ts";
import { KEY_FORM, SIGNATURE_FORM } from "../core/signature.ts";
import { MAX_PAGE_OPS } from "../core/operation.ts";
import { MAX_CLOCK_ENTRIES } from "../core/vector-clock.ts";
import { guardOf } from "../json/schema-check.ts";
import { isHead } from "./history.ts";
import type { PullPage, SyncIdentity } from "./hub.ts";
import type { Taken } from "./intake.ts";

const id = text(1, 128);
const cursor = text(0, 160);
const anyList = Type.Array(Type.Unsafe<Json>({}), { maxItems: MAX_PAGE_OPS });

const isIdentity = guardOf(
  Type.Object({
    hubId: id,
    engineId: id,
    generation: id,
    version: id,
    mode: text(1, 32),
    heads: Type.Optional(Type.Refine(Type.Object({}), areHeads)),
    unixMs: Type.Optional(whole(0, MAX_UNIX_MS)),
  }),
);

const isPage = guardOf(
  Type.Object({
    ops: anyList,
    nextCursor: cursor,
    hasMore: Type.Boolean(),
    hubId: id,
    generation: id,
    snapshot: Type.Optional(Type.Object({ through: cursor, clock: vectorClock })),
  }),
);

const areResults = guardOf(
  Type.Object({
    results: Type.Array(
      Type.Object({
        origin: text(0, 64),
        originSeq: whole(0),
        outcome: text(1, 32),
        reason: Type.Optional(nullable(text(0, 64))),
      }),
      { maxItems: MAX_PAGE_OPS },
    ),
    applied: whole(0),
  }),
);

const isClock = guardOf(vectorClock);

/** The identity, or what its answer lacks. */
export function readIdentity(value: Json): SyncIdentity | "identity_missing" | "clock_cap" {
  if (!isIdentity(value)) return "identity_missing";
  const identity = value as unknown as SyncIdentity;
  const { clock, held, key, proof } = identity;
  if (key !== undefined && !(KEY_FORM.test(key) && SIGNATURE_FORM.test(proof ?? ""))) return "identity_missing";
  const odd = [clock, held].filter((one) => one !== undefined && !isClock(one));
  if (odd.length === 0) return identity;
  return odd.some(hasTooManyEntries) ? "clock_cap" : "identity_missing";
}

/**
 * The page, or null when the answer is none: too many operations, a cursor that goes back or
 * promises more without giving any, a clock out of bounds.
 */
export function readPage(value: Json, after: string): PullPage | null {
  if (!isPage(value)) return null;
  const page = value as unknown as PullPage;
  if (page.nextCursor < after) return null;
  return page.hasMore && (page.nextCursor === after || page.ops.length === 0) ? null : page;
}

/** What became of `count` pushed operations, or null when the answer does not say. */
export function readResults(value: Json, count: number): readonly Taken[] | null {
  return areResults(value) && value.results.length === count ? (value.results as unknown as readonly Taken[]) : null;
}

function areHeads(heads: object): boolean {
  const all: readonly unknown[] = Object.values(heads);
  return all.length <= MAX_CLOCK_ENTRIES && all.every(isHead);
}

function hasTooManyEntries(clock: unknown): boolean {
  if (clock === null || typeof clock !== "object") return false;
  let entries = 0;
  for (const _origin in clock) if (++entries > MAX_CLOCK_ENTRIES) return true;
  return false;
}
