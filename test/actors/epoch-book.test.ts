/** The epochs seen, minted and accepted: on disk first. */
import { expect, test } from "vitest";
import { EpochBook } from "../../src/actors/epoch-book.ts";
import { MAX_LEAP, MAX_NUMBER } from "../../src/core/epoch.ts";
import { buildRig } from "./rig.ts";

test("[EP1] a ballot is above every epoch that was seen, and of the own parity", () => {
  const { kit, store } = buildRig({ label: "b" });
  const book = new EpochBook(kit);
  book.see(7);
  expect(book.mint()).toBe(8);
  expect(book.mint()).toBe(10);
  expect(store.load().highestEpoch).toBe(10);
  expect(book.accepted).toBe(0);
});

test("[EP1] an epoch out of all reach is not believed: ballots are left", () => {
  const { kit } = buildRig({ label: "b" });
  const book = new EpochBook(kit);
  book.see(7);
  expect(book.see(Number.MAX_SAFE_INTEGER)).toBe(false);
  expect(book.believes(7 + MAX_LEAP)).toBe(true);
  expect(book.believes(8 + MAX_LEAP)).toBe(false);
  expect(book.mint()).toBe(8);
});

test("[EP1] [EP2] what the disk refuses is not accepted and not minted, and no later ballot is below it", () => {
  const rig = buildRig();
  const { kit, disk, store } = rig;
  const book = new EpochBook(kit);
  book.accept(2);
  disk.full = true;
  expect(book.see(5)).toBe(true);
  expect(book.accept(6)).toBe(false);
  expect(book.mint()).toBeNull();
  expect({ highest: book.highest, accepted: book.accepted }).toEqual({ highest: 6, accepted: 2 });
  expect(store.load()).toMatchObject({ highestEpoch: 2, acceptedEpoch: 2 });
  expect(rig.alarm("store-failed")).toBe(true);
  disk.full = false;
  book.writeBehind();
  expect(store.load()).toMatchObject({ highestEpoch: 6, acceptedEpoch: 2 });
  expect(book.mint()).toBe(7);
});

test("[EP1] an epoch that the peer leads in is heard while the disk refuses it, however far ahead it is", () => {
  const { kit, disk, store } = buildRig({ label: "b" });
  const book = new EpochBook(kit);
  disk.full = true;
  expect(book.hears(171_798_691_841)).toBe(true);
  expect(book.highest).toBe(171_798_691_841);
  disk.full = false;
  book.writeBehind();
  expect(store.load().highestEpoch).toBe(171_798_691_841);
});

test("[EP2] an epoch is on disk before the call returns", () => {
  const { kit, store } = buildRig();
  const book = new EpochBook(kit);
  const minted = book.mint();
  expect(store.load().highestEpoch).toBe(minted);
  book.accept(4);
  expect(store.load()).toMatchObject({ highestEpoch: 4, acceptedEpoch: 4 });
});

test("[EP4] neither number falls: a lower epoch is not accepted, the same one is", () => {
  const { kit } = buildRig();
  const book = new EpochBook(kit);
  book.restore({ highestEpoch: 9, acceptedEpoch: 8, log: { epoch: 8, seq: 1 } });
  expect(book.accept(7)).toBe(false);
  expect(book.accept(8)).toBe(true);
  expect(book.see(3)).toBe(true);
  expect({ highest: book.highest, accepted: book.accepted }).toEqual({ highest: 9, accepted: 8 });
});

test("[EP2] a ballot written ahead costs no write when it is used, and is none of the epochs seen before that", () => {
  const { kit, store, disk } = buildRig();
  const book = new EpochBook(kit);
  book.accept(2);
  book.writeAhead();
  expect(store.load().highestEpoch).toBe(3);
  expect(book.highest).toBe(2);
  disk.full = true;
  expect(book.mint()).toBe(3);
  expect(book.mint()).toBeNull();
});

test("[EP1] a ballot written ahead is left out once a higher epoch was seen", () => {
  const { kit } = buildRig();
  const book = new EpochBook(kit);
  book.writeAhead();
  book.see(6);
  expect(book.mint()).toBe(7);
});

test("[EP4] an epoch led in is accepted at once, written behind, and known from the log after a crash", () => {
  const { kit, store } = buildRig();
  const book = new EpochBook(kit);
  const epoch = book.mint() ?? 0;
  book.lead(epoch);
  expect([book.accepted, store.load().acceptedEpoch]).toEqual([epoch, 0]);
  book.writeBehind();
  expect(store.load().acceptedEpoch).toBe(epoch);
  book.restore({ highestEpoch: 9, acceptedEpoch: 3, log: { epoch: 8, seq: 1 } });
  expect(book.accepted).toBe(8);
});

test("EP6: the peer's heartbeat is believed up to the bound that both share, never above", () => {
  const { kit } = buildRig({ label: "a" });
  const book = new EpochBook(kit);
  book.see(3);
  expect(book.believes(171_798_691_842)).toBe(false);
  expect(book.hears(171_798_691_842)).toBe(true);
  expect(book.highest).toBe(171_798_691_842);
  expect(book.hears(MAX_NUMBER + 1)).toBe(false);
  expect(book.mint()).toBe(171_798_691_843);
});

test("EP6: epochs that are used up or out of reach are not written, and a person leads back", () => {
  const rig = buildRig({ label: "a" });
  const book = new EpochBook(rig.kit);
  expect(book.hears(MAX_NUMBER)).toBe(true);
  rig.kit.alarms.clear("number-out-of-reach");
  expect([book.mint(), book.mint()].at(-1)).toBeNull();
  expect(rig.alarm("number-out-of-reach")).toBe(true);
  expect(rig.store.load().highestEpoch).toBeLessThanOrEqual(MAX_NUMBER);
  book.reset(5);
  expect(rig.store.load()).toMatchObject({ highestEpoch: 5, acceptedEpoch: 5 });
  expect(book.mint()).toBe(7);
  // In reach: nothing is wrong, and nothing changes.
  book.reset(1);
  expect(book.highest).toBe(7);
});

test("EP6: an epoch out of reach in the store counts as none", () => {
  const rig = buildRig({ label: "a" });
  const book = new EpochBook(rig.kit);
  book.restore({ highestEpoch: Number.MAX_SAFE_INTEGER, acceptedEpoch: 3, log: { epoch: 3, seq: 9 } });
  expect(rig.alarm("number-out-of-reach")).toBe(true);
  expect({ highest: book.highest, accepted: book.accepted }).toEqual({ highest: 3, accepted: 3 });
});
