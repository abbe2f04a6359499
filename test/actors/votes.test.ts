/** The votes that a leader counts beside its own. */
import { expect, test } from "vitest";
import { Votes } from "../../src/actors/votes.ts";
import { buildRig } from "./rig.ts";

test("[VT1] without a vote beside its own nothing confirms a leader", () => {
  const { kit } = buildRig();
  expect(new Votes(kit).confirmedBy(kit.nowMs())).toBe("none");
});

test("[VT2] the peer's vote counts from the send time of the heartbeat that it answers", async () => {
  const { kit, clock } = buildRig();
  const votes = new Votes(kit);
  const sentAtMs = clock.monoMs();
  votes.heartbeatSent(1, sentAtMs);
  await clock.pass(500);
  expect(votes.peerVoted(1)).toBe(sentAtMs);
  expect(votes.left(clock.monoMs()).peerMs).toBe(100);
  await clock.pass(99);
  expect(votes.confirmedBy(clock.monoMs())).toBe("peer");
  await clock.pass(1);
  expect(votes.confirmedBy(clock.monoMs())).toBe("none");
  expect(votes.left(clock.monoMs()).peerMs).toBe(0);
});

test("[VT2] a vote for a heartbeat that was never sent, or long ago, counts nothing", () => {
  const { kit, clock } = buildRig();
  const votes = new Votes(kit);
  expect(votes.peerVoted(1)).toBeNull();
  for (let n = 1; n <= 100; n += 1) votes.heartbeatSent(n, clock.monoMs());
  expect(votes.peerVoted(36)).toBeNull();
  expect(votes.confirmedBy(clock.monoMs())).toBe("none");
  expect(votes.peerVoted(37)).not.toBeNull();
});

test("[VT2] an older vote that comes late shortens nothing", async () => {
  const { kit, clock } = buildRig();
  const votes = new Votes(kit);
  votes.heartbeatSent(1, clock.monoMs());
  await clock.pass(200);
  votes.heartbeatSent(2, clock.monoMs());
  votes.peerVoted(2);
  const { peerUntilMs } = votes;
  votes.peerVoted(1);
  expect(votes.peerUntilMs).toBe(peerUntilMs);
});

test("[VT1] [VT3] peer and witness count apart, and both are named", () => {
  const { kit, clock } = buildRig();
  const votes = new Votes(kit);
  votes.witnessVotedFor(clock.monoMs());
  expect(votes.confirmedBy(clock.monoMs())).toBe("witness");
  votes.peerVotedFor(clock.monoMs());
  expect(votes.confirmedBy(clock.monoMs())).toBe("both");
});

test("[HO1] a grant replaces what was counted of the peer, and `clear` forgets all", () => {
  const { kit, clock } = buildRig();
  const votes = new Votes(kit);
  votes.heartbeatSent(1, clock.monoMs());
  votes.peerVotedFor(clock.monoMs());
  votes.granted(clock.monoMs() + 10);
  expect(votes.left(clock.monoMs()).peerMs).toBe(10);
  votes.clear();
  expect(votes.confirmedBy(clock.monoMs())).toBe("none");
  expect(votes.sentAtMs(1)).toBeNull();
});

test("[VT5] what an engine sleeps while it waits for an answer is no part of the wait", async () => {
  const { kit, clock } = buildRig();
  const votes = new Votes(kit);
  expect(votes.unverifiedForMs()).toBeNull();
  votes.distrust();
  await clock.pass(50);
  expect(votes.unverifiedForMs()).toBe(50);
  // Longer than a heartbeat, and too short for the pulse to call it a pause.
  clock.freeze(250);
  expect(votes.unverifiedForMs()).toBe(50);
  await clock.pass(150);
  expect(votes.unverifiedForMs()).toBe(200);
  votes.peerVotedFor(clock.monoMs());
  expect(votes.unverifiedForMs()).toBeNull();
});
