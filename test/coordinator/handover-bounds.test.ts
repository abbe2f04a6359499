/** A planned change of leader between two whole coordinators, and all the ways in which it may not come about. */
import { expect, test } from "vitest";
import type { Label } from "../../src/core/ids.ts";
import { FilteredChannel, filteredPair } from "./filtered-channel.ts";
import type { PairSettings } from "./pair.ts";

async function handing(settings: PairSettings = {}) {
  const { pair, channels } = await filteredPair((inner) => new FilteredChannel(inner), settings);
  await pair.clock.pass(300);
  const channel = (label: Label): FilteredChannel => channels[label];
  const handOver = () => pair.untilDone(pair.of("a").handover({ reason: "drill", by: "ops" }));
  return { pair, channel, handOver };
}

test("[HO1] [EP1] the target leads in an epoch of its own, with every command", async () => {
  const { pair, handOver } = await handing();
  for (const source of ["CAM 1", "CAM 2"]) await pair.submit("a", source);
  await pair.clock.pass(300);
  expect(await handOver()).toMatchObject({ outcome: "handed-over", leader: "b", epoch: 2 });
  expect([pair.of("a").mayAct(), pair.of("b").mayAct(), pair.of("b").state().lastCommandSeq]).toEqual([false, true, 2]);
  expect(pair.server.record).toMatchObject({ holder: "b", epoch: 2 });
});

test("[HO2] commands given all along: each is accepted once, by one or by the other, and executed once on both", async () => {
  const { pair, handOver } = await handing();
  const keys = Array.from({ length: 60 }, (_, index) => `key-${index}`);
  const client = async (): Promise<void> => {
    for (const key of keys) {
      for (;;) {
        const leader = pair.of("a").mayAct() ? "a" : "b";
        const answer = await pair.submit(leader, key, key);
        if (answer.outcome === "accepted") break;
        await pair.clock.pass(1);
      }
      if (key === "key-30") await handOver();
    }
  };
  await client();
  await pair.clock.pass(1_000);
  const logOf = (label: Label) =>
    pair
      .of(label)
      .commands(0, 1_000)
      .commands.map(({ idempotencyKey }) => idempotencyKey);
  expect(logOf("a")).toEqual(keys);
  expect(logOf("b")).toEqual(keys);
  expect(pair.member("b").engine.chain).toBe(pair.member("a").engine.chain);
  expect(pair.member("a").engine.past?.count).toBe(60);
});

test("[HO1] a grant that is lost: within `handoverMs` the old leader leads on, in its old epoch", async () => {
  const { pair, channel, handOver } = await handing();
  channel("a").lost.add("handover-grant");
  const startedAtMs = pair.clock.monoMs();
  expect(await handOver()).toMatchObject({ outcome: "no-valid-backup" });
  expect(pair.clock.monoMs() - startedAtMs).toBeLessThanOrEqual(600);
  await pair.until(() => pair.of("a").mayAct(), 1_000);
  expect([pair.of("a").state().epoch, pair.of("b").state().role]).toEqual([1, "follower"]);
  expect(await pair.submit("a", "CAM 1")).toMatchObject({ outcome: "accepted", epoch: 1 });
});

test("[HO1] [I1] a grant that comes after its window, while the old leader still waits, is not used", async () => {
  const { pair, channel } = await handing({ failover: { policy: "consistency" } });
  channel("a").lost.add("handover-grant");
  const going = pair.of("a").handover({ reason: "drill", by: "ops" });
  await pair.until(() => channel("a").count("handover-grant") === 1);
  // 500 ms less 2 % of drift and the 50 ms to come to rest have passed; the target's own patience has not.
  await pair.clock.pass(460);
  channel("a").lost.delete("handover-grant");
  const [grant] = channel("a").sent.filter(({ type }) => type === "handover-grant");
  if (grant === undefined) throw new Error("nothing was granted");
  channel("a").send(grant);
  expect(await pair.untilDone(going)).toMatchObject({ outcome: "no-valid-backup" });
  await pair.until(() => pair.of("a").mayAct(), 1_000);
  expect([pair.of("a").state().epoch, pair.of("b").state().role]).toEqual([1, "follower"]);
});

test("[HO1] [VT1] a leader whose votes have lapsed has no role to give", async () => {
  const { pair, channel } = await handing({ failover: { policy: "consistency" }, witness: false });
  channel("b").lost.add("heartbeat");
  await pair.until(() => !pair.of("a").mayAct());
  expect(pair.of("a").state().role).toBe("leader");
  const asked = { mode: "graceful", reason: "drill", by: "ops", acceptDualAir: false } as const;
  await pair.untilDone(pair.of("b").forceLeader({ ...asked, requestId: null, expectedEpoch: null }));
  expect([channel("b").count("handover-request"), channel("a").count("handover-grant")]).toEqual([1, 0]);
});

test("[HO1] [I1] between grant and leading on there is never one instant at which both may act", async () => {
  const { pair, channel } = await handing({ failover: { policy: "consistency" } });
  channel("a").lost.add("handover-grant");
  const going = pair.of("a").handover({ reason: "drill", by: "ops" });
  let done = false;
  void going.then(() => (done = true));
  await pair.until(() => {
    expect(pair.of("a").mayAct() && pair.of("b").mayAct()).toBe(false);
    return done && pair.of("a").mayAct();
  });
});

test("[HO1] [HO2] a target that lacks a command does not lead before it has it", async () => {
  const { pair, channel } = await handing();
  channel("a").lost.add("replicate");
  const command = { kind: "POST /switch/cut", payload: { source: "CAM 1" }, ack: "local" } as const;
  expect(await pair.untilDone(pair.of("a").submit(command))).toMatchObject({ outcome: "accepted", seq: 1 });
  const heldAsLeader: number[] = [];
  pair.of("b").subscribe((event) => {
    if (event.type === "role" && event.role === "leader") heldAsLeader.push(pair.of("b").syncHealth().lastCommandSeq);
  });
  await pair.untilDone(pair.of("a").handover({ reason: "drill", by: "ops" }));
  await pair.clock.pass(1_000);
  expect(heldAsLeader).not.toContain(0);
  expect(pair.of("b").syncHealth().lastCommandSeq).toBe(1);
});

test("[HO1] while it drains, the leader takes no command: it names the other", async () => {
  const { pair, channel } = await handing();
  channel("a").lost.add("handover-grant");
  const going = pair.of("a").handover({ reason: "drill", by: "ops" });
  await pair.clock.pass(20);
  expect(await pair.submit("a", "CAM 1")).toEqual({ outcome: "not-leader", leader: "b", leaderUrl: "http://b" });
  await pair.untilDone(going);
});

test("[HO1] an offer that is lost moves nothing", async () => {
  const { pair, channel, handOver } = await handing();
  channel("a").lost.add("handover-offer");
  expect(await handOver()).toMatchObject({ outcome: "no-valid-backup" });
  expect(pair.of("a").mayAct()).toBe(true);
});

test("[HO1] a second one while the first is under way is refused, and the first goes on", async () => {
  const { pair } = await handing();
  const both = [1, 2].map(() => pair.of("a").handover({ reason: "drill", by: "ops" }));
  const outcomes = (await pair.untilDone(Promise.all(both))).map(({ outcome }) => outcome);
  expect(outcomes).toEqual(["handed-over", "no-valid-backup"]);
});

test("[HO5] who does not lead, and who has no ready peer, is told so", async () => {
  const { pair, handOver } = await handing();
  expect(await pair.untilDone(pair.of("b").handover({ reason: "", by: "ops" }))).toEqual({
    outcome: "not-leader",
    leader: "a",
    leaderUrl: "http://a",
  });
  pair.member("b").faults.health = "failed";
  await pair.clock.pass(300);
  expect(await handOver()).toEqual({ outcome: "no-valid-backup", detail: "the peer's engine has failed" });
});

test("[HO5] a leader whose engine fails hands over by itself, once, and the role is not pulled back", async () => {
  const { pair } = await handing();
  pair.member("a").faults.health = "failed";
  await pair.until(() => pair.of("b").mayAct(), 2_000);
  expect(pair.of("b").leadership(1)).toMatchObject([{ cause: "unhealthy", by: "automation" }]);
  pair.member("a").faults.health = "ok";
  await pair.clock.pass(10_000);
  expect([pair.of("b").mayAct(), pair.of("b").state().epoch]).toEqual([true, 2]);
});

test("[CP7] an engine that has just given its role away asks for no vote before it has heard the peer again", async () => {
  const { pair, channel } = await handing();
  const askedAtStart = channel("a").count("vote-request");
  channel("b").lost.add("heartbeat");
  const handover = pair.of("a").handover({ reason: "drill", by: "ops" });
  await pair.clock.pass(300);
  expect(await handover).toMatchObject({ outcome: "handed-over", leader: "b" });
  expect(pair.of("a").state().role).toBe("follower");
  expect(channel("a").count("vote-request")).toBe(askedAtStart);
});
