/** Executes the log on the engine: in order, exactly once, at its instant. */
import { expect, test, vi } from "vitest";
import { Executor } from "../../src/actors/executor.ts";
import { ProgrammeClock } from "../../src/actors/programme-clock.ts";
import { NO_SAMPLES } from "../../src/core/failure-detector.ts";
import type { Command } from "../../src/core/command.ts";
import { hlcNow, hlcZero } from "../../src/core/hlc.ts";
import { makeId } from "../../src/core/ids.ts";
import type { Role } from "../../src/core/messages.ts";
import { buildRig, type RigSettings } from "./rig.ts";

const ORIGIN = makeId("engine", "origin");

function executing(settings: RigSettings = {}) {
  const rig = buildRig(settings);
  const own = { role: "leader" as Role, mayAct: true, peerThroughSeq: 0 };
  let seq = 0;
  const executor = new Executor(rig.kit, {
    programmeClock: new ProgrammeClock(rig.kit, { offset: () => NO_SAMPLES, wallMs: () => null }),
    role: () => own.role,
    mayAct: () => own.mayAct,
    logEndSeq: () => rig.store.load().log.seq,
    peerThroughSeq: () => own.peerThroughSeq,
  });
  /** Appends `count` commands that are due `inMs` from now. */
  const append = (count: number, inMs = 0, payload: Command["payload"] = null): Command[] => {
    const commands = Array.from({ length: count }, (): Command => {
      seq += 1;
      return {
        ...{ seq, epoch: 3, kind: "POST /switch/cut", payload, origin: ORIGIN, originSeq: seq, idempotencyKey: null },
        hlc: hlcNow(hlcZero("x"), rig.clock.unixMs(), "x"),
        executeAtUs: Math.round((rig.clock.unixMs() + inMs) * 1_000),
        clock: { [ORIGIN]: seq },
      };
    });
    rig.store.append(commands);
    return commands;
  };
  return { ...rig, own, executor, append };
}

test("[HO2] at its instant, in order, once: also when it is handed over twice", async () => {
  const { clock, executor, append, executed } = executing();
  const commands = append(3, 40);
  executor.enqueue(commands, true);
  executor.enqueue(commands, true);
  await clock.pass(39);
  expect(executed).toEqual([]);
  await clock.pass(1);
  expect(executed).toEqual([1, 2, 3]);
  await clock.pass(1_000);
  executor.kick();
  expect([executed, executor.executedSeq]).toEqual([[1, 2, 3], 3]);
  expect(clock.waiting).toBe(0);
});

test("[HO2] what was not handed over is read from the log, so that no seq is passed by", async () => {
  const { clock, executor, append, executed } = executing();
  append(3);
  executor.enqueue(append(2), true);
  await clock.pass(1);
  expect(executed).toEqual([1, 2, 3, 4, 5]);
});

test("[VT5] a leader asks whether it may act before each effect", async () => {
  const { clock, own, executor, append, executed } = executing();
  executor.enqueue(append(1, 10), true);
  executor.enqueue(append(1, 20), true);
  await clock.pass(10);
  own.mayAct = false;
  await clock.pass(1_000);
  expect(executed).toEqual([1]);
  own.mayAct = true;
  executor.kick();
  expect(executed).toEqual([1, 2]);
});

test("[EP4] a follower executes only what a leader has confirmed", async () => {
  const { clock, own, executor, append, executed } = executing();
  own.role = "follower";
  executor.enqueue(append(3), true);
  await clock.pass(1_000);
  expect(executed).toEqual([]);
  executor.confirm(2);
  expect(executed).toEqual([1, 2]);
});

test("[EP3] after a leadership everything not yet executed is confirmed anew", async () => {
  const { clock, own, executor, append, executed } = executing();
  executor.confirm(2);
  executor.enqueue(append(2, 10), true);
  own.role = "follower";
  executor.doubt();
  await clock.pass(100);
  expect(executed).toEqual([]);
  executor.confirm(1);
  expect(executed).toEqual([1]);
});

test("late commands are executed at once, counted when they come, alarmed beyond the bound and cleared in time", async () => {
  const rig = executing();
  const { clock, executor, append, kit } = rig;
  executor.enqueue(append(1, -101), true);
  expect([kit.counters.commandsLate, executor.executedSeq, rig.alarm("commands-late")]).toEqual([1, 1, true]);
  executor.enqueue(append(1, 10), true);
  await clock.pass(10);
  expect([kit.counters.commandsLate, rig.alarm("commands-late")]).toEqual([1, false]);
  executor.enqueue(append(1, -5_000), false);
  expect([kit.counters.commandsLate, rig.alarm("commands-late")]).toEqual([1, false]);
});

test("HB1: commands that are due at once take turns with the rest of the loop", async () => {
  const { clock, executor, append, engine } = executing();
  vi.spyOn(engine, "execute").mockImplementation(() => {
    clock.freeze(8);
    return { ok: true };
  });
  const seen: number[] = [];
  executor.enqueue(append(7), true);
  const look = (): void => {
    seen.push(executor.executedSeq);
    if (executor.executedSeq < 7) clock.soon(look);
  };
  look();
  await clock.pass(100);
  expect(seen).toEqual([3, 6, 7]);
});

test("[HO2] a slow engine is waited for: never two at once, never out of order", async () => {
  const { clock, executor, append, executed, faults } = executing();
  faults.slowMs = 50;
  executor.enqueue(append(3), true);
  await clock.pass(49);
  expect([executed, executor.executedSeq]).toEqual([[1], 0]);
  await clock.pass(101);
  expect([executed, executor.executedSeq]).toEqual([[1, 2, 3], 3]);
});

test("an engine that fails a command is reported, and the log goes on", async () => {
  const { executor, append, executed, events, kit } = executing();
  executor.enqueue(append(1, 0, { fail: true }), true);
  executor.enqueue(append(1), true);
  expect(executed).toEqual([1, 2]);
  expect([executor.lastError, kit.counters.commandsFailed]).toEqual(["refused by the switcher", 1]);
  const errors = events.flatMap((event) => (event.type === "executed" ? [event.error] : []));
  expect(errors).toEqual(["refused by the switcher", null]);
});

test("an engine that throws, or breaks its promise, is one that failed the command", async () => {
  for (const execute of [
    () => {
      throw new Error("broken");
    },
    () => Promise.reject(new Error("broken")),
  ]) {
    const { clock, kit, executor, append } = executing();
    Object.assign(kit.ports.engine, { execute });
    executor.enqueue(append(2), true);
    await clock.pass(1);
    expect([executor.executedSeq, executor.lastError]).toEqual([2, "broken"]);
  }
});

test("[SB4] held, nothing is executed and nothing is under way; released twice, it goes on once", async () => {
  const { clock, executor, append, executed, faults } = executing();
  faults.slowMs = 50;
  executor.enqueue(append(2), true);
  let held = false;
  const holding = executor.hold().then((release) => {
    held = true;
    return release;
  });
  await clock.pass(49);
  expect(held).toBe(false);
  await clock.pass(1);
  const release = await holding;
  await clock.pass(1_000);
  expect(executed).toEqual([1]);
  release();
  release();
  await clock.pass(50);
  expect(executed).toEqual([1, 2]);
});

test("a checkpoint is stored every so many commands, with the position that it belongs to", async () => {
  const { clock, executor, append, store, engine } = executing({ commands: { checkpointEvery: 10 } });
  executor.enqueue(append(9), true);
  await clock.turn();
  expect(store.load().checkpoint).toBeNull();
  executor.enqueue(append(1), true);
  await clock.turn();
  expect(store.load().checkpoint).toEqual({ position: { epoch: 3, seq: 10 }, state: engine.snapshot() });
});

test("[SB4] a checkpoint of a state that was replaced while the engine gave it is not stored", async () => {
  const { clock, executor, append, store, engine } = executing();
  executor.enqueue(append(3), true);
  await clock.turn();
  const given = engine.snapshot();
  vi.spyOn(engine, "snapshot").mockImplementation(() => {
    executor.resetTo(2);
    return given;
  });
  await executor.checkpoint();
  expect(store.load().checkpoint).toBeNull();
});

test("who waits for a seq is told when it has been executed, or when all stops", async () => {
  const { clock, executor, append } = executing();
  const reached: number[] = [];
  for (const seq of [0, 1, 2, 9]) void executor.reached(seq).then(() => reached.push(seq));
  executor.enqueue(append(2, 10), true);
  await clock.pass(10);
  expect(reached).toEqual([0, 1, 2]);
  executor.stop();
  await clock.turn();
  expect([reached, clock.waiting]).toEqual([[0, 1, 2, 9], 0]);
});

test("[SB4] starting anew behind a restored state executes nothing of before", async () => {
  const { clock, executor, append, executed } = executing();
  append(5);
  executor.resetTo(3);
  executor.kick();
  await clock.turn();
  expect(executed).toEqual([4, 5]);
});

test("[SB3] what the peer may not hold is not compacted, however few commands are kept", async () => {
  const { clock, store, own, executor, append } = executing({ commands: { keep: 10, checkpointEvery: 20 } });
  executor.enqueue(append(20), true);
  await clock.pass(100);
  expect(store.firstHeldSeq()).toBe(1);
  own.peerThroughSeq = 40;
  executor.enqueue(append(20), true);
  await clock.pass(100);
  expect(store.firstHeldSeq()).toBe(31);
});

test("[SB3] what a leader executed alone is not compacted once it follows, however few commands are kept", async () => {
  const { clock, store, own, executor, append } = executing({ commands: { keep: 0, checkpointEvery: 100 } });
  executor.enqueue(append(20), true);
  await clock.pass(100);
  own.role = "follower";
  own.mayAct = false;
  executor.doubt();
  await executor.checkpoint();
  expect(store.load().checkpoint?.position.seq).toBe(20);
  expect(store.firstHeldSeq()).toBe(1);
});

test("[SB3] nor what an engine executes again that was restored in place", async () => {
  const { clock, store, executor, append } = executing({ commands: { keep: 0, checkpointEvery: 100 } });
  executor.enqueue(append(20), true);
  await clock.pass(100);
  executor.resetTo(0);
  executor.goOnThrough(20);
  await clock.pass(100);
  await executor.checkpoint();
  expect([executor.executedSeq, store.firstHeldSeq()]).toEqual([20, 1]);
});

test("[I19] what the leader has executed is due, also where clocks that were put right since say that it is not", async () => {
  const { clock, own, executor, append, executed } = executing();
  own.role = "follower";
  executor.enqueue(append(2, 4_000), false);
  executor.confirm(2);
  await clock.pass(100);
  expect(executed).toEqual([]);
  executor.leaderExecuted(1);
  await clock.pass(1);
  expect(executed).toEqual([1]);
  // The leader has not executed it: it waits for its instant.
  await clock.pass(3_000);
  expect(executed).toEqual([1]);
  await clock.pass(1_000);
  expect(executed).toEqual([1, 2]);
});
