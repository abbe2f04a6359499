/** Large texts over the peer channel, in pieces. */
import { expect, test } from "vitest";
import { IncomingTransfer, OutgoingTransfer, readTransfer } from "../../src/actors/transfers.ts";
import { makeId } from "../../src/core/ids.ts";
import type { Json } from "../../src/core/canonical-json.ts";
import type { SnapshotPiece } from "../../src/core/messages.ts";
import { buildRig } from "./rig.ts";

const requestId = makeId("request", "1");
const LARGE: Json = { rows: Array.from({ length: 20_000 }, (_, row) => `row ${row} of the state, for the channel`) };

function sending(value: Json = LARGE) {
  const rig = buildRig();
  const transfer = new OutgoingTransfer(rig.kit, { requestId, epoch: 3, lock: null }, value, (message) =>
    rig.channel.send(message),
  );
  return { ...rig, transfer, pieces: () => rig.sent("snapshot-piece") };
}

test("at most four pieces are under way, whatever is acknowledged twice", () => {
  const { transfer, pieces } = sending();
  transfer.start();
  expect(pieces()).toHaveLength(4);
  transfer.acknowledge(0);
  transfer.acknowledge(0);
  transfer.acknowledge(0);
  expect(pieces()).toHaveLength(5);
  transfer.acknowledge(9_999);
  expect(pieces()).toHaveLength(9);
});

test("what arrives is what was sent, and all ends with the last acknowledgement", async () => {
  const { transfer, pieces, clock } = sending();
  const incoming = new IncomingTransfer(requestId);
  let text = "";
  transfer.start();
  for (let index = 0; text === ""; index += 1) {
    const taken = incoming.take(pieces()[index] as SnapshotPiece);
    if (taken.state === "whole") ({ text } = taken);
    transfer.acknowledge(index);
  }
  expect(JSON.parse(text)).toEqual(LARGE);
  expect(pieces().length).toBeGreaterThan(10);
  expect(await transfer.done).toBe(true);
  expect(clock.waiting).toBe(0);
});

test("a small value is whole at once", () => {
  const { transfer, pieces } = sending({ small: true });
  transfer.start();
  const incoming = new IncomingTransfer(requestId);
  const taken = pieces().map((piece) => incoming.take(piece));
  expect(taken.at(-1)).toEqual({ state: "whole", text: '{"small":true}' });
});

test("a transfer that stalls ends by itself, and so does one whose link is gone", async () => {
  const stalled = sending();
  stalled.transfer.start();
  await stalled.clock.pass(4_999);
  expect(stalled.clock.waiting).toBe(1);
  await stalled.clock.pass(1);
  expect([await stalled.transfer.done, stalled.clock.waiting]).toEqual([false, 0]);
  const unlinked = sending();
  unlinked.channel.up = false;
  unlinked.transfer.start();
  expect([await unlinked.transfer.done, unlinked.pieces().length, unlinked.clock.waiting]).toEqual([false, 0, 0]);
});

test("ended early, nothing more is sent, whatever is acknowledged", async () => {
  const { transfer, pieces, clock } = sending();
  transfer.start();
  transfer.end(false);
  transfer.end(true);
  transfer.acknowledge(0);
  expect([pieces().length, await transfer.done, clock.waiting]).toEqual([4, false, 0]);
});

test("a piece out of its order, or one too many, breaks it", () => {
  const { transfer, pieces } = sending();
  transfer.start();
  const [first, second] = pieces() as [SnapshotPiece, SnapshotPiece];
  const skipped = new IncomingTransfer(requestId);
  expect([skipped.take(first).state, skipped.take({ ...second, index: 2 }).state]).toEqual(["more", "broken"]);
  expect(new IncomingTransfer(requestId).take(second).state).toBe("broken");
  const endless = new IncomingTransfer(requestId);
  const text = "x".repeat(16 * 1_048_576);
  const states = Array.from({ length: 9 }, (_, index) => endless.take({ ...first, index, text }).state);
  expect(states).toEqual([...Array.from({ length: 8 }, () => "more"), "broken"]);
});

test("a state may have any name in it", async () => {
  const { kit } = buildRig();
  const state = '{"audioChannels":{"__proto__":{"level":-9}}}';
  const text = `{"snapshot":{"state":${state}},"commands":[],"conflicts":[],"keys":[],"shape":[],"outbox":[]}`;
  expect(JSON.stringify((await readTransfer(kit, text))?.snapshot)).toBe(`{"state":${state}}`);
});
