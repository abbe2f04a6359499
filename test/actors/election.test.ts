/** The peer's vote for a named epoch, asked and answered. */
import { expect, test } from "vitest";
import { Election } from "../../src/actors/election.ts";
import { EpochBook } from "../../src/actors/epoch-book.ts";
import { PeerMonitor } from "../../src/actors/peer-monitor.ts";
import { Votes } from "../../src/actors/votes.ts";
import type { Claim } from "../../src/core/claim.ts";
import { makeId } from "../../src/core/ids.ts";
import type { Role, VoteAnswer, VoteRequest } from "../../src/core/messages.ts";
import { sampleHeartbeat } from "../core/sample-messages.ts";
import { AWAKE, buildRig } from "./rig.ts";

function electing(claim: Partial<Claim> = {}) {
  const rig = buildRig({ label: "b" });
  const own: { role: Role; claim: Claim } = {
    role: "follower",
    claim: { label: "b", healthy: true, acceptedEpoch: 2, log: { epoch: 2, seq: 5 }, ...claim },
  };
  const book = new EpochBook(rig.kit);
  book.accept(2);
  const monitor = new PeerMonitor(rig.kit, new Votes(rig.kit), { pulse: AWAKE, onChange: () => undefined });
  const election = new Election(rig.kit, {
    book,
    monitor,
    send: (message) => rig.channel.send(message),
    role: () => own.role,
    claim: () => own.claim,
    waitMs: () => 750,
  });
  const hears = (role: Role): boolean => monitor.take({ ...sampleHeartbeat, label: "a", role }, rig.clock.monoMs());
  const asked = (change: Partial<VoteRequest> = {}): VoteAnswer | undefined => {
    election.takeRequest({ ...REQUEST, ...change });
    return rig.sent("vote-answer").at(-1);
  };
  return { ...rig, own, book, monitor, election, hears, asked };
}

const REQUEST: VoteRequest = {
  type: "vote-request",
  requestId: makeId("request", "1"),
  epoch: 3,
  log: { epoch: 2, seq: 5 },
  acceptedEpoch: 2,
  healthy: true,
  forced: false,
};

test("[CP7] the better claim is voted for: equal, label a", () => {
  const { asked, election, monitor, clock, book } = electing();
  expect(asked()).toMatchObject({ granted: true, reason: "granted", epoch: 3 });
  expect(book.accepted).toBe(3);
  expect([election.grantedUntilMs, monitor.promiseUntilMs]).toEqual([clock.monoMs() + 750, clock.monoMs() + 750]);
});

test.each<[string, Partial<VoteRequest>]>([
  ["the asker is not healthy", { healthy: false }],
  ["it has accepted an earlier epoch", { acceptedEpoch: 1, log: { epoch: 1, seq: 9 } }],
  ["its log is shorter", { log: { epoch: 2, seq: 4 } }],
])("[CP4] [CP7] not when %s", (_why, change) => {
  const { asked, monitor, book } = electing();
  expect(asked(change)).toMatchObject({ granted: false, reason: "better-claim", highestEpoch: 3 });
  expect(monitor.promiseUntilMs).toBe(Number.NEGATIVE_INFINITY);
  expect({ accepted: book.accepted, highest: book.highest }).toEqual({ accepted: 2, highest: 3 });
});

test.each<[Role, VoteAnswer["reason"]]>([
  ["leader", "leads"],
  ["candidate", "campaigns"],
])("[CP7] a %s grants nothing, not even to a person", (role, reason) => {
  const { own, asked } = electing();
  own.role = role;
  expect(asked()).toMatchObject({ granted: false, reason });
  expect(asked({ forced: true })).toMatchObject({ granted: false, reason });
});

test("[EP4] [CP7] a lower epoch is refused with the highest that was seen", () => {
  const { asked } = electing();
  expect(asked({ epoch: 1 })).toMatchObject({ granted: false, reason: "stale-epoch", highestEpoch: 2 });
});

test("[EP2] [CP7] what cannot be made durable is not granted", () => {
  const { asked, disk, election } = electing();
  disk.full = true;
  expect(asked()).toMatchObject({ granted: false });
  expect(election.grantedUntilMs).toBe(Number.NEGATIVE_INFINITY);
});

test("[VT2] [CP7] nothing is granted while a silent leader is still promised", async () => {
  const { hears, monitor, asked, clock } = electing();
  hears("leader");
  monitor.forgive();
  monitor.promiseUntil(clock.monoMs() + 2_000);
  await clock.pass(1_000);
  expect(monitor.alive).toBe(false);
  expect(asked()).toMatchObject({ granted: false, reason: "promised" });
  await clock.pass(1_000);
  expect(asked()).toMatchObject({ granted: true });
});

test("[HO3] a person's word outweighs the better claim", () => {
  const { asked } = electing({ log: { epoch: 2, seq: 500 } });
  expect(asked()).toMatchObject({ granted: false, reason: "better-claim" });
  expect(asked({ forced: true })).toMatchObject({ granted: true });
});

test("[CP7] [VT2] an asked-for vote counts from the send time of the request", async () => {
  const rig = electing();
  const { election, clock } = rig;
  const sentAtMs = clock.monoMs();
  const asking = election.ask(4);
  await clock.pass(50);
  const [request] = rig.sent("vote-request");
  election.takeAnswer({ ...ANSWER, requestId: request?.requestId ?? REQUEST.requestId });
  expect(await asking).toEqual({ granted: true, sentAtMs });
  expect(clock.waiting).toBe(0);
});

test("[CP7] asking ends within a heartbeat: no answer, no link, asked anew, stopped", async () => {
  const { election, clock, channel } = electing();
  const unanswered = election.ask(4);
  await clock.pass(199);
  const repeated = election.ask(6);
  expect(await unanswered).toEqual({ granted: false, reason: "asked anew" });
  await clock.pass(200);
  expect(await repeated).toEqual({ granted: false, reason: "no answer" });
  const stopped = election.ask(8);
  election.stop();
  expect(await stopped).toEqual({ granted: false, reason: "stopped" });
  channel.up = false;
  expect(await election.ask(10)).toEqual({ granted: false, reason: "no link to the peer" });
  expect(clock.waiting).toBe(0);
});

test("[EP3] an answer tells the highest epoch, and one to another question is no vote", async () => {
  const { election, book, clock } = electing();
  const asking = election.ask(4);
  election.takeAnswer({ ...ANSWER, highestEpoch: 9 });
  expect(book.highest).toBe(9);
  await clock.pass(200);
  expect(await asking).toMatchObject({ granted: false, reason: "no answer" });
});

const ANSWER: VoteAnswer = {
  type: "vote-answer",
  requestId: REQUEST.requestId,
  epoch: 4,
  granted: true,
  reason: "granted",
  highestEpoch: 4,
};
