/** What the outside is told when the role has moved: engine, changeover switches, history. */
import { expect, test } from "vitest";
import type { RoleMove } from "../../src/actors/leadership.ts";
import { RoleHooks } from "../../src/actors/role-hooks.ts";
import type { ChangeoverSwitch, RouteOutcome, RouteRequest } from "../../src/ports/changeover-switch.ts";
import type { RoleChange } from "../../src/ports/engine.ts";
import { sampleHeartbeat } from "../core/sample-messages.ts";
import { buildRig } from "./rig.ts";

const ORIGIN = {
  cause: "silence",
  by: "automation",
  reason: "the peer is silent",
  fromUnixMs: 1_000,
  tookMs: 4,
} as const;
const WON: RoleMove = { role: "leader", previousRole: "candidate", epoch: 3, origin: ORIGIN };
const ENDED: RoleMove = { role: "follower", previousRole: "leader", epoch: 4, origin: null };

/** A switch that answers as it is told. */
class TestSwitch implements ChangeoverSwitch {
  readonly name = "router";
  readonly reassertMs = 5_000;
  readonly asked: RouteRequest[] = [];
  withdrawn = 0;
  answer: RouteOutcome = "confirmed";

  async route(request: RouteRequest): Promise<RouteOutcome> {
    this.asked.push(request);
    return this.answer;
  }

  withdraw(): void {
    this.withdrawn += 1;
  }

  async close(): Promise<void> {}
}

function hooked() {
  const router = new TestSwitch();
  const rig = buildRig({ ports: { changeoverSwitches: [router] } });
  const told: RoleChange[] = [];
  Object.assign(rig.engine, { onRole: (change: RoleChange) => void told.push(change) });
  const acting = { may: true, mayAct: () => acting.may, mayActForMs: () => (acting.may ? 600 : 0) };
  return { ...rig, rig, router, told, acting, hooks: new RoleHooks(rig.kit, acting) };
}

test("[EP4] P9 HO7: a switch is asked with the leader's epoch, and again every `reassertMs` while it leads", async () => {
  const { clock, router, hooks } = hooked();
  hooks.moved(WON);
  await clock.pass(4_000);
  expect(router.asked).toEqual([{ engineLabel: "a", epoch: 3 }]);
  await clock.pass(12_000);
  expect(router.asked).toEqual(Array.from({ length: 4 }, () => ({ engineLabel: "a", epoch: 3 })));
  expect(router.withdrawn).toBe(0);
  hooks.moved(ENDED);
  expect(router.withdrawn).toBe(1);
  await clock.pass(60_000);
  expect(router.asked).toHaveLength(4);
  expect(clock.waiting).toBe(0);
});

test("[VT5] a leader whose vote has lapsed asks no switch before it may act again", async () => {
  const { clock, router, acting, hooks } = hooked();
  acting.may = false;
  hooks.moved(WON);
  await clock.pass(2_000);
  expect(router.asked).toEqual([]);
  acting.may = true;
  await clock.pass(1_000);
  expect(router.asked).toEqual([{ engineLabel: "a", epoch: 3 }]);
});

test.each<RouteOutcome>(["refused", "unreachable"])(
  "one that answers %s is asked again until it confirms",
  async (answer) => {
    const { rig, clock, router, hooks } = hooked();
    router.answer = answer;
    hooks.moved(WON);
    await clock.pass(2_000);
    const tries = router.asked.length;
    expect(tries).toBeGreaterThan(3);
    expect(rig.alarm("changeover-unconfirmed")).toBe(true);
    router.answer = "confirmed";
    await clock.pass(5_000);
    expect(router.asked).toHaveLength(tries + 1);
    expect([rig.alarm("changeover-unconfirmed"), clock.waiting]).toEqual([false, 1]);
  },
);

test("[EP3] with the leadership the asking ends, an answer under way included", async () => {
  const { rig, clock, router, hooks } = hooked();
  router.answer = "unreachable";
  hooks.moved(WON);
  await clock.turn();
  hooks.moved(ENDED);
  const tries = router.asked.length;
  await clock.pass(60_000);
  expect(router.asked).toHaveLength(tries);
  hooks.moved(WON);
  hooks.moved(ENDED);
  await clock.pass(60_000);
  expect([rig.alarm("changeover-unconfirmed"), clock.waiting]).toEqual([false, 0]);
});

test("the engine is told of leading and following, not of campaigns", async () => {
  const { clock, told, hooks } = hooked();
  hooks.moved({ role: "candidate", previousRole: "follower", epoch: 1, origin: null });
  hooks.moved({ role: "follower", previousRole: "candidate", epoch: 1, origin: null });
  hooks.moved(WON);
  hooks.moved({ ...WON, previousRole: "leader" });
  hooks.moved(ENDED);
  await clock.turn();
  expect(told).toEqual([
    { role: "leader", previousRole: "follower", epoch: 3, mayActForMs: 600 },
    { role: "follower", previousRole: "leader", epoch: 4, mayActForMs: 0 },
  ]);
});

test("EN12: every beat tells a leader's engine how long its role stands, under the newest epoch, and a follower's nothing", async () => {
  const { clock, engine, acting, hooks } = hooked();
  const repeated: RoleChange[] = [];
  Object.assign(engine, { repeatRole: (role: RoleChange) => void repeated.push(role) });
  hooks.beat();
  hooks.moved(WON);
  hooks.beat();
  acting.may = false;
  hooks.beat();
  acting.may = true;
  hooks.moved({ ...WON, previousRole: "leader", epoch: 5 });
  hooks.beat();
  hooks.moved(ENDED);
  hooks.beat();
  await clock.turn();
  const leader = { role: "leader", previousRole: "follower" };
  expect(repeated).toEqual([
    { ...leader, epoch: 3, mayActForMs: 600 },
    { ...leader, epoch: 3, mayActForMs: 0 },
    { ...leader, epoch: 5, mayActForMs: 600 },
  ]);
});

test("a role hook that throws, or never ends, delays nothing and raises an alarm when it fails", async () => {
  const { rig, clock, engine, hooks } = hooked();
  Object.assign(engine, {
    onRole: () => {
      throw new Error("broken hook");
    },
  });
  hooks.moved(WON);
  expect(rig.alarm("engine-hook-slow")).toBe(true);
  Object.assign(engine, { onRole: () => undefined });
  hooks.moved(ENDED);
  await clock.turn();
  expect(rig.alarm("engine-hook-slow")).toBe(false);
});

test("[HO4] both engines keep the same history; a full disk keeps nobody from leading", async () => {
  const { clock, disk, store, hooks, kit } = hooked();
  hooks.moved(WON);
  await clock.turn();
  const heard = {
    ...sampleHeartbeat,
    label: "b",
    epoch: 4,
    leadership: { ...ORIGIN, cause: "forced", by: "ops" },
  } as const;
  hooks.peerLeads(heard);
  hooks.peerLeads(heard);
  await clock.turn();
  expect(store.leadership(10)).toMatchObject([
    { epoch: 4, leader: "b", cause: "forced", by: "ops", toUnixMs: null },
    { epoch: 3, leader: "a", cause: "silence", toUnixMs: ORIGIN.fromUnixMs },
  ]);
  disk.full = true;
  expect(() =>
    new RoleHooks(kit, { mayAct: () => true, mayActForMs: () => 600 }).moved({ ...WON, epoch: 5 }),
  ).not.toThrow();
  await clock.turn();
});
