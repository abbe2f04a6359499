/**
 * Purpose: the checksum of a state, taken a little at a time, so that a state of many megabytes holds up no heartbeat.
 */
import { canonicalPieces, type Json } from "../core/canonical-json.ts";
import type { Clock } from "../ports/clock.ts";
import type { Digest } from "../ports/digest.ts";

/** Work is given up to others after this long, ms. */
const TURN_MS = 4;

export interface Checksummed {
  readonly epoch: number;
  readonly lastCommandSeq: number;
  readonly state: Json;
}

/** sha256 (hex) of the RFC 8785 form of `{epoch, lastCommandSeq, state}`. */
export async function checksumOf(ports: { clock: Clock; digest: Digest }, value: Checksummed): Promise<string> {
  const { epoch, lastCommandSeq, state } = value;
  const hash = ports.digest.sha256();
  await inTurns(ports.clock, canonicalPieces({ epoch, lastCommandSeq, state }), (piece) => hash.update(piece));
  return hash.hex();
}

/** Calls `take` for every piece, letting other work have its turn every few ms. */
export async function inTurns<T>(clock: Clock, pieces: Iterable<T>, take: (piece: T) => void): Promise<void> {
  let turnEndsMs = clock.monoMs() + TURN_MS;
  for (const piece of pieces) {
    take(piece);
    if (clock.monoMs() < turnEndsMs) continue;
    await new Promise<void>((resolve) => clock.soon(resolve));
    turnEndsMs = clock.monoMs() + TURN_MS;
  }
}
