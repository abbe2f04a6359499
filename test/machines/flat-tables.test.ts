/** The machines of one region: what every event does in every state. */
import { describe, expect, test } from "vitest";
import type { StateValueFrom } from "xstate";
import { catchUpMachine } from "../../machines/catch-up.machine.ts";
import { handoverMachine } from "../../machines/handover.machine.ts";
import { peerLinkMachine } from "../../machines/peer-link.machine.ts";
import { reconcileLockMachine } from "../../machines/reconcile-lock.machine.ts";
import { splitBrainMachine } from "../../machines/split-brain.machine.ts";
import { proveTable, step, type EventTypeOf, type TransitionTable } from "./transition-table.ts";

const peerLink: TransitionTable<StateValueFrom<typeof peerLinkMachine>, EventTypeOf<typeof peerLinkMachine>> = {
  connecting: { HEARD: "alive", MISSED: "ignored", SILENT: "silent", REFUSED: "dead", DOUBTED: "ignored" },
  alive: { HEARD: "ignored", MISSED: "suspect", SILENT: "silent", REFUSED: "dead", DOUBTED: "ignored" },
  suspect: { HEARD: "alive", MISSED: "ignored", SILENT: "silent", REFUSED: "dead", DOUBTED: "ignored" },
  silent: { HEARD: "alive", MISSED: "ignored", SILENT: "ignored", REFUSED: "dead", DOUBTED: "ignored" },
  dead: { HEARD: "alive", MISSED: "ignored", SILENT: "ignored", REFUSED: "ignored", DOUBTED: "silent" },
};

type HandoverTable = TransitionTable<StateValueFrom<typeof handoverMachine>, EventTypeOf<typeof handoverMachine>>;

const REST = { ASK: "ignored", ASKED: "ignored", OFFER: "ignored", DRAINED: "ignored", GRANTED: "ignored" } as const;

const handover: HandoverTable = {
  idle: {
    ...REST,
    ASK: "asking",
    ASKED: "draining",
    OFFER: "offering",
    REFUSED: "ignored",
    DONE: "ignored",
    EXPIRED: "ignored",
  },
  offering: { ...REST, ASKED: "draining", REFUSED: "idle", DONE: "idle", EXPIRED: "idle" },
  asking: { ...REST, GRANTED: "taking", REFUSED: "idle", DONE: "idle", EXPIRED: "idle" },
  taking: { ...REST, REFUSED: "idle", DONE: "idle", EXPIRED: "idle" },
  draining: { ...REST, DRAINED: "granting", REFUSED: "ignored", DONE: "idle", EXPIRED: "idle" },
  granting: { ...REST, REFUSED: "ignored", DONE: "idle", EXPIRED: "idle" },
};

type CatchUpTable = TransitionTable<StateValueFrom<typeof catchUpMachine>, EventTypeOf<typeof catchUpMachine>>;

const UNPLANNED = {
  PLAN_NOTHING: "ignored",
  PLAN_LOG: "ignored",
  PLAN_SNAPSHOT: "ignored",
  PLAN_RECONCILE: "ignored",
} as const;
const ENDS = { LEADER_LOST: "waiting", LEADING: "leading" } as const;

const catchUp: CatchUpTable = {
  // Entered anew from itself, which has no effect of its own.
  waiting: {
    ...UNPLANNED,
    COMPARE: "comparing",
    FINISHED: "ignored",
    FAILED: "ignored",
    LEADER_LOST: "ignored",
    LEADING: "leading",
  },
  comparing: {
    ...ENDS,
    COMPARE: "comparing",
    PLAN_NOTHING: "ready",
    PLAN_LOG: "replaying",
    PLAN_SNAPSHOT: "restoring",
    PLAN_RECONCILE: "reconciling",
    FINISHED: "ignored",
    FAILED: "waiting",
  },
  replaying: { ...ENDS, ...UNPLANNED, COMPARE: "comparing", FINISHED: "ready", FAILED: "waiting" },
  restoring: { ...ENDS, ...UNPLANNED, COMPARE: "comparing", FINISHED: "comparing", FAILED: "waiting" },
  reconciling: { ...ENDS, ...UNPLANNED, COMPARE: "comparing", FINISHED: "comparing", FAILED: "waiting" },
  ready: { ...ENDS, ...UNPLANNED, COMPARE: "comparing", FINISHED: "ignored", FAILED: "ignored" },
  leading: {
    ...UNPLANNED,
    COMPARE: "comparing",
    FINISHED: "ignored",
    FAILED: "ignored",
    LEADER_LOST: "waiting",
    LEADING: "ignored",
  },
};

type LockTable = TransitionTable<StateValueFrom<typeof reconcileLockMachine>, EventTypeOf<typeof reconcileLockMachine>>;

const lock: LockTable = {
  free: {
    ACQUIRE: "acquiring",
    ACQUIRED: "ignored",
    NOT_ACQUIRED: "ignored",
    REFRESHED: "ignored",
    LAPSED: "ignored",
    RELEASE: "ignored",
  },
  acquiring: {
    ACQUIRE: "ignored",
    ACQUIRED: "held",
    NOT_ACQUIRED: "free",
    REFRESHED: "ignored",
    LAPSED: "ignored",
    RELEASE: "free",
  },
  held: {
    ACQUIRE: "ignored",
    ACQUIRED: "ignored",
    NOT_ACQUIRED: "ignored",
    REFRESHED: "ignored",
    LAPSED: "lost",
    RELEASE: "free",
  },
  lost: {
    ACQUIRE: "acquiring",
    ACQUIRED: "ignored",
    NOT_ACQUIRED: "ignored",
    REFRESHED: "ignored",
    LAPSED: "ignored",
    RELEASE: "free",
  },
};

/** `detected` is passed through at once: nobody can be asked there. */
type SplitBrainState = Exclude<StateValueFrom<typeof splitBrainMachine>, "detected">;
type SplitBrainTable = TransitionTable<SplitBrainState, EventTypeOf<typeof splitBrainMachine>>;

const NOT_YET = {
  DIVERGED: "ignored",
  LOCKED: "ignored",
  COMPARED: "ignored",
  RESOLVED: "ignored",
  VERIFIED: "ignored",
} as const;
const BREAKS = { INTERRUPTED: "united", GAVE_UP: "needsPerson", DEMOTED: "united", AGREED: "united" } as const;

const splitBrain: SplitBrainTable = {
  united: {
    ...NOT_YET,
    DIVERGED: "locking",
    INTERRUPTED: "ignored",
    GAVE_UP: "ignored",
    DEMOTED: "ignored",
    AGREED: "ignored",
  },
  locking: { ...NOT_YET, ...BREAKS, LOCKED: "comparing" },
  comparing: { ...NOT_YET, ...BREAKS, COMPARED: "resolving" },
  resolving: { ...NOT_YET, ...BREAKS, RESOLVED: "verifying" },
  verifying: { ...NOT_YET, ...BREAKS, VERIFIED: "resolved" },
  resolved: {
    ...NOT_YET,
    ...BREAKS,
    DIVERGED: "locking",
    INTERRUPTED: "ignored",
    GAVE_UP: "ignored",
    AGREED: "ignored",
  },
  needsPerson: { ...NOT_YET, ...BREAKS, DIVERGED: "locking", INTERRUPTED: "ignored", GAVE_UP: "ignored" },
};

describe("what every event does in every state", () => {
  test("[I12] [HB3] peer-link", () => proveTable(peerLinkMachine, peerLink));
  test("[I12] [HO1] handover", () => proveTable(handoverMachine, handover));
  test("[I12] catch-up", () => proveTable(catchUpMachine, catchUp));
  test("[I12] [RL1] reconcile-lock", () => proveTable(reconcileLockMachine, lock));
  test("[I12] [SB2] split-brain", () => proveTable(splitBrainMachine, splitBrain));

  test("a missing cell does not compile", () => {
    // @ts-expect-error RELEASE is missing
    const forgetful: LockTable["free"] = {
      ACQUIRE: "acquiring",
      ACQUIRED: "ignored",
      NOT_ACQUIRED: "ignored",
      REFRESHED: "ignored",
      LAPSED: "ignored",
    };
    expect(forgetful).not.toHaveProperty("RELEASE");
  });
});

describe("what a step does on its way", () => {
  test("[HO1] a leader whose handover expires leads on; one that is done does not", () => {
    expect(step(handoverMachine, "granting", { type: "EXPIRED" }).ran).toEqual(["leadOn"]);
    expect(step(handoverMachine, "draining", { type: "EXPIRED" }).ran).toEqual(["leadOn"]);
    expect(step(handoverMachine, "granting", { type: "DONE" }).ran).toEqual([]);
  });

  test("[RL1] only a held lock is released at the witness", () => {
    expect(step(reconcileLockMachine, "held", { type: "RELEASE" }).ran).toEqual(["release"]);
    expect(step(reconcileLockMachine, "lost", { type: "RELEASE" }).ran).toEqual([]);
  });

  test("[HB3] [DP1] each judgement on the peer is told once", () => {
    expect(step(peerLinkMachine, "suspect", { type: "HEARD" }).ran).toEqual(["peerAlive"]);
    expect(step(peerLinkMachine, "alive", { type: "MISSED" }).ran).toEqual(["peerSuspect"]);
    expect(step(peerLinkMachine, "suspect", { type: "SILENT" }).ran).toEqual(["peerSilent"]);
    expect(step(peerLinkMachine, "silent", { type: "REFUSED" }).ran).toEqual(["peerDead"]);
  });

  test("readiness is left with whatever ends it", () => {
    for (const type of ["COMPARE", "LEADER_LOST", "LEADING"]) {
      expect(step(catchUpMachine, "ready", { type }).ran).toContain("leaveReady");
    }
  });
});
