/**
 * What is replicated beyond the pair: operations on records, each a `set` or `delete` of one (entity, field).
 * An operation from outside is looked at field by field before anything is done with it; what is wrong with
 * it is said in one fixed word. Its checksum covers all of it.
 * It does not know whether it is new, or may be taken now (`replication/intake.ts`).
 */
import { canonicalJson, isWithinDepth, type Json } from "./canonical-json.ts";
import { type Epoch, isReachable, MAX_NUMBER, outOfReach } from "./epoch.ts";
import type { Hlc } from "./hlc.ts";
import type { EngineId } from "./ids.ts";
import { isSeal } from "./signature.ts";
import { clockFault, counterOf, MAX_CLOCK_ENTRIES, type VectorClock } from "./vector-clock.ts";

/** One operation of the log. Identity: (origin, originSeq). A command is one that also has a place, `seq`. */
export interface Op {
  /** Who made it: an engine's hand for records (`recordOrigin`), or whatever another program calls itself. */
  readonly origin: string;
  /** Contiguous per origin, from 1. */
  readonly originSeq: number;
  /** When it was made. Orders merging. */
  readonly hlc: Hlc;
  /** The epoch that its maker had accepted; 0 where there is no pair. */
  readonly epoch: Epoch;
  readonly kind: OpKind;
  readonly entity: string;
  readonly field: string;
  /** The value of a `set`; null otherwise. */
  readonly payload: Json;
  /** What its maker held of every origin, this operation included. */
  readonly clock: VectorClock;
  /** sha256 (hex) of the RFC 8785 form of the operation without this field and the signature. */
  readonly checksum: string;
  /** `<public key>.<signature>` of its origin, over the checksum (`signature.ts`); left out: it is not signed. */
  readonly signature?: string;
}

/** `skip` stands in the place of an operation that a person gave up; it changes nothing. */
export type OpKind = "set" | "delete" | "skip";

/** What is wrong with an operation by itself. The first four are those of a peer's health. */
export type OpFlaw =
  "invalid_trace_id" | "invalid_frontmatter" | "unknown_action" | "unknown_type" | "clock_cap" | "too_large";

/** Characters of an entity and of a field. */
export const MAX_NAME_CHARS = 128;
/** UTF-16 units of a value as JSON. */
export const MAX_VALUE_CHARS = 262_144;

const KINDS: readonly string[] = ["set", "delete", "skip"] satisfies readonly OpKind[];
const FIELDS: ReadonlySet<string> = new Set<keyof Op>([
  ...(["origin", "originSeq", "hlc", "epoch", "kind", "entity", "field", "payload", "clock", "checksum"] as const),
  "signature",
]);
const ORIGIN = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
const CHECKSUM = /^[0-9a-f]{64}$/;
const HLC = /^[0-9a-f]{16}-[!-~]{1,128}$/;

/**
 * The origin under which an engine writes records. Not its own id: that one numbers commands, whose log may be rewritten
 * after a split, and records are never taken back.
 */
export function recordOrigin(engineId: EngineId): string {
  return engineId.replace(/^eng_/, "rec_");
}

/** Whether a text may be an origin: 1 to 64 letters, digits and `._:-`. */
export function isOrigin(value: unknown): value is string {
  return typeof value === "string" && ORIGIN.test(value);
}

/** Whether a value is a stamp of a hybrid logical clock. */
export function isStamp(value: unknown): value is Hlc {
  return typeof value === "string" && HLC.test(value);
}

/** What is wrong with a value that came as an operation; null when nothing is. Never throws. */
export function opFlaw(value: unknown): OpFlaw | null {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "invalid_trace_id";
  const op = value as { readonly [Name in keyof Op]?: unknown };
  if (!isOrigin(op.origin) || !isCount(op.originSeq, 1)) return "invalid_trace_id";
  if (!isStamp(op.hlc) || !isCount(op.epoch, 0)) return "invalid_frontmatter";
  if (typeof op.checksum !== "string" || !CHECKSUM.test(op.checksum)) return "invalid_frontmatter";
  if (typeof op.kind !== "string") return "invalid_frontmatter";
  const clock = clockFlaw(op.clock);
  if (clock !== null) return clock;
  if (counterOf(op.clock as VectorClock, op.origin) !== op.originSeq) return "invalid_frontmatter";
  if (!KINDS.includes(op.kind)) return "unknown_action";
  for (const name in op) if (!FIELDS.has(name)) return "unknown_type";
  if (op.signature !== undefined && !isSeal(op.signature)) return "invalid_frontmatter";
  if (!isName(op.entity) || !isName(op.field)) return "invalid_frontmatter";
  if (op.payload === undefined || (op.kind !== "set" && op.payload !== null)) return "invalid_frontmatter";
  return payloadFlaw(op.payload);
}

/** Which number of a value that came as an operation is above the bound of all numbers [EP6]; null: none is. */
export function opOutOfReach(value: unknown): string | null {
  if (value === null || typeof value !== "object") return null;
  const { originSeq, epoch, clock } = value as { readonly [Name in keyof Op]?: unknown };
  const counted = clock !== null && typeof clock === "object" ? Object.entries(clock) : [];
  const numbers: readonly (readonly [string, unknown])[] = [
    ["originSeq", originSeq],
    ["epoch", epoch],
    ...counted.slice(0, MAX_CLOCK_ENTRIES).map(([origin, seq]) => [`clock of ${origin.slice(0, 64)}`, seq] as const),
  ];
  const far = numbers.find(([, number]) => typeof number === "number" && number > MAX_NUMBER);
  return far === undefined ? null : outOfReach(...far);
}

/** The digest of an origin's history through an operation, from the one before it; that before the first is "" [RP1]. */
export function chainAfter(before: string, checksum: string, sha256Of: (text: string) => string): string {
  return sha256Of(`${before}${checksum}`).slice(0, 32);
}

/** The entity of an operation that a person put in the place of one that could not be taken. */
export const GIVEN_UP = "-";

/** Whether another place may rightly hold another operation under this number: then the history has no digest from here on. */
export function isGivenUp({ kind, entity }: Pick<Op, "kind" | "entity">): boolean {
  return kind === "skip" && entity === GIVEN_UP;
}

/** What the checksum is taken of: the canonical JSON of the operation without its checksum and its signature. Throws for no JSON. */
export function opText(op: Omit<Op, "checksum" | "signature">): string {
  // In the order of RFC 8785. The names and numbers in the middle are well-formed, and their text is canonical as it is.
  const { clock, entity, epoch, field, hlc, kind, origin, originSeq, payload } = op;
  const middle = JSON.stringify({ entity, epoch, field, hlc, kind, origin, originSeq }).slice(1, -1);
  return `{"clock":${canonicalJson(clock)},${middle},"payload":${canonicalJson(payload)}}`;
}

/**
 * Whether anyone who made `later` held `earlier`: then it is a change of it, else they were made apart. A claim to have seen
 * what is stamped later is not believed, so that nobody can make two operations see each other.
 */
export function hasSeen(later: Op, earlier: Op): boolean {
  return counterOf(later.clock, earlier.origin) >= earlier.originSeq && standsOver(later, earlier);
}

/** Which of two operations on one field stands: a total order, the same everywhere. */
export function standsOver(one: Op, other: Op): boolean {
  if (one.hlc !== other.hlc) return one.hlc > other.hlc;
  if (one.origin !== other.origin) return one.origin > other.origin;
  return one.originSeq > other.originSeq;
}

function clockFlaw(clock: unknown): OpFlaw | null {
  if (clock === null || typeof clock !== "object") return "invalid_frontmatter";
  let entries = 0;
  for (const _origin in clock) if (++entries > MAX_CLOCK_ENTRIES) return "clock_cap";
  return clockFault(clock) === null ? null : "invalid_frontmatter";
}

function payloadFlaw(payload: unknown): OpFlaw | null {
  if (payload === null || typeof payload === "number" || typeof payload === "boolean") return null;
  if (!isWithinDepth(payload)) return "too_large";
  const chars = typeof payload === "string" ? payload.length : JSON.stringify(payload).length;
  return chars > MAX_VALUE_CHARS ? "too_large" : null;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length >= 1 && value.length <= MAX_NAME_CHARS && value.isWellFormed();
}

function isCount(value: unknown, min: number): value is number {
  return isReachable(value) && value >= min;
}

// What becomes of one field when one more operation on it is known: which value stands, and which others were made
// without knowledge of it. Last writer wins by HLC (Kulkarni 2014) for what stands; version vectors (Parker et al.
// 1983) for what was made apart. The result depends on the set of operations alone, never on the order in which they
// came.

/** The operations on a field that nobody who wrote it later had seen. The first one stands. */
export type Heads = readonly Op[];

/** The heads once `op` is known too. `heads` itself when it changes nothing. */
export function mergeHeads(heads: Heads, op: Op): Heads {
  if (heads.some((head) => head.checksum === op.checksum || hasSeen(head, op))) return heads;
  const apart = heads.filter((head) => !hasSeen(op, head));
  return [...apart, op].sort((left, right) => (standsOver(left, right) ? -1 : 1));
}

/** The heads that a person must look at: made apart from the one that stands, and different. */
export function contested(heads: Heads): readonly Op[] {
  const [standing, ...others] = heads;
  if (standing === undefined) return [];
  return others.filter((other) => !sameEffect(other, standing));
}

/** Whether two operations on one field leave the same. */
export function sameEffect(one: Op, other: Op): boolean {
  return one.kind === other.kind && canonicalJson(one.payload) === canonicalJson(other.payload);
}

// The bounds of a page between two places: what one may ask for, and what the other must expect.

/** Operations of one page. */
export const MAX_PAGE_OPS = 1_000;
export const DEFAULT_PAGE_OPS = 500;
/** Bytes of one page; a single operation may be larger, and is then a page of its own. */
export const MIN_PAGE_BYTES = 1;
export const MAX_PAGE_BYTES = 8_388_608;
export const DEFAULT_PAGE_BYTES = 1_048_576;
/** Bytes of one page that an engine shows a person, about: a larger one would hold up heartbeats. */
export const MAX_SHOWN_BYTES = 2_097_152;
/** Bytes of one push. */
export const MAX_PUSH_BYTES = 16_777_216;
/** The form of a cursor: "", or the stamp of an arrival. */
export const CURSOR_FORM = "^([0-9a-f]{16}-[!-~]{1,128})?$";
/** Origins that one token of role `spoke` may write as, unless the configuration says otherwise. */
export const MAX_ORIGINS_PER_TOKEN = 8;
