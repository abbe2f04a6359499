/** `leadership`: what every event does in every state, and which delays end a wait. */
import { describe, expect, test } from "vitest";
import { createActor, fromPromise, type StateValue } from "xstate";
import type { Campaign, CampaignResult } from "../../machines/campaign.machine.ts";
import {
  leadershipMachine,
  type LeadershipEvent,
  type Wait,
  type WaitReason,
} from "../../machines/leadership.machine.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { eventTypesOf, pathOf, valueOf } from "./transition-table.ts";

const CAMPAIGN: Campaign = {
  ground: { kind: "silence" },
  mover: { cause: "silence", by: "automation", reason: "the peer is silent" },
  epoch: 7,
  startedAtMs: 0,
  asksPeer: false,
};
const ORIGIN = { cause: "silence", by: "automation", reason: "the peer is silent", fromUnixMs: 1, tookMs: 2 } as const;
const WON: CampaignResult = { outcome: "won", epoch: 7, origin: ORIGIN };
const LOST: CampaignResult = { outcome: "lost", reason: "someone lives" };

function waits(...list: Wait[]): LeadershipEvent {
  const verdict = { go: false, waits: list, untilMs: null } as const;
  return { type: "VERDICT", verdict, atMs: 1_000, againMs: 400 };
}

function waitsFor(why: WaitReason): LeadershipEvent {
  return waits({ why, untilMs: 1_250 });
}

/** Every event that the machine handles, one of each kind. */
const EVENTS = {
  due: { type: "VERDICT", verdict: { go: true, campaign: CAMPAIGN }, atMs: 1_000, againMs: null },
  "maintenance stands": waitsFor("maintenance"),
  "quarantine stands": waitsFor("quarantine"),
  "hold-down stands": waitsFor("hold-down"),
  "behind stands": waitsFor("behind"),
  "the peer leads": waitsFor("peer-leads"),
  called: { type: "CALLED", campaign: CAMPAIGN },
  renewed: { type: "RENEWED", epoch: 9, origin: ORIGIN },
  voted: { type: "VOTED" },
  paused: { type: "PAUSED" },
  overruled: { type: "OVERRULED", epoch: 8 },
  yield: { type: "YIELD" },
  resumed: { type: "RESUMED" },
  gaveAway: { type: "GAVE_AWAY" },
  released: { type: "RELEASED" },
  won: { type: "xstate.done.actor.campaign", output: WON },
  lost: { type: "xstate.done.actor.campaign", output: LOST },
} as const satisfies Record<string, LeadershipEvent>;

type EventName = keyof typeof EVENTS;

const FOLLOWER = {
  due: "candidate",
  "maintenance stands": "follower.held",
  "quarantine stands": "follower.quarantined",
  "hold-down stands": "follower.holdingDown",
  "behind stands": "follower.behind",
  "the peer leads": "follower.waiting",
  called: "candidate",
  released: "retired",
} as const;
const LEADER = { renewed: "itself", paused: "leader.verifying", yield: "steppingDown" } as const;
/** It may lead again, unlike one that is released [EN5]. */
const GIVEN = { gaveAway: "follower.waiting" } as const;
const ENDS = { overruled: "follower.waiting", released: "retired" } as const;

/** What is not named is ignored. `itself`: it stays, and something is done or noted. */
const TABLE: Readonly<Record<string, Partial<Record<EventName, string>>>> = {
  "follower.held": FOLLOWER,
  "follower.quarantined": FOLLOWER,
  "follower.holdingDown": FOLLOWER,
  "follower.behind": FOLLOWER,
  "follower.waiting": FOLLOWER,
  candidate: { ...ENDS, won: "leader.confirmed", lost: "follower.waiting" },
  "leader.confirmed": { ...LEADER, ...ENDS, ...GIVEN },
  "leader.unconfirmed": { ...LEADER, ...ENDS, ...GIVEN, voted: "leader.confirmed" },
  "leader.verifying": { ...LEADER, ...ENDS, ...GIVEN, voted: "leader.confirmed" },
  steppingDown: { ...ENDS, ...GIVEN, resumed: "leader.verifying" },
  retired: {},
};

function begin(value: StateValue, open = true) {
  const ran: string[] = [];
  const clock = new VirtualClock();
  const effects = [
    ...["judge", "beginLeading", "campaignLost", "pauseLeading", "resumeLeading", "stopLeading"],
    ...["askWitness", "raiseUnconfirmed", "clearUnconfirmed"],
  ];
  const machine = leadershipMachine.provide({
    actions: Object.fromEntries(effects.map((name) => [name, () => void ran.push(name)])),
    guards: { mustYield: () => open, isConfirmed: () => open },
    actors: { campaign: fromPromise<CampaignResult, Campaign>(() => new Promise(() => undefined)) },
    delays: { votesLapse: 600, answer: 200 },
  });
  const { context } = createActor(machine).getSnapshot();
  const state = machine.resolveState({ value, context: { ...context, campaign: CAMPAIGN, againMs: 400 } });
  const actor = createActor(machine, { clock, snapshot: state }).start();
  ran.length = 0;
  return { actor, clock, ran, now: () => pathOf(actor.getSnapshot().value) };
}

describe("what every event does in every state", () => {
  const cells = Object.entries(TABLE).flatMap(([state, row]) =>
    (Object.keys(EVENTS) as EventName[]).map((event) => ({ state, event, outcome: row[event] ?? "ignored" })),
  );

  test.each(cells)("[I12] [EP3] $event in $state: $outcome", ({ state, event, outcome }) => {
    const { actor, ran, now } = begin(valueOf(state));
    const before = actor.getSnapshot();
    actor.send(EVENTS[event]);
    expect(now()).toBe(outcome === "ignored" || outcome === "itself" ? state : outcome);
    if (outcome === "ignored") expect([ran, actor.getSnapshot().context]).toEqual([[], before.context]);
    else expect(ran.length > 0 || actor.getSnapshot() !== before, "something is done").toBe(true);
    actor.stop();
  });

  test("[I12] the table has every event", () => {
    const types = new Set<string>(Object.values(EVENTS).map(({ type }) => type));
    const handled = eventTypesOf(leadershipMachine).filter((type) => !type.startsWith("xstate.after"));
    expect([...types].sort()).toEqual([...new Set(handled)].sort());
  });

  test("[I12] [CP1] a guard that nobody provides refuses", () => {
    for (const state of ["candidate", "leader.confirmed", "steppingDown"]) {
      const { actor, now } = begin(valueOf(state), false);
      actor.send(EVENTS.overruled);
      expect(now()).toBe(state);
      actor.stop();
    }
  });
});

describe("CH3: the delays", () => {
  test.each([
    ["quarantine", 250],
    ["hold-down", 250],
    ["behind", 250],
    ["peer-leads", 400],
  ] as const)("a follower that waits for %s judges again after %i ms", async (why, afterMs) => {
    const { actor, clock, ran } = begin({ follower: "waiting" });
    actor.send(waitsFor(why));
    await clock.pass(afterMs - 1);
    expect(ran).toEqual([]);
    await clock.pass(1);
    expect(ran).toEqual(["judge"]);
    actor.stop();
  });

  test("a person's hold ends by a person's word only", async () => {
    const { actor, clock, ran } = begin({ follower: "waiting" });
    actor.send(waitsFor("maintenance"));
    await clock.pass(10_000);
    expect(ran).toEqual([]);
    actor.stop();
  });

  test("a wait of several reasons: maintenance, then quarantine, then hold-down, then a lag", () => {
    const order = ["maintenance", "quarantine", "hold-down", "behind"] as const;
    const states = ["held", "quarantined", "holdingDown", "behind"];
    for (const [index, state] of states.entries()) {
      const { actor, now } = begin({ follower: "waiting" });
      actor.send(waits(...order.slice(index).map((why) => ({ why, untilMs: null }))));
      expect(now()).toBe(`follower.${state}`);
      actor.stop();
    }
  });

  test.each([
    [true, "leader.confirmed", []],
    [false, "leader.unconfirmed", ["raiseUnconfirmed"]],
  ] as const)("a leader looks when its votes lapse; still confirmed: %s, so %s", async (confirmed, state, ran) => {
    const begun = begin("candidate", confirmed);
    begun.actor.send(EVENTS.won);
    begun.ran.length = 0;
    await begun.clock.pass(600);
    expect([begun.now(), begun.ran]).toEqual([state, [...ran]]);
    begun.actor.stop();
  });

  test("[VT5] a leader that nobody answers after a pause leads on unconfirmed", async () => {
    const { actor, clock, now, ran } = begin({ leader: "confirmed" }, false);
    actor.send(EVENTS.paused);
    expect([now(), ran]).toEqual(["leader.verifying", ["askWitness"]]);
    await clock.pass(200);
    expect(now()).toBe("leader.unconfirmed");
    actor.stop();
  });
});

describe("what a role change does", () => {
  test.each([
    ["candidate", "won", ["beginLeading"]],
    ["candidate", "lost", ["campaignLost"]],
    ["leader.confirmed", "overruled", ["stopLeading"]],
    ["leader.unconfirmed", "released", ["clearUnconfirmed", "stopLeading"]],
    ["leader.confirmed", "yield", ["pauseLeading"]],
    ["steppingDown", "resumed", ["resumeLeading", "askWitness"]],
    ["steppingDown", "overruled", ["stopLeading"]],
  ] as const)("[EP3] [DP2] [HO1] %s, %s: %o", (from, event, wanted) => {
    const { actor, ran } = begin(valueOf(from));
    actor.send(EVENTS[event]);
    expect(ran).toEqual([...wanted]);
    actor.stop();
  });

  test("the epoch and the origin are those of the campaign, and end with the leadership", () => {
    const { actor } = begin({ follower: "waiting" });
    actor.send(EVENTS.due);
    expect(actor.getSnapshot().context).toMatchObject({ epoch: 7, origin: null });
    actor.send(EVENTS.won);
    expect(actor.getSnapshot().context).toMatchObject({ epoch: 7, origin: ORIGIN });
    actor.send(EVENTS.renewed);
    expect(actor.getSnapshot().context).toMatchObject({ epoch: 9 });
    actor.send(EVENTS.overruled);
    expect(actor.getSnapshot().context).toMatchObject({ epoch: 0, origin: null });
    actor.stop();
  });
});
