/** An engine that fails while it leads. */
import { expect, test } from "vitest";
import { commandAt } from "../support/commands.ts";
import { EngineGuard } from "../../src/actors/engine-guard.ts";
import { EngineKeeper, whyNoBackup } from "../../src/actors/engine-keeper.ts";
import { PeerMonitor } from "../../src/actors/peer-monitor.ts";
import { Restraints } from "../../src/actors/restraints.ts";
import { Votes } from "../../src/actors/votes.ts";
import type { Heartbeat } from "../../src/core/messages.ts";
import type { EngineSign } from "../../src/ports/engine.ts";
import { sampleHeartbeat } from "../core/sample-messages.ts";
import { AWAKE, buildRig } from "./rig.ts";

function watched() {
  const rig = buildRig();
  const own = { leads: true, underWay: false, offers: 0 };
  const monitor = new PeerMonitor(rig.kit, new Votes(rig.kit), { pulse: AWAKE, onChange: () => undefined });
  const restraints = new Restraints(rig.kit);
  const watch = new EngineKeeper(
    rig.kit,
    {
      executor: {
        executedSeq: 0,
        confirmedSeq: 0,
        resets: 0,
        hold: async () => () => undefined,
        suspend: () => () => undefined,
        resetTo: () => undefined,
        goOnThrough: () => undefined,
        reached: async () => undefined,
      },
      catchUp: { compare: () => undefined, machineValue: "ready" },
      monitor,
      restraints,
      leads: () => own.leads,
      handoverUnderWay: () => own.underWay,
      offer: () => void (own.offers += 1),
    },
    null,
  );
  let n = 0;
  /** One beat of the engine: the peer is heard, then a look is taken. */
  const beat = async (ms: number, peer: Partial<Heartbeat> | null = {}): Promise<void> => {
    await rig.clock.pass(ms);
    n += 1;
    if (peer !== null)
      monitor.take({ ...sampleHeartbeat, label: "b", role: "follower", n, ...peer }, rig.clock.monoMs());
    watch.look();
  };
  return { ...rig, rig, own, monitor, restraints, beat };
}

test("[HO5] a failed engine offers its role after `unhealthyHoldMs`, not one beat before", async () => {
  const { rig, own, faults, beat } = watched();
  faults.health = "failed";
  await beat(200);
  expect(rig.alarm("engine-failed")).toBe(true);
  await beat(399);
  expect(own.offers).toBe(0);
  await beat(1);
  expect(own.offers).toBe(1);
});

test("[HO5] one good look starts the count anew, and clears what stood", async () => {
  const { rig, own, faults, beat } = watched();
  faults.health = "failed";
  await beat(300);
  faults.health = "degraded";
  await beat(10);
  expect(rig.alarm("engine-failed")).toBe(false);
  faults.health = "failed";
  await beat(10);
  await beat(399);
  expect(own.offers).toBe(0);
});

test.each<[string, Partial<Heartbeat> | null]>([
  ["the peer is not heard", null],
  ["the peer's engine has failed", { health: "failed" }],
  ["the peer is not caught up: it is catching-up", { sync: "catching-up" }],
])("[HO5] no backup, since %s: an alarm, and nothing moves", async (why, peer) => {
  const { rig, own, faults, monitor, beat } = watched();
  faults.health = "failed";
  await beat(0, peer);
  await beat(400, peer);
  expect([whyNoBackup(monitor), own.offers, rig.alarm("no-valid-backup")]).toEqual([why, 0, true]);
  faults.health = "ok";
  await beat(10, peer);
  expect(rig.alarm("no-valid-backup")).toBe(false);
});

test("[HO3] [HO5] a person's hold keeps the role where it is, and says so", async () => {
  const { rig, own, faults, restraints, beat } = watched();
  restraints.setMaintenance({ on: true, by: "ops", reason: "" });
  faults.health = "failed";
  await beat(0);
  await beat(400);
  expect([own.offers, rig.alarm("maintenance-blocks-failover")]).toEqual([0, true]);
});

test("[CP6] [HO5] so does the hold-down", async () => {
  const { own, faults, restraints, beat } = watched();
  for (const epoch of [2, 3, 4]) restraints.noteLeadership(epoch, "unhealthy");
  faults.health = "failed";
  await beat(0);
  await beat(400);
  expect(own.offers).toBe(0);
});

test("[HO5] nothing is offered by who does not lead, nor while a handover is under way", async () => {
  const { own, faults, beat } = watched();
  faults.health = "failed";
  own.leads = false;
  await beat(0);
  await beat(400);
  own.leads = true;
  own.underWay = true;
  await beat(200);
  expect(own.offers).toBe(0);
  own.underWay = false;
  await beat(200);
  expect(own.offers).toBe(1);
});

/** A keeper whose engine shows itself by signs, and what it tells of the state. */
function keptEngine(options: { readonly restoreLimit?: number } = {}, rig = buildRig()) {
  let show: (sign: EngineSign) => void = () => undefined;
  const engine = Object.assign(rig.kit.ports.engine, {
    watch: (listener: (sign: EngineSign) => void) => void (show = listener),
  });
  const guard = new EngineGuard({ engine, clock: rig.clock, alarms: rig.kit.alarms });
  const executor = {
    executedSeq: 9,
    confirmedSeq: 9,
    resets: 0,
    hold: async () => () => undefined,
    suspend: () => () => undefined,
    resetTo: () => undefined,
    goOnThrough: () => undefined,
    reached: async () => undefined,
  };
  const offers: string[] = [];
  const monitor = new PeerMonitor(rig.kit, new Votes(rig.kit), { pulse: AWAKE, onChange: () => undefined });
  const keeper = new EngineKeeper(
    { ...rig.kit, options: { ...rig.kit.options, ...options }, ports: { ...rig.kit.ports, engine: guard } },
    {
      ...{ executor, monitor, restraints: new Restraints(rig.kit) },
      catchUp: { compare: () => undefined, machineValue: "ready" },
      leads: () => true,
      handoverUnderWay: () => false,
      offer: (reason) => void offers.push(reason),
    },
    guard,
  );
  keeper.start();
  const hearPeer = (): void => {
    monitor.take({ ...sampleHeartbeat, label: "b", role: "follower", n: 1 }, rig.clock.monoMs());
  };
  return { rig, keeper, executor, offers, guard, hearPeer, show: (sign: EngineSign) => show(sign) };
}

const line = (seq: number | null, instance: string | null = "one"): EngineSign => ({
  type: "line",
  instance,
  position: seq === null ? null : { epoch: 1, seq },
});

test("E2 [EN2] [EN6] a leader whose engine stalls offers its role at once, with the reason; its next line makes it well", () => {
  const { keeper, offers, hearPeer, show, guard } = keptEngine();
  hearPeer();
  show(line(9));
  expect(keeper.machineValue).toBe("well");
  show({ type: "silent", why: "no line of its lifeline for 100 ms" });
  expect([keeper.machineValue, offers, guard.health()]).toEqual([
    "stalled",
    ["no line of its lifeline for 100 ms"],
    "failed",
  ]);
  show(line(9));
  expect([keeper.machineValue, guard.health()]).toEqual(["well", "ok"]);
});

test("[EN9] a line that was overtaken by commands is no loss; one that stays behind is", async () => {
  const { rig, keeper, executor, show } = keptEngine();
  show(line(9));
  executor.executedSeq = 12;
  show(line(10));
  await rig.clock.pass(499);
  show(line(11));
  expect(keeper.machineValue).toBe("well");
  show(line(12));
  show(line(4));
  await rig.clock.pass(500);
  show(line(4));
  expect(keeper.machineValue).toBe("restoring");
});

test("[EN9] an engine that restarted while no coordinator watched has lost its state, whatever it has executed since", () => {
  const answered = (instance: string): EngineSign => ({
    type: "answered",
    instance,
    position: { epoch: 1, seq: 9 },
    reconnected: false,
  });
  const first = keptEngine();
  first.show(answered("one"));
  const second = keptEngine({}, first.rig);
  second.keeper.goesOn();
  second.show(answered("two"));
  expect(second.keeper.machineValue).toBe("restoring");
  // This coordinator ends before the engine is restored: the next one must not take it for whole either.
  const third = keptEngine({}, first.rig);
  third.keeper.goesOn();
  third.show(answered("two"));
  expect(third.keeper.machineValue).toBe("restoring");
  third.keeper.installed(true);
  third.show(answered("two"));
  const fourth = keptEngine({}, first.rig);
  fourth.keeper.goesOn();
  fourth.show(answered("two"));
  expect(fourth.keeper.machineValue).toBe("well");
});

test("[EN9] a restart that both the lifeline and /health report is one loss", () => {
  const { keeper, show, offers, hearPeer } = keptEngine();
  hearPeer();
  const answered = (instance: string): EngineSign => ({
    type: "answered",
    instance,
    position: null,
    reconnected: false,
  });
  show(answered("one"));
  show(line(null, "one"));
  show(line(null, "two"));
  expect([keeper.machineValue, offers.length]).toEqual(["restoring", 1]);
  keeper.installed(true);
  expect(keeper.machineValue).toBe("well");
  show(answered("two"));
  expect([keeper.machineValue, offers.length]).toEqual(["well", 1]);
});

test("[EN2] what makes no sense over the wire is one alarm that names the hook, and ends once it makes sense", async () => {
  const { rig, keeper, show } = keptEngine();
  show(line(9));
  show({ type: "strange", hook: "GET /lifeline", fault: "a line: [1] is not a JSON object" });
  expect(rig.alarmText("engine-hook")).toBe("GET /lifeline gave a line: [1] is not a JSON object");
  expect(keeper.machineValue).toBe("well");
  await rig.clock.pass(10_000);
  show({ type: "strange", hook: "GET /lifeline", fault: null });
  expect(rig.alarm("engine-hook")).toBe(false);
  show({ type: "foreign", why: "engine.baseUrl: x answers as coordinator b" });
  expect(rig.alarmText("engine-foreign")).toContain("coordinator b");
  show({ type: "foreign", why: null });
  expect(rig.alarm("engine-foreign")).toBe(false);
});

test("EN3: a command that is given up twice is named, and that ends once the engine executes the next one", async () => {
  const { rig, keeper, guard } = keptEngine();
  keeper.gaveUp(7, "the execute script gave no answer");
  expect(rig.alarm("engine-hook")).toBe(false);
  keeper.gaveUp(7, "the execute script gave no answer");
  expect(rig.alarmText("engine-hook")).toBe("command 7: the execute script gave no answer");
  await rig.clock.pass(10_000);
  guard.health();
  expect(rig.alarm("engine-hook")).toBe(true);
  await guard.execute(commandAt(8, "POST /api/switch/cut", { source: "cam2" }));
  guard.health();
  expect(rig.alarm("engine-hook")).toBe(false);
});

test("[EN2] a hook that is called once in hours: its alarm ends though it is not called again", async () => {
  const { rig, guard, show } = keptEngine();
  show({ type: "strange", hook: "POST /role", fault: "no good answer: ECONNREFUSED" });
  await rig.clock.pass(10_000);
  guard.health();
  expect(rig.alarm("engine-hook")).toBe(true);
  show({ type: "strange", hook: "POST /role", fault: "no good answer: ECONNREFUSED" });
  await rig.clock.pass(1_000);
  show({ type: "strange", hook: "POST /role", fault: null });
  await rig.clock.pass(8_900);
  guard.health();
  expect(rig.alarm("engine-hook")).toBe(true);
  await rig.clock.pass(100);
  guard.health();
  expect(rig.alarm("engine-hook")).toBe(false);
});

test.each([
  [{}, 3],
  [{ restoreLimit: 1 }, 1],
  [{ restoreLimit: 0 }, 0],
])("[EN10] a state that drifts is repaired %o times in an hour, then a person is asked", async (options, limit) => {
  const { rig, keeper } = keptEngine(options);
  for (let repair = 0; repair < limit; repair += 1) {
    keeper.drifted();
    expect(keeper.trusted).toBe(false);
    keeper.installed(true);
  }
  keeper.drifted();
  expect(keeper.trusted).toBe(true);
  expect(rig.alarmText("engine-restore-limit")).toContain(`after ${limit} restores within an hour`);
  await rig.clock.pass(3_600_000);
  if (limit > 0) {
    keeper.drifted();
    expect(keeper.trusted).toBe(false);
  }
});

test("[EN9] [CP5] an engine in a process of its own is unheard until its first answer, one inside is not", () => {
  const { keeper, show, guard } = keptEngine();
  expect([guard.isBeside, keeper.isUnheard]).toEqual([true, true]);
  show({ type: "answered", instance: null, position: null, reconnected: false });
  expect(keeper.isUnheard).toBe(false);
  const { kit, clock } = buildRig();
  expect(new EngineGuard({ engine: kit.ports.engine, clock, alarms: kit.alarms }).isBeside).toBe(false);
});
