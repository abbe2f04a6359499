/** What becomes of XState's inspection events: reduced, bounded, without what events carry. */
import { createActor, createMachine, fromPromise, raise } from "xstate";
import { describe, expect, test } from "vitest";
import type { Campaign, CampaignResult } from "../../machines/campaign.machine.ts";
import { leadershipMachine } from "../../machines/index.ts";
import { EventRing } from "../../src/visualiser/event-ring.ts";
import type { Inspected } from "../../src/visualiser/inspected.ts";
import { Recorder } from "../../src/visualiser/recorder.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const clock = { unixMs: () => 1_000, monoMs: () => 0 };

const CAMPAIGN: Campaign = {
  ground: { kind: "silence" },
  mover: { cause: "silence", by: "automation", reason: "the password is swordfish" },
  epoch: 7,
  startedAtMs: 0,
  asksPeer: false,
};
const LOST: CampaignResult = { outcome: "lost", reason: "the password is swordfish" };
const DUE = { type: "VERDICT", verdict: { go: true, campaign: CAMPAIGN }, atMs: 0, againMs: null } as const;

function begin() {
  const recorder = new Recorder(clock);
  const campaign = fromPromise<CampaignResult, Campaign>(async () => LOST);
  const machine = leadershipMachine.provide({ actors: { campaign }, guards: { mustYield: () => true } });
  const actor = createActor(machine, { id: "leadership", inspect: recorder.inspect });
  actor.start();
  return { recorder, actor, entries: () => recorder.ring.after(0, 100) };
}

test("notes where a statechart began, and each change with its event and guard", () => {
  const { actor, entries } = begin();
  actor.send(DUE);
  expect(entries()).toMatchObject([
    { seq: 1, machine: "leadership", type: "snapshot", to: { follower: "waiting" } },
    {
      ...{ seq: 2, type: "transition", event: "VERDICT", guard: "mayCampaign", atUnixMs: 1_000 },
      ...{ from: { follower: "waiting" }, to: "candidate" },
    },
  ]);
  actor.stop();
});

test("names the end of a child by its name", async () => {
  const { actor, entries } = begin();
  actor.send(DUE);
  await expect.poll(() => entries().at(-1)).toMatchObject({ event: "campaign done", to: { follower: "waiting" } });
  actor.stop();
});

test("tells of what an event carries nothing but the epoch", async () => {
  const { actor, entries } = begin();
  actor.send(DUE);
  await expect.poll(() => entries().length).toBe(3);
  actor.send(DUE);
  actor.send({ type: "OVERRULED", epoch: 7 });
  expect(JSON.stringify(entries())).not.toContain("swordfish");
  expect(entries().at(-1)).toMatchObject({ event: "OVERRULED", epoch: 7 });
  actor.stop();
});

test("notes events that change nothing only while someone looks, and a repeated one once", () => {
  const { actor, recorder, entries } = begin();
  actor.send({ type: "VOTED" });
  expect(entries()).toHaveLength(1);
  let calls = 0;
  recorder.watch(() => calls++);
  for (let told = 0; told < 5; told += 1) actor.send({ type: "VOTED" });
  expect(entries().slice(1)).toMatchObject([{ seq: 2, type: "event", event: "VOTED" }]);
  expect(calls).toBe(1);
  recorder.watch(null);
  actor.send(DUE);
  actor.send({ type: "VOTED" });
  expect(entries()).toHaveLength(3);
  expect(calls).toBe(1);
  actor.stop();
});

test("an eventless transition is a step of its own", () => {
  const recorder = new Recorder(clock);
  const states = { united: { on: { PARTED: "detected" } }, detected: { always: "locking" }, locking: {} };
  const machine = createMachine({ initial: "united", states });
  const actor = createActor(machine, { id: "chart", inspect: recorder.inspect }).start();
  actor.send({ type: "PARTED" });
  expect(recorder.ring.after(1, 10)).toMatchObject([
    { event: "PARTED", from: "united", to: "detected" },
    { event: "always", from: "detected", to: "locking" },
  ]);
});

describe("the ring", () => {
  const entry = (seq: number): Inspected => ({
    ...{ seq, atUnixMs: seq, machine: "m", type: "transition", event: "E", to: `s${seq}` },
  });

  test("keeps the last ones, contiguous, and the value after them", () => {
    const ring = new EventRing(4);
    expect(ring.after(0, 10)).toEqual([]);
    for (let seq = 1; seq <= 11; seq += 1) ring.add(entry(seq));
    expect([ring.firstSeq, ring.lastSeq]).toEqual([8, 11]);
    expect(ring.after(0, 10).map(({ seq }) => seq)).toEqual([8, 9, 10, 11]);
    expect(ring.after(9, 1).map(({ seq }) => seq)).toEqual([10]);
    expect(ring.values()).toEqual({ m: "s11" });
  });

  test("begins anew after a seq", () => {
    const ring = new EventRing(4);
    ring.add(entry(1));
    ring.restart(70, { other: "here" });
    expect(ring.after(0, 10)).toEqual([]);
    ring.add(entry(71));
    expect([ring.firstSeq, ring.lastSeq]).toEqual([71, 71]);
    expect(ring.values()).toEqual({ other: "here", m: "s71" });
  });
});

test("a change that moves another statechart on its way is told once", () => {
  const recorder = new Recorder(clock);
  recorder.watch(() => undefined);
  const inner = createActor(createMachine({ initial: "here", states: { here: { on: { GO: "there" } }, there: {} } }), {
    ...{ id: "inner", inspect: recorder.inspect },
  });
  const there = { entry: raise({ type: "MORE" }), on: { MORE: { actions: () => inner.send({ type: "GO" }) } } };
  const outer = createActor(createMachine({ initial: "here", states: { here: { on: { GO: "there" } }, there } }), {
    ...{ id: "outer", inspect: recorder.inspect },
  });
  inner.start();
  outer.start();
  outer.send({ type: "GO" });
  const told = recorder.ring.after(0, 100).filter(({ event }) => event === "GO");
  expect(told.map(({ machine, type }) => `${machine} ${type}`).sort()).toEqual([
    "inner transition",
    "outer transition",
  ]);
});

describe("CH7 what runs", () => {
  const start = (campaign: () => Promise<CampaignResult>) => {
    const time = new VirtualClock();
    const recorder = new Recorder(time);
    const actors = { campaign: fromPromise<CampaignResult, Campaign>(campaign) };
    const actor = createActor(leadershipMachine.provide({ actors }), {
      ...{ id: "leadership", clock: time, inspect: recorder.inspect },
    });
    actor.start();
    const wait = (why: "quarantine" | "maintenance", untilMs: number | null) => {
      const verdict = { go: false, waits: [{ why, untilMs }], untilMs } as const;
      actor.send({ type: "VERDICT", verdict, atMs: time.monoMs(), againMs: null });
    };
    return { time, recorder, actor, wait, delays: () => recorder.actors()[0]?.delays };
  };

  test("a delay counts down on the chart's clock, and is gone once it has passed", async () => {
    const { time, actor, wait, delays } = start(async () => LOST);
    wait("quarantine", time.monoMs() + 600);
    const delay = { name: "quarantine", state: "follower.quarantined", ofMs: 600 };
    expect(delays()).toEqual([{ ...delay, leftMs: 600 }]);
    await time.pass(450);
    expect(delays()).toEqual([{ ...delay, leftMs: 150 }]);
    await time.pass(200);
    expect(delays()).toEqual([]);
    actor.stop();
  });

  test("a delay ends with its state, and begins again with the next entry", async () => {
    const { time, actor, wait, delays } = start(async () => LOST);
    wait("quarantine", time.monoMs() + 600);
    wait("maintenance", null);
    expect(delays()).toEqual([]);
    await time.pass(100);
    wait("quarantine", time.monoMs() + 900);
    expect(delays()).toMatchObject([{ leftMs: 900, ofMs: 900 }]);
    actor.stop();
  });

  test("a child is told below its parent while it runs, and not after its end", async () => {
    let end: (result: CampaignResult) => void = () => undefined;
    const { time, recorder, actor } = start(() => new Promise((resolve) => (end = resolve)));
    actor.send(DUE);
    expect(recorder.actors()).toMatchObject([
      { name: "leadership", parent: null, value: "candidate" },
      { name: "campaign", parent: "leadership", value: null },
    ]);
    end(LOST);
    await time.pass(0);
    expect(recorder.actors()).toMatchObject([{ name: "leadership", value: { follower: "waiting" } }]);
    actor.stop();
    expect(recorder.actors()).toEqual([]);
  });
});
