/**
 * The checksum of a state, taken a little at a time, so that a state of many megabytes holds up no heartbeat.
 */
import { canonicalPieces, type Json } from "../core/canonical-json.ts";
import { comparedInGoes } from "../json/same.ts";
import type { Clock, Digest } from "../ports/basics.ts";

/** Work is given up to others after this long, ms. */
const TURN_MS = 4;

export interface Checksummed {
  readonly epoch: number;
  readonly lastCommandSeq: number;
  readonly state: Json;
}

/**
 * sha256 (hex) of the RFC 8785 form of `{epoch, lastCommandSeq, state}`. `take` is given the state's own text on the
 * way, in pieces and in order.
 */
export async function checksumOf(
  ports: { clock: Clock; digest: Digest },
  value: Checksummed,
  take: (piece: string) => void = () => undefined,
): Promise<string> {
  const { epoch, lastCommandSeq, state } = value;
  const hash = ports.digest.sha256();
  hash.update(`{"epoch":${epoch},"lastCommandSeq":${lastCommandSeq},"state":`);
  await inTurns(ports.clock, canonicalPieces(state), (piece) => {
    hash.update(piece);
    take(piece);
  });
  hash.update("}");
  return hash.hex();
}

/** Whether two states are the same: they then have the same checksum at the same position. */
export async function sameState(clock: Clock, left: Json, right: Json): Promise<boolean> {
  let same = true;
  await inTurns(clock, comparedInGoes(left, right), (soFar) => (same = soFar));
  return same;
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
