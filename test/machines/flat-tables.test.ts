/** The machines of one region: what every event does in every state. */
import { describe, expect, test } from "vitest";
import type { StateValueFrom } from "xstate";
import { catchUpMachine, type CatchUpEvent } from "../../machines/catch-up.machine.ts";
import { handoverMachine } from "../../machines/handover.machine.ts";
import { peerLinkMachine } from "../../machines/peer-link.machine.ts";
import { reconcileLockMachine } from "../../machines/reconcile-lock.machine.ts";
import { splitBrainMachine } from "../../machines/split-brain.machine.ts";
import type { CatchUpPlan } from "../../src/core/messages.ts";
import { proveTable, step, type TransitionTable } from "./transition-table.ts";

const NEVER_HEARD = "xstate.after.untilSilent.peer-link.connecting";
const LATE = "xstate.after.untilSuspect.peer-link.alive";
const SILENT = "xstate.after.untilSilent.peer-link.suspect";
const PEER = {
  HEARD: "alive",
  VOUCHED: "alive",
  REFUSED: "dead",
  DOUBTED: "ignored",
  [NEVER_HEARD]: "ignored",
  [LATE]: "ignored",
  [SILENT]: "ignored",
} as const;

const peerLink: TransitionTable<StateValueFrom<typeof peerLinkMachine>, string> = {
  connecting: { ...PEER, AWAKE: "connecting", VOUCHED: "ignored", [NEVER_HEARD]: "silent" },
  alive: { ...PEER, AWAKE: "alive", [LATE]: "suspect" },
  suspect: { ...PEER, AWAKE: "alive", [SILENT]: "silent" },
  silent: { ...PEER, AWAKE: "silent" },
  dead: { ...PEER, AWAKE: "dead", VOUCHED: "dead", REFUSED: "ignored", DOUBTED: "silent" },
};

type HandoverState = "idle" | "asking" | "taking" | "offering" | "draining" | "granting";

const REST = {
  ASK: "ignored",
  OFFER: "ignored",
  ASKED: "ignored",
  GRANTED: "ignored",
  REFUSED: "ignored",
  RELIEVED: "ignored",
  "xstate.done.actor.drain": "ignored",
  "xstate.done.actor.takeOver": "ignored",
  "xstate.after.window.handover.asking": "ignored",
  "xstate.after.window.handover.offering": "ignored",
  "xstate.after.window.handover.draining": "ignored",
  "xstate.after.window.handover.granting": "ignored",
} as const;

const handover: TransitionTable<HandoverState, string> = {
  idle: { ...REST, ASK: "asking", ASKED: "draining", OFFER: "offering" },
  asking: { ...REST, GRANTED: "taking", REFUSED: "idle", "xstate.after.window.handover.asking": "idle" },
  taking: { ...REST, "xstate.done.actor.takeOver": "idle" },
  offering: { ...REST, ASKED: "draining", RELIEVED: "idle", "xstate.after.window.handover.offering": "idle" },
  draining: {
    ...REST,
    RELIEVED: "idle",
    "xstate.done.actor.drain": "granting",
    "xstate.after.window.handover.draining": "idle",
  },
  granting: { ...REST, RELIEVED: "idle", "xstate.after.window.handover.granting": "idle" },
};

type CatchUpState =
  | "waiting"
  | "backingOff"
  | "comparing"
  | "askingForAll"
  | "replaying"
  | "restoring.receiving"
  | "restoring.installing"
  | "reconciling"
  | "ready"
  | "leading"
  | "handedOver";

const RESTORED = "xstate.done.actor.restore";
const PATIENCE = "xstate.after.patience.catch-up";
const CATCHING_UP = {
  COMPARE: "comparing",
  HEARD: "ignored",
  PLANNED: "ignored",
  MOVED: "ignored",
  RECEIVED: "ignored",
  FINISHED: "ignored",
  FAILED: "waiting",
  LEADER_LOST: "waiting",
  LEADING: "leading",
  HANDED_OVER: "waiting",
  [RESTORED]: "ignored",
  [`${PATIENCE}.comparing`]: "ignored",
  [`${PATIENCE}.askingForAll`]: "ignored",
  [`${PATIENCE}.replaying`]: "ignored",
  [`${PATIENCE}.restoring.receiving`]: "ignored",
  [`${PATIENCE}.reconciling`]: "ignored",
  "xstate.after.backoff.catch-up.backingOff": "ignored",
} as const;

/** What they change stands in the context, in every state. */
const NOTED = ["APPLIED", "FLAWED"] as const;

const catchUpTable: Readonly<Record<CatchUpState, object>> = {
  // Entered a second time from itself, which has no effect.
  waiting: { HEARD: "comparing", LEADER_LOST: "ignored", HANDED_OVER: "ignored" },
  backingOff: { LEADER_LOST: "ignored", "xstate.after.backoff.catch-up.backingOff": "waiting" },
  comparing: { PLANNED: "ready", [`${PATIENCE}.comparing`]: "waiting" },
  askingForAll: { PLANNED: "restoring.receiving", [`${PATIENCE}.askingForAll`]: "waiting" },
  replaying: { FINISHED: "ready", [`${PATIENCE}.replaying`]: "waiting" },
  "restoring.receiving": {
    MOVED: "ignored",
    RECEIVED: "restoring.installing",
    [`${PATIENCE}.restoring.receiving`]: "waiting",
  },
  "restoring.installing": { [RESTORED]: "comparing" },
  reconciling: { FINISHED: "comparing", [`${PATIENCE}.reconciling`]: "waiting" },
  ready: { HEARD: "ready", FAILED: "comparing" },
  leading: { HEARD: "comparing", LEADING: "ignored", HANDED_OVER: "handedOver" },
  handedOver: { HEARD: "comparing" },
};
const catchUp = Object.fromEntries(
  Object.entries(catchUpTable).map(([state, row]) => {
    const noted = Object.fromEntries(NOTED.map((type) => [type, state]));
    return [state, { ...CATCHING_UP, ...noted, ...row }];
  }),
) as unknown as TransitionTable<CatchUpState, string>;

type LockState = "free" | "acquiring" | "held.fresh" | "held.refreshing" | "lost";
type LockTable = TransitionTable<LockState, string>;

const ACQUIRED = "xstate.done.actor.acquire";
const REFRESHED = "xstate.done.actor.refresh";
const DUE = "xstate.after.refreshDelay.reconcile-lock.held.fresh";
const MARGIN = "xstate.after.untilMargin.reconcile-lock.held";
const NO_LOCK = {
  ACQUIRE: "ignored",
  RELEASE: "ignored",
  [ACQUIRED]: "ignored",
  [REFRESHED]: "ignored",
  [DUE]: "ignored",
  [MARGIN]: "ignored",
} as const;

const lock: LockTable = {
  free: { ...NO_LOCK, ACQUIRE: "acquiring" },
  acquiring: { ...NO_LOCK, RELEASE: "free", [ACQUIRED]: "held.fresh" },
  "held.fresh": { ...NO_LOCK, RELEASE: "free", [DUE]: "held.refreshing", [MARGIN]: "lost" },
  "held.refreshing": { ...NO_LOCK, RELEASE: "free", [REFRESHED]: "held.fresh", [MARGIN]: "lost" },
  lost: { ...NO_LOCK, ACQUIRE: "acquiring", RELEASE: "free" },
};

/** A step that ended well. */
const ended = (type: string): { type: string; output: object } => ({
  type,
  output: { outcome: type === ACQUIRED ? "acquired" : "refreshed" },
});

type SplitBrainState =
  | "united"
  | "recovering.locking"
  | "recovering.comparing"
  | "recovering.resolving"
  | "recovering.verifying"
  | "backingOff"
  | "parted"
  | "needsPerson";

const AT_REST = {
  DIVERGED: "ignored",
  AGREED: "united",
  DEMOTED: "united",
  LINK_LOST: "ignored",
  LOCK_LOST: "ignored",
  "xstate.done.actor.lock": "ignored",
  "xstate.done.actor.compare": "ignored",
  "xstate.done.actor.resolve": "ignored",
  "xstate.done.actor.verify": "ignored",
  "xstate.error.actor.*": "ignored",
  "xstate.after.backoff.split-brain.backingOff": "ignored",
} as const;
const AT_WORK = {
  ...AT_REST,
  LINK_LOST: "parted",
  LOCK_LOST: "backingOff",
  "xstate.error.actor.*": "backingOff",
} as const;

const splitBrain: TransitionTable<SplitBrainState, string> = {
  united: { ...AT_REST, DIVERGED: "recovering.locking", AGREED: "ignored", DEMOTED: "ignored" },
  "recovering.locking": {
    ...AT_WORK,
    DIVERGED: "recovering.locking",
    "xstate.done.actor.lock": "recovering.comparing",
  },
  "recovering.comparing": {
    ...AT_WORK,
    DIVERGED: "recovering.comparing",
    "xstate.done.actor.compare": "recovering.resolving",
  },
  "recovering.resolving": {
    ...AT_WORK,
    DIVERGED: "recovering.resolving",
    "xstate.done.actor.resolve": "recovering.verifying",
  },
  "recovering.verifying": { ...AT_WORK, DIVERGED: "recovering.verifying", "xstate.done.actor.verify": "united" },
  backingOff: {
    ...AT_REST,
    DIVERGED: "backingOff",
    LINK_LOST: "parted",
    "xstate.after.backoff.split-brain.backingOff": "recovering.locking",
  },
  parted: { ...AT_REST, DIVERGED: "recovering.locking" },
  needsPerson: { ...AT_REST, DIVERGED: "backingOff" },
};

/** Of an engine that did not sleep. */
const awake = peerLinkMachine.provide({ guards: { isAwake: () => true } });

describe("what every event does in every state", () => {
  test("[I12] [HB3] peer-link", () => proveTable(awake, peerLink));
  test("[I12] [HO1] handover", () => proveTable(handoverMachine, handover));
  test("[I12] catch-up", () => proveTable(catchUpMachine, catchUp));
  test("[I12] [RL1] reconcile-lock", () => proveTable(reconcileLockMachine, lock, ended));
  test("[I12] [SB2] split-brain", () => proveTable(splitBrainMachine, splitBrain));

  test("a missing state does not compile", () => {
    const { lost: left, ...others } = lock;
    // @ts-expect-error lost is missing
    const forgetful: LockTable = others;
    expect(forgetful).not.toHaveProperty("lost", left);
  });

  test("a missing event fails", () => {
    const { ACQUIRE: left, ...others } = lock.lost;
    expect(left).toBe("acquiring");
    const forgetful = { ...lock, lost: others } as LockTable;
    expect(() => proveTable(reconcileLockMachine, forgetful, ended)).toThrow("lost says what every event does");
  });
});

describe("what a step does on its way", () => {
  test("[HO1] a leader whose handover expires leads on; one that is relieved does not", () => {
    for (const state of ["draining", "granting"]) {
      const after = { type: `xstate.after.window.handover.${state}` };
      expect(step(handoverMachine, state, after).ran, state).toContain("leadOn");
      expect(step(handoverMachine, state, { type: "RELIEVED" }).ran, state).not.toContain("leadOn");
    }
  });

  test("[RL1] only a held lock is released at the witness", () => {
    expect(step(reconcileLockMachine, "held", { type: "RELEASE" }).ran).toEqual(["release", "forget"]);
    expect(step(reconcileLockMachine, "lost", { type: "RELEASE" }).ran).toEqual([]);
  });

  test("[CP5] [HB3] what was missed while this engine slept is no silence of the peer", () => {
    for (const [state, type] of [
      ["connecting", NEVER_HEARD],
      ["alive", LATE],
      ["suspect", SILENT],
    ] as const) {
      expect(step(peerLinkMachine, state, { type })).toEqual({ value: state, ran: ["noticeSleep"] });
    }
  });

  test("what the leader plans is what a follower does", () => {
    const plans = {
      nothing: "ready",
      log: "replaying",
      snapshot: { restoring: "receiving" },
      reconcile: "reconciling",
    };
    for (const [by, state] of Object.entries(plans)) {
      const event: CatchUpEvent = { type: "PLANNED", by: by as CatchUpPlan["by"] };
      expect(step(catchUpMachine, "comparing", event).value, by).toEqual(state);
    }
  });
});
