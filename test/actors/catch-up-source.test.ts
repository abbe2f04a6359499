/** The leader's side of a catch-up: pages of the log, a few at a time. */
import { expect, test } from "vitest";
import { CatchUpSource } from "../../src/actors/catch-up-source.ts";
import type { EpochBook } from "../../src/actors/epoch-book.ts";
import { makeId } from "../../src/core/ids.ts";
import type { CatchUpRequest } from "../../src/core/messages.ts";
import { commands } from "../contracts/store-samples.ts";
import { buildRig } from "./rig.ts";

const requestId = makeId("request", "1");
const REQUEST: CatchUpRequest = {
  ...{ type: "catch-up-request", requestId, epoch: 1, shape: [], clock: {} },
  ...{ lastExecutedSeq: 0, wantSnapshot: false },
};

function asked(count: number) {
  const rig = buildRig();
  rig.store.append(commands(1, count));
  const own = { leads: true };
  const source = new CatchUpSource(rig.kit, {
    book: { accepted: 1 } as EpochBook,
    log: { position: { epoch: 1, seq: count } } as never,
    snapshots: null as never,
    executor: { resets: 0 },
    leads: () => own.leads,
    send: (message) => rig.channel.send(message),
    onDivergence: () => undefined,
    onAgreement: () => undefined,
  });
  source.takeRequest(REQUEST);
  const acknowledge = (index: number): void => source.takeAck({ type: "transfer-ack", requestId, index });
  return { ...rig, own, source, acknowledge, pages: () => rig.sent("catch-up-page") };
}

test("[HO2] two pages are under way at most, whatever is acknowledged twice or too far", () => {
  const { pages, acknowledge } = asked(5_000);
  expect(pages()).toHaveLength(2);
  acknowledge(0);
  acknowledge(0);
  expect(pages()).toHaveLength(3);
  acknowledge(9_999);
  expect(pages()).toHaveLength(5);
});

test("[HO2] the pages together are the log, each after the one before, and the last one says so", () => {
  const { pages, acknowledge } = asked(5_000);
  for (let index = 0; pages().at(-1)?.done === false; index += 1) acknowledge(index);
  const seqs = pages().flatMap((page) => page.commands.map(({ seq }) => seq));
  expect(seqs).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
  expect(pages().map(({ prev, commands: [first] }) => (first?.seq ?? 0) - prev.seq)).toEqual(pages().map(() => 1));
  expect(pages().filter(({ done }) => done)).toHaveLength(1);
});

test("[EP3] who leads no more sends no further page", () => {
  const { pages, acknowledge, own } = asked(5_000);
  own.leads = false;
  acknowledge(1);
  expect(pages()).toHaveLength(2);
});
