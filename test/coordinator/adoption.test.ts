/** The winner's state on its way into the loser, while the world changes. */
import { expect } from "vitest";
import type { CoordinatorPorts } from "../../src/coordinator/types.ts";
import type { Label, LockId } from "../../src/core/ids.ts";
import type { ApplySnapshotOutcome } from "../../src/core/outcomes.ts";
import type { Engine } from "../../src/ports/engine.ts";
import { scenario, type Stage } from "../scenarios/stage.ts";

/** Longer than an engine that is behind waits for its peer. */
const RESTORE_MS = 7_000;
const restoring = { under: false };

/** The engine of `a` takes its time to put a state in place. */
function slowRestore(ports: CoordinatorPorts, label: Label): CoordinatorPorts {
  if (label !== "a") return ports;
  const { engine, clock } = ports;
  const slow: Engine = {
    validate: (kind, payload) => engine.validate(kind, payload),
    execute: (command) => engine.execute(command),
    snapshot: () => engine.snapshot(),
    restore: async (state) => {
      restoring.under = true;
      await new Promise<void>((resolve) => clock.setTimeout(resolve, RESTORE_MS));
      await engine.restore(state);
    },
    onRole: (change) => engine.onRole(change),
    health: () => engine.health(),
    programSource: () => engine.programSource(),
    read: (path, nowUnixUs) => engine.read(path, nowUnixUs),
    close: () => engine.close(),
  };
  return { ...ports, engine: slow };
}

/** Both lead and take commands; `b` under the higher epoch. */
async function parted(stage: Stage): Promise<void> {
  await stage.splitBrain();
  await stage.submit("a");
  await stage.submit("b");
  restoring.under = false;
  stage.rejoin("a");
}

/** A caller posts `a` its own state, under a lock of `ttlMs`. */
async function posting(
  stage: Stage,
  ttlMs: number,
): Promise<{ lockId: LockId; posted: Promise<ApplySnapshotOutcome> }> {
  await stage.onAir("a");
  await stage.run(250);
  await stage.onAir("b");
  await stage.submit("b");
  await stage.run(250);
  const a = stage.coordinator("a");
  const given = await stage.answer(a.snapshot());
  const lock = await stage.answer(a.acquireLock({ holder: "tool", ttlMs }));
  if (given.outcome !== "taken" || lock.outcome !== "acquired") throw new Error("prepared");
  return { lockId: lock.lockId, posted: a.applySnapshot(lock.lockId, given.snapshot as never) };
}

scenario("SB4", "a loser that has begun to lead meanwhile keeps its log", { wrapPorts: slowRestore }, async (stage) => {
  await parted(stage);
  await stage.until("the winner's state is being put in place", () => restoring.under, 3_000);
  stage.process("b").kill(3);
  await stage.until("a leads", () => stage.leads("a"), RESTORE_MS - 500);
  const accepted = await stage.submit("a");
  if (accepted.outcome !== "accepted") throw new Error(accepted.outcome);
  await stage.run(RESTORE_MS);
  expect(stage.log("a").at(-1)).toMatchObject({ seq: accepted.seq, epoch: accepted.epoch });
  stage.process("b").boot();
  await stage.atRest();
});

scenario(
  "SB4",
  "a lock that lapsed while the state was put in place changes nothing",
  { wrapPorts: slowRestore },
  async (stage) => {
    const { posted } = await posting(stage, 1_000);
    expect((await stage.answer(posted, 20_000)).outcome).toBe("lock-not-held");
    await stage.atRest();
  },
);

scenario(
  "SB4",
  "a lock that was released while the state was put in place changes nothing",
  { wrapPorts: slowRestore },
  async (stage) => {
    const { lockId, posted } = await posting(stage, 30_000);
    await stage.run(1_000);
    await stage.answer(stage.coordinator("b").releaseLock(lockId));
    expect((await stage.answer(posted, 20_000)).outcome).toBe("lock-not-held");
    await stage.atRest();
  },
);

scenario(
  "SB4",
  "a loser whose proof of the lock ran out while its engine restored changes nothing",
  { wrapPorts: slowRestore },
  async (stage) => {
    await parted(stage);
    await stage.until("the winner's state is being put in place", () => restoring.under, 3_000);
    const { there, back } = stage.world.ground.witnessWays.a;
    // An engine that takes so long is a fault as long as it lasts.
    stage.world.faults.begin({ kind: "engine-slow" }, stage.world.nowMs);
    there.cutOff();
    back.cutOff();
    await stage.run(RESTORE_MS + 500);
    expect(stage.coordinator("a").counters().snapshotsApplied).toBe(0);
    there.healWholly();
    back.healWholly();
    await stage.atRest();
    expect(stage.coordinator("a").counters().snapshotsApplied).toBe(1);
  },
);
