/** `leadership`: what every event does in every state of its four regions. What lets a campaign begin: `campaign-verdict`. */
import { describe, expect, test } from "vitest";
import type { AnyStateMachine, StateValue, SnapshotFrom } from "xstate";
import { leadershipMachine } from "../../machines/leadership.machine.ts";
import { eventTypesOf, step, type EventTypeOf, type Outcome, type TransitionTable } from "./transition-table.ts";

type Value = SnapshotFrom<typeof leadershipMachine>["value"];
type Event = EventTypeOf<typeof leadershipMachine>;
type Role = Value["role"];

/** The normal case; every test names what differs from it. */
const NORMAL: Value = { role: "follower", automation: "free", trust: "trusted", stability: "steady" };
const GUARDS = Object.keys(leadershipMachine.implementations.guards);

function answering(answers: Readonly<Record<string, boolean>>, otherwise: boolean): AnyStateMachine {
  const guards = Object.fromEntries(GUARDS.map((name) => [name, () => answers[name] ?? otherwise]));
  return (leadershipMachine as AnyStateMachine).provide({ guards });
}

const LOOKS_ELSEWHERE = {
  MAINTENANCE_ON: "ignored",
  MAINTENANCE_OFF: "ignored",
  DISTRUSTED: "ignored",
  TRUSTED: "ignored",
  FLAPPING: "ignored",
  STEADY: "ignored",
} as const;

const role: TransitionTable<Role, Event> = {
  follower: {
    ...LOOKS_ELSEWHERE,
    CONSIDER: "candidate",
    FORCED: "candidate",
    TAKE_OVER: "candidate",
    WON: "ignored",
    LOST: "ignored",
    RENEWED: "ignored",
    OVERRULED: "ignored",
    YIELD: "ignored",
    RESUMED: "ignored",
    RELEASED: "ignored",
  },
  candidate: {
    ...LOOKS_ELSEWHERE,
    CONSIDER: "ignored",
    FORCED: "ignored",
    TAKE_OVER: "ignored",
    WON: "leader",
    LOST: "follower",
    RENEWED: "ignored",
    OVERRULED: "follower",
    YIELD: "ignored",
    RESUMED: "ignored",
    RELEASED: "follower",
  },
  leader: {
    ...LOOKS_ELSEWHERE,
    CONSIDER: "ignored",
    FORCED: "ignored",
    TAKE_OVER: "ignored",
    WON: "ignored",
    LOST: "ignored",
    RENEWED: "leader",
    OVERRULED: "follower",
    YIELD: "steppingDown",
    RESUMED: "ignored",
    RELEASED: "follower",
  },
  steppingDown: {
    ...LOOKS_ELSEWHERE,
    CONSIDER: "ignored",
    FORCED: "ignored",
    TAKE_OVER: "ignored",
    WON: "ignored",
    LOST: "ignored",
    RENEWED: "ignored",
    OVERRULED: "follower",
    YIELD: "ignored",
    RESUMED: "leader",
    RELEASED: "follower",
  },
};

/** What a refusing guard changes: the cells that are guarded. */
const GUARDED: readonly (readonly [Role, Event])[] = [
  ["follower", "CONSIDER"],
  ["candidate", "OVERRULED"],
  ["leader", "OVERRULED"],
  ["steppingDown", "OVERRULED"],
];

type Region = Exclude<keyof Value, "role">;
type RegionEvents = {
  automation: "MAINTENANCE_ON" | "MAINTENANCE_OFF";
  trust: "DISTRUSTED" | "TRUSTED";
  stability: "FLAPPING" | "STEADY";
};

/** The other regions: every event that is not named here leaves them alone, which `the regions are apart` proves. */
const regions: { readonly [Name in Region]: TransitionTable<Value[Name], RegionEvents[Name]> } = {
  automation: {
    free: { MAINTENANCE_ON: "held", MAINTENANCE_OFF: "ignored" },
    held: { MAINTENANCE_ON: "ignored", MAINTENANCE_OFF: "free" },
  },
  trust: {
    quarantined: { DISTRUSTED: "ignored", TRUSTED: "trusted" },
    trusted: { DISTRUSTED: "quarantined", TRUSTED: "ignored" },
  },
  stability: {
    steady: { FLAPPING: "holdingDown", STEADY: "ignored" },
    holdingDown: { FLAPPING: "ignored", STEADY: "steady" },
  },
};

function cells<State extends string, EventType extends string>(table: TransitionTable<State, EventType>) {
  return Object.entries<Readonly<Record<EventType, Outcome<State>>>>(table).flatMap(([state, row]) =>
    Object.entries<Outcome<State>>(row).map(([event, outcome]) => ({ state, event, outcome })),
  );
}

describe("what every event does in every state", () => {
  test("[I12] [EP3] the role, every guard letting through", () => {
    const open = answering({}, true);
    for (const { state, event, outcome } of cells(role)) {
      const { value, ran } = step(open, { ...NORMAL, role: state }, { type: event });
      const wanted = outcome === "ignored" ? state : outcome;
      expect((value as Value).role, `${event} in ${state}`).toBe(wanted);
      if (outcome === "ignored") expect(ran, `${event} in ${state}`).toEqual([]);
    }
    expect(new Set(cells(role).map(({ event }) => event))).toEqual(new Set(eventTypesOf(leadershipMachine)));
  });

  test("[I12] [CP1] a guard that nobody provides refuses: no guarded step is taken", () => {
    for (const { state, event, outcome } of cells(role)) {
      const guarded = GUARDED.some(([where, what]) => where === state && what === event);
      const { value } = step(leadershipMachine, { ...NORMAL, role: state }, { type: event });
      const wanted = guarded || outcome === "ignored" ? state : outcome;
      expect((value as Value).role, `${event} in ${state}`).toBe(wanted);
    }
  });

  test("[I12] [CP5] [CP6] [HO3] the restraints", () => {
    for (const [region, table] of Object.entries(regions)) {
      for (const { state, event, outcome } of cells(table as TransitionTable<string, string>)) {
        const { value, ran } = step(leadershipMachine, { ...NORMAL, [region]: state }, { type: event });
        expect((value as Record<string, string>)[region]).toBe(outcome === "ignored" ? state : outcome);
        expect(ran).toEqual([]);
      }
    }
  });

  test("[I12] the regions are apart: an event of one moves no other", () => {
    const own = Object.entries(regions).map(([name, table]) => {
      return { name, events: cells(table as TransitionTable<string, string>).map(({ event }) => event) };
    });
    for (const event of eventTypesOf(leadershipMachine)) {
      const { value } = step(answering({}, true), NORMAL, { type: event });
      for (const { name, events } of own) {
        if (events.includes(event)) continue;
        expect((value as Record<string, StateValue>)[name], `${event} leaves ${name}`).toBe(NORMAL[name as Region]);
      }
    }
  });
});

describe("what a role change does", () => {
  test.each([
    ["follower", "FORCED", ["campaign"]],
    ["candidate", "WON", ["beginLeading"]],
    ["candidate", "OVERRULED", ["abandonCampaign"]],
    ["candidate", "RELEASED", ["abandonCampaign"]],
    ["leader", "OVERRULED", ["stopLeading"]],
    ["leader", "RELEASED", ["stopLeading"]],
    ["leader", "YIELD", ["pauseLeading"]],
    ["steppingDown", "RESUMED", ["resumeLeading"]],
    ["steppingDown", "OVERRULED", ["stopLeading"]],
  ])("[EP3] [DP2] [HO1] %s, %s: %o", (from, type, ran) => {
    expect(step(answering({}, true), { ...NORMAL, role: from }, { type }).ran).toEqual(ran);
  });
});
