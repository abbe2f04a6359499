/** An engine that gives no answer to a call for its state, or that takes long for one. */
import { expect, test } from "vitest";
import type { CoordinatorPorts } from "../../src/coordinator/types.ts";
import type { Json } from "../../src/core/canonical-json.ts";
import { ChangeoverError } from "../../src/core/errors.ts";
import type { Label } from "../../src/core/ids.ts";
import { Pair } from "./pair.ts";

interface Trouble {
  /** So many calls from now on get no answer. */
  snapshots: number;
  restores: number;
  /** How long every snapshot takes, ms. */
  slowMs: number;
}

/** `a` leads; its log no longer reaches back to what `b`, which is off, has. The engine of `of` can be given trouble. */
async function withLateFollower(of: Label, slowMs = 0): Promise<{ readonly pair: Pair; readonly trouble: Trouble }> {
  const trouble: Trouble = { snapshots: 0, restores: 0, slowMs };
  const wrapPorts = (ports: CoordinatorPorts, label: Label): CoordinatorPorts => {
    if (label !== of) return ports;
    const { engine, clock } = ports;
    // As an adapter that bounds its hooks itself.
    const unanswered = (withinMs: number): Promise<never> =>
      new Promise((_, reject) => {
        const error = new ChangeoverError("engine_not_ready", "no answer", { retryable: true });
        clock.setTimeout(() => reject(error), withinMs);
      });
    const hooks = { snapshot: engine.snapshot.bind(engine), restore: engine.restore.bind(engine) };
    Object.assign(engine, {
      boundsItself: true,
      snapshot: (withinMs: number) => {
        if (trouble.snapshots > 0) {
          trouble.snapshots -= 1;
          return unanswered(withinMs);
        }
        if (trouble.slowMs > withinMs) return unanswered(withinMs);
        const state = hooks.snapshot() as Json;
        if (trouble.slowMs === 0) return state;
        return new Promise((resolve) => clock.setTimeout(() => resolve(state), trouble.slowMs));
      },
      restore: (state: Json, withinMs: number) => {
        // What gets no answer may have been done all the same.
        void hooks.restore(state);
        if (trouble.restores === 0) return undefined;
        trouble.restores -= 1;
        return unanswered(withinMs);
      },
    });
    return ports;
  };
  const pair = await Pair.started({ wrapPorts, commands: { keep: 10, checkpointEvery: 50 } });
  await pair.stop("b");
  const commands = Array.from({ length: 100 }, (_, index) =>
    pair.of("a").submit({ kind: "POST /switch/cut", payload: { source: `CAM ${index}` } }),
  );
  await pair.untilDone(Promise.all(commands));
  await pair.until(() => pair.of("a").state().lastExecutedSeq === 100);
  await pair.until(() => pair.member("a").store.load().checkpoint?.position.seq === 100);
  // As a compaction leaves it that happened after the peer had held these commands and lost them with its disk.
  pair.member("a").store.compact(50, 0);
  expect(pair.member("a").store.firstHeldSeq()).toBe(51);
  return { pair, trouble };
}

/** How long it takes until a command that `a` takes now has been executed there. */
async function executionMs(pair: Pair): Promise<number> {
  const sentMs = pair.clock.monoMs();
  const answer = await pair.submit("a", "LIVE");
  if (answer.outcome !== "accepted") throw new Error(answer.outcome);
  await pair.until(() => pair.of("a").state().lastExecutedSeq >= answer.seq);
  return pair.clock.monoMs() - sentMs;
}

function alike(pair: Pair): void {
  expect(pair.member("b").engine.chain).toBe(pair.member("a").engine.chain);
  expect(pair.of("b").state().lastExecutedSeq).toBe(pair.of("a").state().lastExecutedSeq);
}

test("EN13 I19: one snapshot without an answer holds the leader's commands and its follower for half a second", async () => {
  const { pair, trouble } = await withLateFollower("a");
  trouble.snapshots = 1;
  await pair.start("b");
  await pair.until(() => trouble.snapshots === 0);
  const hungMs = pair.clock.monoMs();
  expect(await executionMs(pair)).toBeLessThan(700);
  await pair.until(() => pair.of("b").ready());
  expect(pair.clock.monoMs() - hungMs).toBeLessThan(2_000);
  expect(pair.alarm("a", "engine-hook")).toBe(false);
  await pair.clock.pass(1_000);
  alike(pair);
});

test("EN13: snapshots that are never answered are named in an alarm, and commands go on", async () => {
  const { pair, trouble } = await withLateFollower("a");
  trouble.snapshots = Number.POSITIVE_INFINITY;
  await pair.start("b");
  const waitsMs: number[] = [];
  for (let count = 0; count < 40; count += 1) {
    await pair.clock.pass(250);
    waitsMs.push(await executionMs(pair));
  }
  // The engine has answered in no time before, so it is given two seconds at most.
  expect(Math.max(...waitsMs)).toBeLessThan(2_500);
  expect(waitsMs.toSorted((left, right) => left - right)[20]).toBeLessThan(300);
  expect(
    pair
      .of("a")
      .state()
      .alarms.find(({ code }) => code === "engine-hook")?.detail,
  ).toMatch(/engine\.snapshot\(\) gave no answer within \d+ ms/);
  expect([pair.of("a").mayAct(), pair.of("b").ready()]).toEqual([true, false]);
  trouble.snapshots = 0;
  await pair.until(() => pair.of("b").ready());
  await pair.clock.pass(1_000);
  alike(pair);
});

test("I19: an engine whose state takes three seconds still brings a follower to ready", async () => {
  const { pair } = await withLateFollower("a", 3_000);
  await pair.start("b");
  await pair.until(() => pair.of("b").ready());
  await pair.clock.pass(5_000);
  alike(pair);
});

test("EN11 I16: after a restore without an answer the follower's engine is not trusted before it is restored", async () => {
  const { pair, trouble } = await withLateFollower("b");
  trouble.restores = 1;
  await pair.start("b");
  await pair.until(() => trouble.restores === 0);
  const hungMs = pair.clock.monoMs();
  await pair.clock.pass(1_900);
  expect(pair.of("b").ready()).toBe(false);
  await pair.until(() => pair.of("b").ready());
  expect(pair.clock.monoMs() - hungMs).toBeLessThan(5_000);
  await pair.clock.pass(1_000);
  alike(pair);
});
