/** Purpose: what an operation weighs in a page: the bounds of pages in bytes are kept by it, over every store. */

/** Names, punctuation, numbers, checksum and the signature with which it may leave. */
const FRAME_BYTES = 360;

/** The texts of an operation; `payload` and `clock` as JSON. */
export interface OpTexts {
  readonly origin: string;
  readonly hlc: string;
  readonly entity: string;
  readonly field: string;
  readonly payload: string;
  readonly clock: string;
}

/** Bytes of the operation as JSON, or a little more. */
export function opBytes({ origin, hlc, entity, field, payload, clock }: OpTexts): number {
  const named = Buffer.byteLength(JSON.stringify(entity)) + Buffer.byteLength(JSON.stringify(field));
  return FRAME_BYTES + origin.length + hlc.length + named + Buffer.byteLength(payload) + clock.length;
}
