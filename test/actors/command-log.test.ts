/** The one log: commands accepted as leader, or appended as follower. */
import { expect, test } from "vitest";
import { CommandLog } from "../../src/actors/command-log.ts";
import type { Command } from "../../src/core/command.ts";
import type { CommandInput, SubmitOutcome } from "../../src/core/outcomes.ts";
import { buildRig, type RigSettings } from "./rig.ts";

const AHEAD_BOUND_US = 10_000_000;

function logging(settings: RigSettings = {}) {
  const rig = buildRig(settings);
  const leader = { mayAct: true, epoch: 3, peerFollows: true, storeFailures: 0 };
  const frames: (readonly Command[])[] = [];
  const nowUs = (): number => Math.round(rig.clock.unixMs() * 1_000);
  const log = new CommandLog(rig.kit, {
    mayAct: () => leader.mayAct,
    epoch: () => leader.epoch,
    highestEpoch: () => 9,
    peerFollows: () => leader.peerFollows,
    programmeTimeUs: nowUs,
    jitterMs: () => 0,
    onStoreFailed: () => void (leader.storeFailures += 1),
    onAccepted: (_prev, commands) => void frames.push(commands),
  });
  log.restore(rig.store.load());
  const submit = (change: Partial<CommandInput> = {}): Promise<SubmitOutcome> =>
    log.submit({ kind: "POST /switch/cut", payload: { source: "CAM 1" }, ...change });
  const seqs = (): number[] => rig.store.commandsAfter(0, 10_000).commands.map(({ seq }) => seq);
  return { ...rig, leader, frames, log, submit, seqs, nowUs };
}

test("[HO2] commands of one turn are one transaction and one frame, numbered without a gap", async () => {
  const { clock, log, submit, frames, seqs } = logging();
  const answers = [submit(), submit(), submit()];
  await clock.turn();
  expect(frames.map((frame) => frame.map(({ seq }) => seq))).toEqual([[1, 2, 3]]);
  expect(seqs()).toEqual([1, 2, 3]);
  log.peerHolds(3);
  for (const [index, answer] of (await Promise.all(answers)).entries()) {
    expect(answer).toMatchObject({ outcome: "accepted", seq: index + 1, epoch: 3, durability: "pair" });
  }
  expect(clock.waiting).toBe(1);
  log.stop();
  expect(clock.waiting).toBe(0);
});

test("[HO2] `pair` is said only for what the follower has said to hold", async () => {
  const { clock, log, submit } = logging();
  const told: string[] = [];
  void submit().then(({ outcome }) => told.push(`first ${outcome}`));
  void submit().then(({ outcome }) => told.push(`second ${outcome}`));
  await clock.turn();
  log.peerHolds(1);
  await clock.turn();
  expect(told).toEqual(["first accepted"]);
  expect(log.acknowledged).toEqual({ epoch: 3, seq: 1 });
});

test("[HO2] what the peer held in an earlier leadership says nothing in the next one", async () => {
  const { clock, log, leader, submit, store } = logging();
  void submit();
  void submit({ idempotencyKey: "second" });
  await clock.turn();
  log.peerHolds(2);
  log.stopLeading();
  // The peer led meanwhile, and the second command was lost with the log's end.
  log.restore({ ...store.load(), log: { epoch: 3, seq: 1 } });
  leader.epoch = 5;
  log.beginLeading();
  expect(log.peerThroughSeq).toBe(0);
  expect(await submit({ idempotencyKey: "second" })).toMatchObject({ durability: "local" });
});

test("a caller that asks for `local` is answered at once, without a peer everyone is", async () => {
  const { clock, leader, submit } = logging();
  const hasty = submit({ ack: "local" });
  await clock.turn();
  expect(await hasty).toMatchObject({ outcome: "accepted", durability: "local" });
  leader.peerFollows = false;
  const alone = submit({ ack: "pair" });
  await clock.turn();
  expect(await alone).toMatchObject({ outcome: "accepted", durability: "local" });
});

test("an unanswered peer costs one time-out: then `local`, until it has caught up", async () => {
  const { clock, log, submit } = logging();
  const waiting = submit();
  await clock.pass(199);
  expect(log.pending).toBe(1);
  await clock.pass(1);
  expect(await waiting).toMatchObject({ outcome: "accepted", durability: "local" });
  const next = submit();
  await clock.turn();
  expect(await next).toMatchObject({ durability: "local" });
  log.peerHolds(2);
  const again = submit();
  await clock.turn();
  log.peerHolds(3);
  expect(await again).toMatchObject({ durability: "pair" });
});

test("a peer that answers in time again is waited for, also under a load that it never sees the end of", async () => {
  const { clock, log, submit } = logging();
  const slow = submit();
  await clock.pass(200);
  expect(await slow).toMatchObject({ durability: "local" });
  const load = async (holdsAfterMs: number) => {
    const one = submit();
    await clock.turn();
    void submit();
    await clock.pass(holdsAfterMs);
    log.peerHolds(log.position.seq - 1);
    return one;
  };
  expect(await load(200)).toMatchObject({ durability: "local" });
  expect(await load(199)).toMatchObject({ durability: "local" });
  expect(await load(1)).toMatchObject({ durability: "pair" });
});

test("HB1: a burst takes turns with the rest of the loop, and is drained whole", async () => {
  const { clock, log, submit, frames } = logging();
  const lengths: number[] = [];
  clock.setTimeout(() => lengths.push(frames.length), 0);
  const answers = Array.from({ length: 600 }, (_, n) => submit({ idempotencyKey: `k${n}` }));
  // Between two batches of the burst others have their turn.
  const others = (): void => {
    lengths.push(frames.length);
    if (frames.length < 3) clock.soon(others);
  };
  clock.soon(others);
  const repeated = submit({ idempotencyKey: "k599" });
  let drained = false;
  void log.drained().then(() => (drained = true));
  await clock.turn();
  expect(new Set(lengths)).toEqual(new Set([1, 2, 3]));
  expect(frames.map((frame) => frame.length)).toEqual([256, 256, 88]);
  log.peerHolds(599);
  await clock.turn();
  expect(drained).toBe(false);
  log.peerHolds(600);
  await clock.turn();
  expect(drained).toBe(true);
  expect((await Promise.all(answers)).map((answer) => answer.outcome)).toEqual(Array(600).fill("accepted"));
  expect(await repeated).toMatchObject({ outcome: "accepted", seq: 600 });
});

test("one idempotency key is one command: repeated in the queue, unanswered, and long answered", async () => {
  const { clock, log, submit, seqs } = logging();
  const first = submit({ idempotencyKey: "k" });
  const queued = submit({ idempotencyKey: "k" });
  await clock.turn();
  const unanswered = submit({ idempotencyKey: "k" });
  await clock.turn();
  log.peerHolds(1);
  const answered = await submit({ idempotencyKey: "k" });
  expect(await Promise.all([first, queued, unanswered])).toEqual([answered, answered, answered]);
  expect(answered).toMatchObject({ outcome: "accepted", seq: 1, durability: "pair" });
  expect(seqs()).toEqual([1]);
});

test("H2 HO8: a key belongs to one kind and payload: queued, unanswered, answered, restarted, and where nobody leads", async () => {
  const first = logging();
  const other = { idempotencyKey: "k", payload: { source: "CAM 2" } };
  const taken = first.submit({ idempotencyKey: "k", payload: { source: "CAM 1", mix: { from: 1, to: 2 } } });
  expect(await first.submit(other)).toEqual({ outcome: "idempotency-conflict", epoch: null, seq: null });
  await first.clock.turn();
  const conflict = { outcome: "idempotency-conflict", epoch: 3, seq: 1 };
  expect(await first.submit(other)).toEqual(conflict);
  expect(await first.submit({ ...other, kind: "POST /switch/auto" })).toEqual(conflict);
  first.log.peerHolds(1);
  await taken;
  expect(await first.submit(other)).toEqual(conflict);
  // The order of keys, the instant and the acknowledgement are not part of what is asked for.
  const same = { idempotencyKey: "k", payload: { mix: { to: 2, from: 1 }, source: "CAM 1" }, ack: "local" } as const;
  expect(await first.submit({ ...same, executeAtUs: first.nowUs() })).toMatchObject({ outcome: "accepted", seq: 1 });
  expect(first.log.recall({ kind: "POST /switch/cut", ...other }, "pair")).toEqual(conflict);
  expect(first.log.recall({ kind: "POST /switch/cut", ...other }, null)).toBeNull();
  first.store.close();
  const second = logging({ disk: first.disk, clock: first.clock });
  expect(await second.submit(other)).toEqual(conflict);
  expect(await second.submit(same)).toMatchObject({ outcome: "accepted", seq: 1 });
  expect(second.seqs()).toEqual([1]);
});

test("H2: a key of an older store, without a digest, is compared with its command", async () => {
  const { clock, disk, submit } = logging();
  void submit({ idempotencyKey: "k" });
  await clock.turn();
  const keys = disk.content?.keys;
  const known = keys?.get("k");
  if (known === undefined) throw new Error("the key is kept");
  keys?.set("k", { ...known, digest: null });
  expect(await submit({ idempotencyKey: "k", payload: null })).toMatchObject({
    outcome: "idempotency-conflict",
    seq: 1,
  });
});

test("a key outlives the process that took it", async () => {
  const first = logging();
  const answer = first.submit({ idempotencyKey: "k", ack: "local" });
  await first.clock.turn();
  const { seq } = (await answer) as { seq: number };
  first.store.close();
  const second = logging({ disk: first.disk, clock: first.clock });
  expect(await second.submit({ idempotencyKey: "k" })).toMatchObject({ outcome: "accepted", seq });
  expect(second.seqs()).toEqual([1]);
});

test("[VT5] who may not act any more fences what was queued, repeats included", async () => {
  const { clock, leader, submit, seqs, kit } = logging();
  const answers = [submit({ idempotencyKey: "k" }), submit({ idempotencyKey: "k" }), submit()];
  leader.mayAct = false;
  await clock.turn();
  for (const answer of await Promise.all(answers)) expect(answer).toEqual({ outcome: "fenced", epoch: 9 });
  expect(seqs()).toEqual([]);
  expect(kit.counters.commandsAccepted).toBe(0);
});

test("[EP3] [VT5] HO6: the fate of what is stored and unanswered when the leadership ends is unknown", async () => {
  const { clock, log, submit } = logging();
  const answer = submit();
  await clock.turn();
  log.stopLeading();
  log.peerHolds(1);
  expect(await answer).toEqual({ outcome: "outcome-unknown", epoch: 3, seq: 1 });
  expect([log.pending, clock.waiting]).toEqual([0, 0]);
});

test("[VT5] an answer that comes when the engine may not act any more says that the outcome is unknown, not `accepted`", async () => {
  const { clock, leader, log, submit } = logging();
  const answer = submit();
  await clock.turn();
  leader.mayAct = false;
  log.peerHolds(1);
  expect(await answer).toEqual({ outcome: "outcome-unknown", epoch: 3, seq: 1 });
});

test("HO6 I17: an engine that accepts nothing still tells what became of a key", async () => {
  const { clock, leader, log, submit, kit } = logging();
  const answer = submit({ idempotencyKey: "k" });
  const input = { kind: "POST /switch/cut", payload: { source: "CAM 1" }, idempotencyKey: "k" };
  await clock.turn();
  leader.mayAct = false;
  log.stopLeading();
  expect(await answer).toEqual({ outcome: "outcome-unknown", epoch: 3, seq: 1 });
  expect(kit.counters).toMatchObject({ commandsUnknown: 1, commandsFenced: 0 });
  expect(log.recall(input, null)).toEqual({ outcome: "outcome-unknown", epoch: 3, seq: 1 });
  expect(log.recall(input, "pair")).toMatchObject({ outcome: "accepted", seq: 1, epoch: 3, durability: "pair" });
  expect(log.recall({ ...input, idempotencyKey: "other" }, "pair")).toBeNull();
  expect(log.recall({ ...input, idempotencyKey: undefined }, "pair")).toBeNull();
});

test("the number of unanswered commands is bounded: beyond it `busy`", async () => {
  const { clock, log, submit } = logging({ commands: { maxPending: 2 } });
  const taken = [submit(), submit()];
  expect(await submit()).toMatchObject({ outcome: "busy", detail: expect.stringContaining("at most 2") as string });
  await clock.turn();
  expect(await submit()).toMatchObject({ outcome: "busy" });
  log.peerHolds(2);
  await Promise.all(taken);
  void submit();
  await clock.turn();
  expect(log.position.seq).toBe(3);
});

test("P8: a disk that refuses takes nothing: `store_failed`, an alarm until it takes again, and the next seq is still free", async () => {
  const rig = logging();
  rig.disk.full = true;
  const refused = [rig.submit({ idempotencyKey: "k" }), rig.submit({ idempotencyKey: "k" })];
  await rig.clock.turn();
  for (const answer of await Promise.all(refused)) expect(answer).toMatchObject({ outcome: "store-failed" });
  expect(rig.leader.storeFailures).toBe(1);
  expect([rig.alarm("store-failed"), rig.log.position.seq, rig.frames.length]).toEqual([true, 0, 0]);
  rig.disk.full = false;
  void rig.submit({ idempotencyKey: "k" });
  await rig.clock.turn();
  expect(rig.log.position).toEqual({ epoch: 3, seq: 1 });
  expect(rig.alarm("store-failed")).toBe(false);
});

test("what the engine refuses, and what is too far ahead, is never numbered", async () => {
  const { nowUs, submit, log } = logging();
  expect(await submit({ kind: "GET /program" })).toMatchObject({ outcome: "invalid-command" });
  expect(await submit({ executeAtUs: nowUs() + AHEAD_BOUND_US + 1_000 })).toMatchObject({
    outcome: "invalid-command",
    detail: expect.stringContaining("10000 ms") as string,
  });
  void submit({ executeAtUs: nowUs() + AHEAD_BOUND_US });
  expect(log.pending).toBe(1);
});

test("[HO2] instants rise with the log: none is before the one in front of it", async () => {
  const { clock, submit, frames, nowUs } = logging();
  const laterUs = nowUs() + 5_000_000;
  void submit({ executeAtUs: laterUs });
  void submit();
  void submit({ executeAtUs: nowUs() - 1_000_000 });
  await clock.turn();
  expect(frames.flat().map(({ executeAtUs }) => executeAtUs)).toEqual([laterUs, laterUs, laterUs]);
});

test("a command is executed `leadTimeMs` after it was taken", async () => {
  const { clock, submit, frames, nowUs } = logging();
  void submit();
  await clock.turn();
  expect(frames[0]?.[0]?.executeAtUs).toBe(nowUs() + 40_000);
});

test("[EP4] [HO2] a follower appends what fits its end, drops what it has, and reports a gap", async () => {
  const leader = logging();
  for (let one = 0; one < 4; one += 1) void leader.submit();
  await leader.clock.turn();
  const [frame = []] = leader.frames;
  const { log, store } = logging({ label: "b" });
  const start = { epoch: 0, seq: 0 };
  expect(log.append(start, frame.slice(0, 2))).toBe("appended");
  expect(log.append(start, frame.slice(0, 2))).toBe("nothing-new");
  expect(log.append({ epoch: 3, seq: 3 }, frame.slice(3))).toBe("gap");
  expect(log.append({ epoch: 1, seq: 2 }, frame.slice(2))).toBe("gap");
  expect(log.append(start, frame)).toBe("appended");
  expect(log.position).toEqual({ epoch: 3, seq: 4 });
  expect(store.commandsAfter(0, 10).commands).toEqual(frame);
  expect(log.clock).toEqual(leader.log.clock);
});

test("[HO1] draining ends once the last caller has been answered", async () => {
  const { clock, log, submit } = logging();
  let drained = false;
  void submit();
  void log.drained().then(() => (drained = true));
  await clock.turn();
  expect(drained).toBe(false);
  log.peerHolds(1);
  await clock.turn();
  expect(drained).toBe(true);
});
