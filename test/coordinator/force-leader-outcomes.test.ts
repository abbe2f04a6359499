/** What a person's word for the role may come to. */
import { expect, test } from "vitest";
import type { ForceLeaderOutcome, ForceLeaderRequest } from "../../src/coordinator/types.ts";
import type { Label } from "../../src/core/ids.ts";
import type { PeerMessage } from "../../src/core/messages.ts";
import { FilteredChannel, filteredPair } from "./filtered-channel.ts";
import { Pair } from "./pair.ts";

const FORCE: ForceLeaderRequest = {
  ...{ mode: "graceful", reason: "drill", requestId: null, expectedEpoch: null, acceptDualAir: false, by: "ops" },
};

function force(pair: Pair, label: Label, change: Partial<ForceLeaderRequest> = {}): Promise<ForceLeaderOutcome> {
  return pair.untilDone(pair.of(label).forceLeader({ ...FORCE, ...change }));
}

test("[HO1] [HO3] a graceful force moves the role by handover, and says from whom and how long", async () => {
  const pair = await Pair.started();
  await pair.submit("a", "CAM 1");
  await pair.clock.pass(300);
  const outcome = await force(pair, "b", { requestId: "req_1" });
  expect(outcome).toMatchObject({
    outcome: "leads",
    answer: { engineLabel: "b", role: "leader", epoch: 2, previousEpoch: 1, previousLeader: "a", requestId: "req_1" },
  });
  expect([pair.of("a").mayAct(), pair.of("b").mayAct()]).toEqual([false, true]);
  expect(pair.of("b").leadership(1)).toMatchObject([{ cause: "forced", by: "ops", reason: "drill" }]);
});

test("[HO4] a repeated request gets the first answer, also after a restart; together they are one", async () => {
  const pair = await Pair.started();
  const [first, second] = await Promise.all([
    force(pair, "b", { requestId: "req_1" }),
    force(pair, "b", { requestId: "req_1" }),
  ]);
  expect(second).toEqual(first);
  expect(await force(pair, "b", { requestId: "req_1" })).toEqual(first);
  await pair.stop("b");
  await pair.start("b");
  expect(await force(pair, "b", { requestId: "req_1" })).toEqual(first);
});

test("[HO4] who leads already, and who expects another epoch, is told so, and nothing moves", async () => {
  const pair = await Pair.started();
  expect(await force(pair, "a")).toEqual({ outcome: "already-leader", epoch: 1 });
  expect(await force(pair, "b", { expectedEpoch: 7 })).toEqual({ outcome: "epoch-mismatch", epoch: 1 });
  expect(await force(pair, "b", { expectedEpoch: 1 })).toMatchObject({ outcome: "leads" });
});

test("[HO1] [HO4] a force that meets a handover waits for its end, and then takes the role back", async () => {
  const pair = await Pair.started();
  const handover = pair.of("a").handover({ reason: "drill", by: "ops" });
  const outcome = await force(pair, "a");
  expect(await pair.untilDone(handover)).toMatchObject({ outcome: "handed-over", epoch: 2 });
  expect(outcome).toMatchObject({ outcome: "leads", answer: { epoch: 3, previousLeader: "b" } });
});

test("[HO1] [HO4] who leads on when a handover came to nothing is told so", async () => {
  const pair = await Pair.started();
  pair.wire.cut("red");
  const handover = pair.of("a").handover({ reason: "drill", by: "ops" });
  expect(await force(pair, "a")).toEqual({ outcome: "already-leader", epoch: 1 });
  expect(await pair.untilDone(handover)).toMatchObject({ outcome: "no-valid-backup" });
});

test("[HO3] a person's hold binds automation, not people", async () => {
  const pair = await Pair.started();
  pair.of("a").setMaintenance({ on: true, reason: "rehearsal", by: "ops" });
  await pair.clock.pass(300);
  expect(pair.of("b").state().maintenance?.on).toBe(true);
  expect(await force(pair, "b")).toMatchObject({ outcome: "leads" });
});

test("[HO3] under `consistency` an immediate force past a leader that is cut off waits for its votes to lapse", async () => {
  const failover = { policy: "consistency" } as const;
  const pair = await Pair.started({ failover });
  pair.wire.cut("red");
  await pair.clock.pass(100);
  const startedAtMs = pair.clock.monoMs();
  const overlaps: number[] = [];
  const forcing = pair.of("b").forceLeader({
    ...{ mode: "immediate", reason: "drill", requestId: null, expectedEpoch: null, acceptDualAir: false, by: "ops" },
  });
  let done = false;
  void forcing.then(() => (done = true));
  await pair.until(() => {
    if (pair.of("a").mayAct() && pair.of("b").mayAct()) overlaps.push(pair.clock.monoMs());
    return done;
  });
  expect(await forcing).toMatchObject({ outcome: "leads", answer: { epoch: 4, mode: "immediate" } });
  expect(overlaps).toEqual([]);
  expect(pair.clock.monoMs() - startedAtMs).toBeGreaterThanOrEqual(750);
});

test("[HO3] `acceptDualAir` takes the role at once", async () => {
  const pair = await Pair.started({ failover: { policy: "consistency" } });
  pair.wire.cut("red");
  await pair.clock.pass(700);
  const startedAtMs = pair.clock.monoMs();
  expect(await force(pair, "b", { mode: "immediate", acceptDualAir: true })).toMatchObject({ outcome: "leads" });
  expect(pair.clock.monoMs() - startedAtMs).toBeLessThan(300);
});

test("[CP3] [HO3] alone, without any vote, `consistency` answers `no-quorum` and `on-air` leads when told to at once", async () => {
  for (const [policy, outcome] of [
    ["consistency", "no-quorum"],
    ["on-air", "leads"],
  ] as const) {
    const pair = new Pair({ witness: false, failover: { policy, blindPromoteMs: "never", deathProof: "none" } });
    await pair.start("b");
    await pair.clock.pass(1_000);
    expect((await force(pair, "b", { mode: "immediate" })).outcome, policy).toBe(outcome);
  }
});

test("a request that is under way when the engine stops is answered, and leaves no timer", async () => {
  const pair = await Pair.started({ failover: { policy: "consistency" } });
  pair.wire.cut("red");
  await pair.clock.pass(700);
  const forcing = pair.of("b").forceLeader({
    ...{ mode: "immediate", reason: "drill", requestId: null, expectedEpoch: null, acceptDualAir: false, by: "ops" },
  });
  await pair.clock.pass(50);
  await pair.stop("b");
  expect((await pair.untilDone(forcing)).outcome).toBe("no-quorum");
  await pair.stop("a");
  await pair.clock.pass(2_000);
  expect(pair.clock.waiting).toBe(0);
});

test("[HO4] [I8] a request repeated at the other engine gets the first answer and makes no second epoch", async () => {
  const pair = await Pair.started();
  const first = await force(pair, "b", { requestId: "req_1" });
  expect(first).toMatchObject({ outcome: "leads", answer: { engineLabel: "b", epoch: 2 } });
  expect(await force(pair, "a", { requestId: "req_1" })).toEqual(first);
  expect(await force(pair, "a", { requestId: "req_1", mode: "immediate" })).toEqual(first);
  expect(pair.of("b").state()).toMatchObject({ role: "leader", epoch: 2 });
  // Another request moves it, as before; one that was refused made no epoch and binds only the engine that refused it.
  expect(await force(pair, "b", { requestId: "req_2" })).toMatchObject({ outcome: "already-leader" });
  expect(await force(pair, "a", { requestId: "req_2" })).toMatchObject({ outcome: "leads", answer: { epoch: 3 } });
});

test("[HO4] [I8] the other engine remembers it after a restart, and when the first one is gone", async () => {
  const pair = await Pair.started();
  const first = await force(pair, "b", { requestId: "req_1" });
  await pair.stop("a");
  await pair.start("a");
  await pair.stop("b");
  expect(await force(pair, "a", { requestId: "req_1" })).toEqual(first);
});

test("[HO4] [I8] who was out of reach at the time is told when it is back", async () => {
  const pair = await Pair.started();
  pair.wire.cut("red");
  const first = await force(pair, "b", { requestId: "req_1", mode: "immediate" });
  expect(first).toMatchObject({ outcome: "leads", answer: { engineLabel: "b" } });
  const { epoch } = pair.of("b").state();
  pair.wire.mend("red");
  await pair.until(() => pair.of("a").ready());
  expect(await force(pair, "a", { requestId: "req_1" })).toEqual(first);
  expect(pair.of("b").state()).toMatchObject({ role: "leader", epoch });
});

test("[HO4] [I8] one request sent to both engines at a moment moves the role once", async () => {
  const { pair, channels } = await filteredPair((inner) => new HeldGrants(inner));
  const moving = pair.of("b").forceLeader({ ...FORCE, requestId: "req_1" });
  await pair.until(() => channels.a.held.length > 0);
  const repeated = pair.of("a").forceLeader({ ...FORCE, requestId: "req_1" });
  await pair.clock.pass(50);
  channels.a.release();
  const first = await pair.untilDone(moving);
  expect(first).toMatchObject({ outcome: "leads", answer: { engineLabel: "b", epoch: 2 } });
  expect(await pair.untilDone(repeated)).toEqual(first);
  expect(pair.of("b").state()).toMatchObject({ role: "leader", epoch: 2 });
});

test("[HO4] a peer that does not say that it keeps an answer delays it by a heartbeat at most, and is told again", async () => {
  const { pair, channels } = await filteredPair((inner) => new FilteredChannel(inner));
  channels.a.lost.add("request-kept");
  const startedAtMs = pair.clock.monoMs();
  expect(await force(pair, "b", { requestId: "req_1" })).toMatchObject({ outcome: "leads" });
  expect(pair.clock.monoMs() - startedAtMs).toBeLessThan(300);
  channels.a.lost.clear();
  await pair.until(() => channels.a.count("request-kept") > 1);
  const told = channels.b.count("request-answered");
  await pair.clock.pass(1_000);
  expect(channels.b.count("request-answered") - told).toBeLessThan(2);
});

/** Keeps grants back until the test lets them go. */
class HeldGrants extends FilteredChannel {
  readonly held: PeerMessage[] = [];

  override send(message: PeerMessage): boolean {
    if (message.type !== "handover-grant") return super.send(message);
    this.held.push(message);
    return true;
  }

  release(): void {
    for (const message of this.held.splice(0)) super.send(message);
  }
}
