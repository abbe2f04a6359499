/** What the peer sends as a state need not be one: it is refused, the next one is taken, and nothing breaks. */
import { expect, test } from "vitest";
import type { PeerMessage, SnapshotPiece } from "../../src/core/messages.ts";
import { FilteredChannel, partedPair } from "./filtered-channel.ts";

/** Spoils the text of the first pieces that go out. */
class SpoilingChannel extends FilteredChannel {
  spoil: ((piece: SnapshotPiece) => SnapshotPiece) | null = null;

  override send(message: PeerMessage): boolean {
    return super.send(message.type === "snapshot-piece" && this.spoil !== null ? this.spoil(message) : message);
  }
}

/** The leader `b` holds what the loser `a` must take, under the lock. */
async function partedWith(spoil: (piece: SnapshotPiece) => SnapshotPiece) {
  const { pair, channels } = await partedPair((inner) => new SpoilingChannel(inner));
  for (const channel of Object.values(channels)) channel.spoil = spoil;
  pair.wire.mend("red");
  await pair.clock.pass(3_000);
  const tried = pair.of("a").state().role === "follower" ? channels.b : channels.a;
  expect(tried.count("snapshot-piece")).toBeGreaterThan(0);
  for (const channel of Object.values(channels)) channel.spoil = null;
  return pair;
}

test.each<[string, (piece: SnapshotPiece) => SnapshotPiece]>([
  ["no JSON", (piece) => ({ ...piece, text: "{", last: true })],
  ["no transfer", (piece) => ({ ...piece, text: piece.index === 0 ? "{}" : "" })],
  ["a transfer without a state", (piece) => ({ ...piece, text: piece.index === 0 ? '{"snapshot":{}}' : "" })],
  ["a piece too few", (piece) => ({ ...piece, index: piece.index + 1 })],
])("[SB4] [SB5] %s: refused, and the next try ends as it should", async (_what, spoil) => {
  const pair = await partedWith(spoil);
  await pair.until(
    () => pair.of("a").ready() && pair.of("b").ready() && pair.of("a").mayAct() !== pair.of("b").mayAct(),
    90_000,
  );
  await pair.clock.pass(1_000);
  expect(pair.member("a").engine.chain).toBe(pair.member("b").engine.chain);
});
