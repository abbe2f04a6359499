/**
 * The hybrid logical clock: stamps that order changes made on several engines and stay close to wall time.
 * Source: Kulkarni et al. 2014, "Logical Physical Clocks". A stamp only rises, whatever the wall clock does,
 * also across restart when the last stamp was kept; a remote stamp too far ahead never pulls it along.
 * It does not know leases. A stamp orders merging and nothing else.
 */
import { assert, ChangeoverError } from "./errors.ts";

/**
 * One stamp as text: 12 hexadecimal digits of unix ms, 4 of the counter, `-`, the origin. Among origins of one length
 * its text order is its order.
 */
export type Hlc = string;

/** The parts of a stamp. */
export interface HlcParts {
  /** Unix ms, 48 bits. */
  readonly unixMs: number;
  /** Orders stamps of one ms, 16 bits. */
  readonly counter: number;
  /** Who made it; breaks ties. */
  readonly origin: string;
}

/** How far a remote stamp may be ahead of the local wall clock before it is refused. */
export const MAX_DRIFT_MS = 500;

/** The greatest unix ms that 48 bits hold: the year 10 889. */
export const MAX_UNIX_MS = 2 ** 48 - 1;

const MAX_COUNTER = 2 ** 16 - 1;
const FORM = /^[0-9a-f]{16}-./su;

/** What became of a remote stamp. */
export type HlcReceive =
  | { readonly outcome: "advanced"; readonly hlc: Hlc }
  /** The stamp is `aheadMs` ahead of the local wall clock, more than `maxDriftMs`: nothing was advanced. */
  | { readonly outcome: "refused"; readonly aheadMs: number; readonly maxDriftMs: number };

/** The same of stamps in parts. */
export type PartsReceive =
  { readonly outcome: "advanced"; readonly parts: HlcParts } | Extract<HlcReceive, { readonly outcome: "refused" }>;

/** The stamp before every other of `origin`: what an engine starts with. */
export function hlcZero(origin: string): Hlc {
  return formatHlc({ unixMs: 0, counter: 0, origin });
}

/** A stamp for something that happens here now, above `last`. `unixMs` may have a fraction. */
export function hlcNow(last: Hlc, unixMs: number, origin: string): Hlc {
  return formatHlc(partsNow(parseHlc(last), unixMs, origin));
}

/** As `hlcNow`, of stamps in parts. */
export function partsNow(last: HlcParts, unixMs: number, origin: string): HlcParts {
  return above(last, wallMs(unixMs), origin);
}

/** A stamp above both `last` and `remote`, for something taken in here now. Throws `invalid_value` for a malformed one. */
export function hlcReceive(
  last: Hlc,
  remote: Hlc,
  unixMs: number,
  origin: string,
  maxDriftMs = MAX_DRIFT_MS,
): HlcReceive {
  const received = partsReceive(parseHlc(last), parseHlc(remote), unixMs, origin, maxDriftMs);
  return received.outcome === "refused" ? received : { outcome: "advanced", hlc: formatHlc(received.parts) };
}

/** As `hlcReceive`, of stamps in parts. */
export function partsReceive(
  last: HlcParts,
  remote: HlcParts,
  unixMs: number,
  origin: string,
  maxDriftMs: number,
): PartsReceive {
  const nowMs = wallMs(unixMs);
  const aheadMs = remote.unixMs - nowMs;
  if (aheadMs > maxDriftMs) return { outcome: "refused", aheadMs, maxDriftMs };
  return { outcome: "advanced", parts: above(isAfter(remote, last) ? remote : last, nowMs, origin) };
}

/** The later of two stamps, by text. */
export function laterHlc(left: Hlc, right: Hlc): Hlc {
  return right > left ? right : left;
}

/** Writes a stamp. Throws `invalid_value` for parts that do not fit. */
export function formatHlc(parts: HlcParts): Hlc {
  requireWithin("unixMs", parts.unixMs, MAX_UNIX_MS);
  requireWithin("counter", parts.counter, MAX_COUNTER);
  if (parts.origin === "") throw invalid("origin", parts.origin, "at least one character");
  return `${hex(parts.unixMs, 12)}${hex(parts.counter, 4)}-${parts.origin}`;
}

/** Reads a stamp. Throws `invalid_value` for a text of any other form. */
export function parseHlc(text: Hlc): HlcParts {
  if (!FORM.test(text))
    throw invalid("hlc", text.slice(0, 64), "16 hexadecimal digits in lower case, a dash, an origin");
  return {
    unixMs: Number.parseInt(text.slice(0, 12), 16),
    counter: Number.parseInt(text.slice(12, 16), 16),
    origin: text.slice(17),
  };
}

/** The next stamp of `origin` above `last`: the wall clock where it has moved on, else one more count. */
function above(last: HlcParts, nowMs: number, origin: string): HlcParts {
  if (nowMs > last.unixMs) return { unixMs: nowMs, counter: 0, origin };
  if (last.counter < MAX_COUNTER) return { unixMs: last.unixMs, counter: last.counter + 1, origin };
  return { unixMs: last.unixMs + 1, counter: 0, origin };
}

function isAfter(left: HlcParts, right: HlcParts): boolean {
  return left.unixMs > right.unixMs || (left.unixMs === right.unixMs && left.counter > right.counter);
}

function wallMs(unixMs: number): number {
  // Asked at every stamp: the text is only made where it is needed.
  if (!(unixMs >= 0 && unixMs <= MAX_UNIX_MS)) assert(false, `the wall clock says ${unixMs} ms, which 48 bits hold`);
  return Math.floor(unixMs);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

function requireWithin(field: string, value: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > max)
    throw invalid(field, value, `a whole number of 0 to ${max}`);
}

function invalid(field: string, value: string | number, bound: string): ChangeoverError {
  return new ChangeoverError("invalid_value", `${field} is ${JSON.stringify(value)}, must be ${bound}`, {
    details: { field, value, bound },
  });
}
