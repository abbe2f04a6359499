/** A follower on its way to ready, and two logs that have parted, over two whole coordinators. */
import { expect, test } from "vitest";
import { otherLabel, type Label } from "../../src/core/ids.ts";
import { FilteredChannel, filteredPair } from "./filtered-channel.ts";
import type { Pair, PairSettings } from "./pair.ts";

async function pairing(settings: PairSettings = {}) {
  const { pair, channels } = await filteredPair((inner) => new FilteredChannel(inner), settings);
  return { pair, channel: (label: Label) => channels[label] };
}

function alike(pair: Pair): void {
  const logOf = (label: Label) => pair.of(label).commands(0, 100_000).commands;
  expect(logOf("b")).toEqual(logOf("a"));
  expect(pair.member("b").engine.chain).toBe(pair.member("a").engine.chain);
  expect(pair.of("b").syncHealth().clock).toEqual(pair.of("a").syncHealth().clock);
}

async function many(pair: Pair, label: Label, count: number, prefix: string): Promise<void> {
  const commands = Array.from({ length: count }, (_, index) =>
    pair.of(label).submit({ kind: "POST /switch/cut", payload: { source: `${prefix} ${index}` } }),
  );
  await pair.untilDone(Promise.all(commands));
  await pair.clock.pass(300);
}

const leaderOf = (pair: Pair): Label => (pair.of("a").mayAct() ? "a" : "b");

test("[HO2] a follower that was away takes the log page by page, and is ready only then", async () => {
  const { pair, channel } = await pairing();
  await pair.stop("b");
  await many(pair, "a", 1_200, "CAM");
  channel("a").lost.add("catch-up-page");
  await pair.start("b");
  await pair.clock.pass(500);
  expect([pair.of("b").state().syncState, pair.of("b").ready()]).toEqual(["catching-up", false]);
  channel("a").lost.clear();
  await pair.until(() => pair.of("b").ready());
  await pair.clock.pass(500);
  expect(channel("a").count("catch-up-page")).toBeGreaterThanOrEqual(3);
  alike(pair);
});

test("[SB4] one for whom the log no longer reaches back takes a snapshot, without a lock", async () => {
  const { pair, channel } = await pairing({ commands: { keep: 10, checkpointEvery: 50 } });
  await pair.stop("b");
  await many(pair, "a", 300, "CAM");
  // As a compaction leaves it that happened after the peer had held these commands and lost them with its disk.
  pair.member("a").store.compact(250, 0);
  expect(pair.member("a").store.firstHeldSeq()).toBeGreaterThan(1);
  await pair.start("b");
  await pair.until(() => pair.of("b").ready());
  await pair.clock.pass(500);
  expect(channel("a").count("snapshot-piece")).toBeGreaterThan(0);
  expect(pair.member("b").engine.chain).toBe(pair.member("a").engine.chain);
  expect(pair.of("b").state().lastCommandSeq).toBe(300);
});

test("[EP4] commands that never arrived are noticed and fetched", async () => {
  const { pair, channel } = await pairing();
  channel("a").lost.add("replicate");
  await many(pair, "a", 5, "CAM");
  channel("a").lost.clear();
  await pair.until(() => pair.of("b").ready() && pair.of("b").state().lastCommandSeq === 5);
  await pair.clock.pass(500);
  alike(pair);
});

test("a plan that never comes is asked for again", async () => {
  const { pair, channel } = await pairing();
  await pair.stop("b");
  await many(pair, "a", 3, "CAM");
  channel("a").lost.add("catch-up-plan");
  await pair.start("b");
  await pair.clock.pass(5_000);
  expect(pair.of("b").ready()).toBe(false);
  channel("a").lost.clear();
  await pair.until(() => pair.of("b").ready());
  await pair.clock.pass(500);
  alike(pair);
});

/** Both lead under `on-air`, each with commands of its own; then they hear each other again. */
async function split(settings: PairSettings = {}) {
  const given = await pairing({ ...settings, failover: { deathProof: "none", ...settings.failover } });
  const { pair } = given;
  await many(pair, "a", 2, "BOTH");
  pair.wire.cut("red");
  await pair.clock.pass(300);
  const lost = pair.of("b").forceLeader({
    ...{ mode: "immediate", reason: "drill", requestId: null, expectedEpoch: null, acceptDualAir: true, by: "ops" },
  });
  await pair.untilDone(lost);
  await many(pair, "b", 3, "WINNER");
  return given;
}

test("[SB1] [SB2] [SB5] two leaders that hear each other: one demotes, the logs become one, nothing stays open", async () => {
  const { pair } = await split();
  pair.wire.mend("red");
  await pair.until(() => pair.of("a").ready() && pair.of("b").ready() && leaderOf(pair) === "b");
  await pair.clock.pass(1_000);
  expect([pair.of("a").state().role, pair.of("b").state().role]).toEqual(["follower", "leader"]);
  alike(pair);
  expect(pair.alarm("b", "split-brain")).toBe(false);
});

test("[SB3] divergent commands are kept on both engines, and a person can apply one again", async () => {
  const { pair } = await diverged("manual");
  const leader = leaderOf(pair);
  const conflicts = pair.of(leader).conflicts(100);
  expect(conflicts.map(({ divergent }) => (divergent.payload as { source: string }).source).sort()).toEqual([
    "LOSER 0",
    "LOSER 1",
  ]);
  expect(pair.of(otherLabel(leader)).conflicts(100)).toEqual(conflicts);
  expect(pair.alarm(leader, "conflicts-open")).toBe(true);
  const id = conflicts[0]?.id ?? "";
  const settled = await pair.untilDone(pair.of(leader).resolveConflict(id, { choice: "reapply" }, "ops"));
  expect(settled).toMatchObject({ outcome: "resolved", conflict: { resolution: { by: "ops" } } });
  await pair.clock.pass(500);
  expect(
    pair
      .of(otherLabel(leader))
      .conflicts(100)
      .find((one) => one.id === id)?.outcome,
  ).toBe("resolved");
  alike(pair);
});

test("[SB3] both engines tell of divergent commands that the loser no longer holds", async () => {
  const { pair } = await diverged("leader-wins", async ({ pair: divided }) => {
    // As a compaction leaves it that happened while the other engine held them, before it was restored from an older copy.
    divided.member("a").store.compact(3, 0);
  });
  const conflicts = pair.of("b").conflicts(100);
  expect(conflicts.map(({ divergent }) => divergent.payload)).toEqual([{ source: "LOSER 1" }]);
  const told = (label: Label) =>
    pair
      .of(label)
      .state()
      .alarms.find(({ code }) => code === "history-forked")?.detail;
  expect(told("a")).toContain("commands 3 to 3 of this engine do not stand");
  expect(told("b")).toContain("commands 3 to 3 of the other engine do not stand");
  expect(pair.member("b").engine.chain).toBe(pair.member("a").engine.chain);
});

test("[SB5] [RL3] a reconciliation that is kept from the lock, or interrupted, begins anew and ends the same", async () => {
  const { pair, channel } = await diverged("leader-wins", async ({ pair: divided, channel: way }) => {
    await divided.of("a").acquireLock({ holder: "somebody", ttlMs: 3_000 });
    way("b").lost.add("snapshot-piece");
  });
  await pair.clock.pass(12_000);
  channel("b").lost.clear();
  await pair.until(() => pair.of("a").ready() && pair.of("b").ready(), 60_000);
  await pair.clock.pass(1_000);
  expect(pair.of(leaderOf(pair)).conflicts(100)).toHaveLength(2);
  alike(pair);
});

/** As `split`, and the old leader, which has not heard of the new one, takes two commands more. */
async function diverged(
  onConflict: "manual" | "leader-wins",
  before: (given: Awaited<ReturnType<typeof pairing>>) => Promise<void> = async () => undefined,
) {
  const commands = { onConflict, checkpointEvery: 2 };
  const given = await pairing({ commands, failover: { deathProof: "none" }, witness: false });
  const { pair } = given;
  await many(pair, "a", 2, "BOTH");
  pair.wire.cut("red");
  await pair.until(() => pair.of("b").mayAct(), 5_000);
  await many(pair, "a", 2, "LOSER");
  await many(pair, "b", 3, "WINNER");
  await before(given);
  pair.wire.mend("red");
  if (given.channel("b").lost.size > 0) return given;
  await pair.until(
    () => pair.of("a").ready() && pair.of("b").ready() && !(pair.of("a").mayAct() && pair.of("b").mayAct()),
  );
  await pair.clock.pass(1_500);
  return given;
}

test("[HO2] what the leader before had executed says nothing of the log of the next one", async () => {
  const { pair, channel } = await pairing({ commands: { leadTimeMs: 100, ackTimeoutMs: 50 } });
  for (const type of ["replicate", "catch-up-plan", "catch-up-page"] as const) channel("a").lost.add(type);
  for (const source of ["CAM 1", "CAM 2", "CAM 3"]) await pair.submit("a", source);
  await pair.until(() => pair.of("b").state().peer.lastExecutedSeq === 3);
  pair.wire.cut("red");
  const request = { mode: "immediate", requestId: "over-to-b", expectedEpoch: null, acceptDualAir: true } as const;
  await pair.untilDone(pair.of("b").forceLeader({ ...request, reason: "a is lost", by: "operator" }));
  await pair.until(() => pair.of("b").mayAct());
  await pair.submit("b", "CAM 4");
  expect(pair.of("b").syncHealth()).toMatchObject({ lastCommandSeq: 1, lastExecutedSeq: 0 });
  await pair.until(() => pair.of("b").syncHealth().lastExecutedSeq === 1, 150);
});
