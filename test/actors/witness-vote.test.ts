/** The witness's vote: rewriting the record as leader, watching it as follower. */
import { expect, test } from "vitest";
import { Votes } from "../../src/actors/votes.ts";
import { WitnessVote } from "../../src/actors/witness-vote.ts";
import { MemoryWitness, MemoryWitnessServer } from "../../src/adapters/memory-witness.ts";
import { type EngineId, makeId } from "../../src/core/ids.ts";
import type { ExpectedRecord, StrangeContent, Witness, WitnessRecord, WitnessSwap } from "../../src/ports/witness.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { buildRig } from "./rig.ts";

/** A way to a real witness that takes its time, loses answers, or is cut. */
class WayToWitness extends MemoryWitness {
  readonly #clock: VirtualClock;
  delayMs = 0;
  cause = "cut";
  mode: "well" | "cut" | "answers-lost" = "well";

  constructor(components: { clock: VirtualClock; server: MemoryWitnessServer }) {
    super(components);
    this.#clock = components.clock;
  }

  override async read(): ReturnType<Witness["read"]> {
    await this.#way();
    if (this.mode === "cut") return { outcome: "unreachable", reason: this.cause };
    return super.read();
  }

  override async swap(expected: ExpectedRecord | StrangeContent, next: WitnessRecord): Promise<WitnessSwap> {
    const lost = this.mode === "answers-lost";
    await this.#way();
    if (this.mode === "cut") return { outcome: "unreachable", reason: this.cause };
    const answer = await super.swap(expected, next);
    return lost ? { outcome: "unknown", reason: "no answer" } : answer;
  }

  async #way(): Promise<void> {
    const { delayMs } = this;
    if (delayMs > 0) await new Promise<void>((resolve) => void this.#clock.setTimeout(resolve, delayMs));
  }
}

const PEER: WitnessRecord = {
  holder: "b",
  engineId: makeId("engine", "peer"),
  epoch: 4,
  seq: 1,
  lastCommandSeq: 0,
  lastCommandEpoch: 0,
  clock: {},
  released: false,
};

function voting() {
  const clock = new VirtualClock();
  const server = new MemoryWitnessServer({ clock });
  const way = new WayToWitness({ clock, server });
  const rig = buildRig({ clock, ports: { witness: way } });
  const votes = new Votes(rig.kit);
  const told = {
    higher: [] as number[],
    seen: [] as number[],
    amnesia: 0,
    reassert: true,
    epoch: 5,
    peerId: PEER.engineId as EngineId | null,
  };
  const mine: Omit<WitnessRecord, "seq" | "released"> = {
    ...{ holder: "a", engineId: rig.kit.self.engineId, epoch: 5 },
    ...{ lastCommandSeq: 0, lastCommandEpoch: 0, clock: {} },
  };
  const witness = new WitnessVote(rig.kit, votes, {
    onHigherEpoch: (epoch) => void told.higher.push(epoch),
    onAmnesia: () => void (told.amnesia += 1),
    describe: () => ({ ...mine, epoch: told.epoch }),
    mayReassert: () => told.reassert,
    peerId: () => told.peerId,
    believes: (epoch) => epoch <= 2 ** 32,
    sees: (epoch) => void told.seen.push(epoch),
  });
  const lead = async (): Promise<void> => {
    const swapped = await witness.swap(server.record, { ...mine, seq: 1, released: false });
    expect(swapped.outcome).toBe("swapped");
    witness.lead();
  };
  return { ...rig, rig, server, way, votes, told, mine, witness, lead };
}

// the leader's rewrites
test("[VT3] a vote counts from the send time of the rewrite, not from its answer", async () => {
  const { clock, way, votes, witness, lead } = voting();
  await lead();
  way.delayMs = 100;
  await clock.pass(200);
  const sentAtMs = clock.monoMs();
  witness.beat();
  await clock.pass(100);
  expect(votes.witnessUntilMs).toBe(sentAtMs + 600);
});

test("[VT4] the number of a rewrite is told in its epoch only, and rises while that lasts", async () => {
  const { clock, server, told, witness, lead } = voting();
  const rewritten = async (): Promise<number | null> => {
    witness.beat();
    await clock.turn();
    return witness.sentSeq;
  };
  await lead();
  expect([witness.sentSeq, await rewritten()]).toEqual([1, 2]);
  // The role is offered and kept: a follower that was told of 2 would take another 2 for a record that stands still.
  witness.follow();
  expect(witness.sentSeq).toBe(null);
  witness.lead();
  expect([await rewritten(), server.record?.seq]).toEqual([3, 3]);
  // The leader goes on under a higher epoch: to name 3 would make 1, 2 and 3 of that epoch stand still.
  told.epoch = 9;
  expect(witness.sentSeq).toBe(null);
  expect([await rewritten(), server.record?.epoch, server.record?.seq]).toEqual([1, 9, 1]);
});

test("[VT3] one rewrite at a time", async () => {
  const { clock, kit, way, witness, lead, server } = voting();
  await lead();
  way.delayMs = 50;
  const before = kit.counters.witnessSwaps;
  witness.beat();
  witness.beat();
  await clock.pass(50);
  expect(kit.counters.witnessSwaps - before).toBe(1);
  expect(server.record?.seq).toBe(2);
});

test("[VT3] an unknown result is read back: found there, it counts from its send time", async () => {
  const { clock, way, votes, witness, lead } = voting();
  await lead();
  await clock.pass(200);
  way.mode = "answers-lost";
  const sentAtMs = clock.monoMs();
  witness.beat();
  await clock.turn();
  expect(votes.witnessUntilMs).toBe(sentAtMs + 600);
  expect(witness.machineValue).toEqual({ renewing: "held" });
});

test("[VT3] an unknown result that cannot be read back is not renewed", async () => {
  const { clock, way, votes, witness, lead } = voting();
  await lead();
  const { witnessUntilMs } = votes;
  await clock.pass(200);
  way.mode = "answers-lost";
  way.delayMs = 10;
  witness.beat();
  await clock.pass(5);
  way.mode = "cut";
  await clock.pass(50);
  expect(votes.witnessUntilMs).toBe(witnessUntilMs);
  expect(witness.machineValue).toEqual({ renewing: "unreachable" });
});

test("[VT3] a rewrite without an answer is no news of a witness that is known to be away", async () => {
  const { rig, clock, way, witness, lead } = voting();
  await lead();
  way.delayMs = 10;
  for (let beat = 0; beat < 3; beat += 1) {
    way.mode = "answers-lost";
    witness.beat();
    await clock.pass(15);
    way.mode = "cut";
    await clock.pass(185);
    expect(witness.machineValue, `beat ${beat}`).toEqual({ renewing: "unreachable" });
    expect(rig.alarm("witness-unreachable")).toBe(true);
  }
});

test("[VT3] a lost swap renews nothing, and the higher epoch is told", async () => {
  const { clock, server, votes, witness, lead, told } = voting();
  await lead();
  const { witnessUntilMs } = votes;
  server.swap(server.record, { ...PEER, epoch: 6 });
  await clock.pass(200);
  witness.beat();
  await clock.turn();
  expect(told.higher).toContain(6);
  expect(votes.witnessUntilMs).toBe(witnessUntilMs);
  expect(server.record?.epoch).toBe(6);
});

test("[CP5] a forgotten record is asserted again where that is allowed, and only there", async () => {
  const { clock, server, witness, lead, told } = voting();
  await lead();
  server.forget();
  told.reassert = false;
  witness.beat();
  await clock.turn();
  witness.beat();
  await clock.turn();
  expect(server.record).toBeNull();
  expect(told.amnesia).toBe(1);
  told.reassert = true;
  witness.beat();
  await clock.turn();
  expect(server.record).toMatchObject({ holder: "a", epoch: 5 });
});

test("[DP3] the record is released on the way out", async () => {
  const { server, witness, lead } = voting();
  await lead();
  await witness.release();
  expect(server.record).toMatchObject({ holder: "a", epoch: 5, seq: 2, released: true });
});

// the follower's watch
test("[VT4] the count begins at the first sight and goes on while the record stands still", async () => {
  const { clock, server, witness } = voting();
  server.swap(null, PEER);
  const sinceMs = clock.monoMs();
  for (let poll = 0; poll < 4; poll += 1) {
    witness.beat();
    await clock.pass(200);
  }
  expect(witness.sighting).toMatchObject({ sinceMs, key: { holder: "b", epoch: 4, seq: 1 } });
  server.swap(server.record, { ...PEER, seq: 2 });
  witness.beat();
  await clock.turn();
  expect(witness.sighting?.sinceMs).toBe(clock.monoMs());
});

test("[VT4] a heartbeat that names the seq is a sight, and the poll that finds the same goes on counting", async () => {
  const { clock, server, witness } = voting();
  server.swap(null, PEER);
  const heardAtMs = clock.monoMs();
  witness.sightByHeartbeat({ holder: "b", epoch: 4, seq: 1 }, heardAtMs);
  await clock.pass(150);
  witness.beat();
  await clock.turn();
  expect(witness.sighting?.sinceMs).toBe(heardAtMs);
});

test("[VT4] a gap of more than two polls starts the count anew", async () => {
  const { clock, kit, server, witness } = voting();
  const gapMs = kit.failover.heartbeatMs * 2 + kit.failover.witnessTimeoutMs;
  server.swap(null, PEER);
  const sinceMs = clock.monoMs();
  await witness.read();
  await clock.pass(gapMs);
  await witness.read();
  expect(witness.sighting?.sinceMs).toBe(sinceMs);
  await clock.pass(gapMs + 1);
  await witness.read();
  expect(witness.sighting?.sinceMs).toBe(clock.monoMs());
});

test.each<[string, (server: MemoryWitnessServer) => void]>([
  ["restarts empty", (server) => server.forget()],
  ["falls back to an older copy", (server) => server.rollBack({ ...PEER, seq: 1 })],
])("[CP5] a witness that %s has forgotten: told once, and counted anew", async (_how, fault) => {
  const { rig, clock, server, witness, told } = voting();
  server.swap(null, { ...PEER, seq: 9 });
  await witness.read();
  await clock.pass(200);
  fault(server);
  await witness.read();
  await witness.read();
  expect(told.amnesia).toBe(1);
  expect(rig.alarm("witness-amnesia")).toBe(true);
  expect(witness.sighting?.sinceMs).toBe(clock.monoMs());
});

test("[VT4] an answer that a later one has overtaken is not news, and no amnesia", async () => {
  const { clock, server, way, witness, told } = voting();
  server.swap(null, PEER);
  way.delayMs = 100;
  const slow = witness.read();
  await clock.pass(1);
  way.delayMs = 0;
  server.swap(server.record, { ...PEER, seq: 2 });
  await witness.read();
  server.rollBack(PEER);
  server.swap(server.record, { ...PEER, seq: 1 });
  await clock.pass(100);
  await slow;
  expect(witness.record?.seq).toBe(2);
  expect(told.amnesia).toBe(0);
});

// a record that is not this pair's
const STRANGER: WitnessRecord = { ...PEER, engineId: makeId("engine", "stranger"), epoch: 100 };

test("P7 VT7: a leader neither obeys nor overwrites a stranger's record, and goes on once that is gone", async () => {
  const { rig, clock, server, votes, witness, lead, told } = voting();
  await lead();
  const { witnessUntilMs } = votes;
  server.scribble(STRANGER);
  for (let beat = 0; beat < 3; beat += 1) {
    await clock.pass(200);
    witness.beat();
    await clock.turn();
  }
  expect(server.record).toEqual(STRANGER);
  expect(told.higher).not.toContain(100);
  expect([votes.witnessUntilMs, witness.usable, witness.reachable]).toEqual([witnessUntilMs, false, true]);
  expect([witness.record, witness.standing]).toEqual([null, STRANGER]);
  expect(witness.machineValue).toEqual({ renewing: "unusable" });
  expect(rig.alarmText("witness-foreign")).toContain(STRANGER.engineId);
  server.forget();
  witness.beat();
  await clock.turn();
  expect(server.record).toMatchObject({ holder: "a", epoch: 5 });
  expect([witness.usable, rig.alarm("witness-foreign")]).toEqual([true, false]);
});

test("P7 VT7: a stranger's record under the very numbers of this leader's is not overwritten", async () => {
  const { rig, server, mine, witness, lead } = voting();
  await lead();
  const twin = { ...mine, engineId: STRANGER.engineId, seq: 1, released: false };
  server.scribble(twin);
  witness.beat();
  await rig.clock.turn();
  expect(server.record).toEqual(twin);
  expect(rig.alarm("witness-foreign")).toBe(true);
});

test.each([
  ["of a stranger", STRANGER, "witness-foreign"],
  ["of an epoch out of reach", { ...PEER, epoch: 2 ** 40 }, "witness-corrupt"],
  ["that is none", { content: "{}" }, "witness-corrupt"],
] as const)("P7 P10 VT7: to a follower a witness with a record %s is out of reach", async (_what, standing, code) => {
  const { rig, clock, server, witness, told } = voting();
  server.scribble(standing);
  expect(await witness.read()).toMatchObject({ outcome: "unreachable" });
  expect(await witness.swap(null, { ...PEER, epoch: 6 })).toMatchObject({ outcome: "unreachable" });
  await clock.pass(1_000);
  expect([witness.sighting, witness.record, told.higher, told.amnesia]).toEqual([null, null, [], 0]);
  expect(rig.alarm(code)).toBe(true);
  expect(server.standing).toEqual(standing);
});

test("VT7: before the first contact a record may be the peer's: it binds nobody, and the alarm waits", async () => {
  const { rig, clock, kit, server, witness, told } = voting();
  told.peerId = null;
  server.scribble(PEER);
  await witness.read();
  expect([witness.usable, witness.amongStrangers, rig.alarm("witness-foreign")]).toEqual([false, true, false]);
  told.peerId = PEER.engineId;
  await witness.read();
  expect([witness.usable, witness.amongStrangers, witness.record]).toEqual([true, false, PEER]);
  told.peerId = null;
  await witness.read();
  await clock.pass(kit.failover.campaignWaitMs);
  await witness.read();
  expect(rig.alarm("witness-foreign")).toBe(true);
});

test("EP1 VT7: the epoch of an adopted record counts as used, so that it is never minted again", async () => {
  const { server, witness, told, lead } = voting();
  await lead();
  for (const standing of [STRANGER, { content: "not a record" }]) {
    server.scribble(standing);
    await witness.read();
    await witness.adopt();
  }
  expect(told.seen).toEqual([STRANGER.epoch]);
});

test("P7 VT7: a person's word puts the leader's record in the place of a strange one", async () => {
  const { rig, server, votes, witness, lead } = voting();
  await lead();
  expect(await witness.adopt()).toEqual({ outcome: "nothing-to-adopt" });
  for (const standing of [STRANGER, { content: "not a record" }]) {
    server.scribble(standing);
    await witness.read();
    expect(await witness.adopt()).toMatchObject({ outcome: "adopted" });
    expect(server.record).toMatchObject({ holder: "a", engineId: rig.kit.self.engineId, epoch: 5 });
    expect([witness.usable, rig.alarm("witness-foreign"), rig.alarm("witness-corrupt")]).toEqual([true, false, false]);
    await rig.clock.pass(200);
    const sentAtMs = rig.clock.monoMs();
    witness.beat();
    await rig.clock.turn();
    expect(votes.witnessUntilMs).toBe(sentAtMs + 600);
  }
});

test("a record of this pair that no engine can live up to is replaced when a person resets it, and not before", async () => {
  const { rig, server, witness } = voting();
  const lost = { ...STRANGER, engineId: rig.kit.self.engineId, epoch: 5, seq: 40, lastCommandSeq: 9_000 };
  server.scribble(lost);
  await witness.read();
  expect(await witness.adopt()).toEqual({ outcome: "nothing-to-adopt" });
  const done = await witness.reset();
  expect(done).toMatchObject({
    outcome: "adopted",
    replaced: expect.stringContaining("through command 9000") as string,
  });
  expect(server.record).toMatchObject({ engineId: rig.kit.self.engineId, lastCommandSeq: 0, released: false });
  expect(witness.usable).toBe(true);
});

// a witness out of reach
test("an alarm stands from the first failure to the first answer, also across a change of role", async () => {
  const { rig, clock, way, witness } = voting();
  way.mode = "cut";
  witness.beat();
  await clock.turn();
  expect(witness.reachable).toBe(false);
  expect(rig.alarmText("witness-unreachable")).toBe("the witness does not answer: cut");
  way.cause = "wrong password (WRONGPASS)";
  witness.beat();
  await clock.turn();
  expect(rig.alarmText("witness-unreachable")).toBe("the witness does not answer: wrong password (WRONGPASS)");
  witness.lead();
  expect(rig.alarm("witness-unreachable")).toBe(true);
  expect(witness.machineValue).toEqual({ renewing: "unreachable" });
  witness.follow();
  expect(rig.alarm("witness-unreachable")).toBe(true);
  expect(witness.machineValue).toEqual({ watching: "unreachable" });
  way.mode = "well";
  witness.beat();
  await clock.turn();
  expect(rig.alarm("witness-unreachable")).toBe(false);
});

test("[CP3] with none configured nothing is asked and nothing is reachable", async () => {
  const { NoWitness } = await import("../../src/adapters/no-witness.ts");
  const clock = new VirtualClock();
  const rig = buildRig({ clock, ports: { witness: new NoWitness({ clock }) } });
  const handlers = {
    onHigherEpoch: () => undefined,
    onAmnesia: () => undefined,
    onRenewed: () => undefined,
    describe: () => PEER,
    mayReassert: () => true,
    peerId: () => null,
    believes: () => true,
    sees: () => undefined,
  };
  const witness = new WitnessVote(rig.kit, new Votes(rig.kit), handlers);
  witness.beat();
  await clock.turn();
  expect([witness.reachable, witness.record, rig.alarm("witness-unreachable")]).toEqual([null, null, false]);
});
