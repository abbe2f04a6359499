/** Starting, leading, losing the listener, stopping: and nothing is left behind. */
import { expect, test } from "vitest";
import { Pair } from "./pair.ts";

test("[EP1] [CP7] on a cold start of both, label a leads in the first epoch, and b becomes ready", async () => {
  const pair = await Pair.started();
  const { a, b } = { a: pair.of("a").state(), b: pair.of("b").state() };
  expect([a.role, a.epoch, a.leader, b.role, b.epoch, b.leader]).toEqual(["leader", 1, "a", "follower", 1, "a"]);
  expect([a.confirmedBy, b.syncState]).toEqual(["both", "ready"]);
});

test("nothing is left open after `stop`: no timer, every port closed once, stop again is the same", async () => {
  const pair = await Pair.started();
  await pair.submit("a", "CAM 1");
  await pair.stop("b");
  await pair.stop("a");
  await pair.of("a").stop();
  await pair.of("b").stop();
  await pair.clock.turn();
  expect(pair.clock.waiting).toBe(0);
  for (const label of ["a", "b"] as const) {
    expect(pair.member(label).closed.sort()).toEqual(["clock", "engine", "switch"]);
    expect(() => pair.member(label).store.load()).toThrow(/closed/);
  }
});

test("an engine that never met its peer stops as cleanly", async () => {
  const pair = new Pair();
  await pair.start("a");
  await pair.clock.pass(100);
  await pair.stop("a");
  await pair.clock.turn();
  expect(pair.clock.waiting).toBe(0);
});

test("[DP2] an engine whose listener is lost stops leading at once, and the other takes over", async () => {
  const pair = await Pair.started();
  pair.of("a").listenerLost("closed");
  expect([pair.of("a").mayAct(), pair.of("a").state().role]).toEqual([false, "follower"]);
  await pair.until(() => pair.of("a").mayAct() || pair.of("b").mayAct(), 5_000);
  expect(pair.of("a").mayAct() && pair.of("b").mayAct()).toBe(false);
});

test("[DP3] a clean stop hands over first: the peer leads before the engine is gone, and nothing is lost", async () => {
  const pair = await Pair.started();
  await pair.submit("a", "CAM 1");
  await pair.submit("a", "CAM 2");
  await pair.clock.pass(300);
  const startedAtMs = pair.clock.monoMs();
  await pair.stop("a");
  expect(pair.of("b").mayAct()).toBe(true);
  expect(pair.clock.monoMs() - startedAtMs).toBeLessThan(100);
  expect(pair.of("b").state()).toMatchObject({ epoch: 2, lastCommandSeq: 2, programSource: "CAM 2" });
  expect(pair.of("b").leadership(1)).toMatchObject([{ epoch: 2, leader: "b", cause: "handover" }]);
});

test("[DP3] without a ready peer it releases the record, and ends its entry in the history", async () => {
  const pair = new Pair();
  await pair.start("a");
  await pair.until(() => pair.of("a").mayAct());
  await pair.stop("a");
  expect(pair.server.record).toMatchObject({ holder: "a", released: true });
  const again = await pair.start("a");
  expect(again.store.leadership(1)[0]?.toUnixMs).not.toBeNull();
});

test("[HO2] a restart goes on where the log ended: same commands, same state", async () => {
  const pair = await Pair.started();
  for (const source of ["CAM 1", "CAM 2", "CAM 3"]) await pair.submit("a", source);
  await pair.clock.pass(300);
  await pair.stop("a");
  await pair.stop("b");
  const [a] = await Promise.all([pair.start("a"), pair.start("b")]);
  await pair.until(() => pair.of("a").mayAct() || pair.of("b").mayAct());
  await pair.clock.pass(1_000);
  expect(a.engine.programSource()).toBe("CAM 3");
  expect(pair.member("b").engine.chain).toBe(a.engine.chain);
});

test("at most 64 listeners; one that throws harms nobody; one that leaves hears no more", async () => {
  const pair = await Pair.started();
  const coordinator = pair.of("a");
  const heard: string[] = [];
  const leave = coordinator.subscribe((event) => void heard.push(event.type));
  coordinator.subscribe(() => {
    throw new Error("a broken listener");
  });
  for (let count = 2; count < 64; count += 1) coordinator.subscribe(() => undefined);
  expect(() => coordinator.subscribe(() => undefined)).toThrow(/at most 64/);
  await pair.submit("a", "CAM 1");
  await pair.clock.pass(100);
  expect(heard).toContain("executed");
  leave();
  leave();
  heard.length = 0;
  await pair.submit("a", "CAM 2");
  expect(heard).toEqual([]);
  expect(() => coordinator.subscribe(() => undefined)).not.toThrow();
});
