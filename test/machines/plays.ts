/** The runs by which `event-proofs.ts` shows what each event of a statechart is needed for. */
import { expect } from "vitest";
import { ReconcileLock } from "../../src/actors/reconcile-lock.ts";
import type { Rules } from "../../src/actors/rules.ts";
import type { Label } from "../../src/core/ids.ts";
import { FilteredChannel, filteredPair } from "../coordinator/filtered-channel.ts";
import type { Pair, PairSettings } from "../coordinator/pair.ts";
import { buildRig } from "../actors/rig.ts";

/** A run that goes well with every event, and throws when one that it needs is missing. */
export type Play = (rules: Partial<Rules>) => Promise<void>;

interface Stage {
  readonly pair: Pair;
  readonly channels: Readonly<Record<Label, FilteredChannel>>;
}

/** Two engines, `a` on air. */
export function onStage(settings: PairSettings, play: (stage: Stage) => Promise<void>): Play {
  return async (rules) => play(await filteredPair((inner) => new FilteredChannel(inner), { ...settings, rules }));
}

const UNTIL_MS = 8_000;
const FORCED = { mode: "immediate", reason: "drill", requestId: null, expectedEpoch: null, by: "ops" } as const;

/** Both lead, each with a command of its own. `b` has the higher epoch, and reconciles when the link is back. */
function parted(settings: PairSettings, play: (stage: Stage) => Promise<void>): Play {
  return onStage({ failover: { deathProof: "none" }, witness: false, ...settings }, async (stage) => {
    const { pair } = stage;
    pair.wire.cut("red");
    await pair.until(() => pair.of("b").mayAct(), UNTIL_MS);
    await pair.submit("a", "LOSER");
    await pair.submit("b", "WINNER");
    await play(stage);
  });
}

/** `b` leads on, `a` has taken its state, and what it lost is kept as a conflict. */
const united = ({ pair }: Stage): boolean =>
  pair.of("a").state().role === "follower" &&
  pair.of("a").conflicts(10).length === 1 &&
  pair.of("a").ready() &&
  !pair.alarm("b", "split-brain");

export const recovers = parted({}, async (stage) => {
  stage.pair.wire.mend("red");
  await stage.pair.until(() => united(stage), UNTIL_MS);
});

/** The loser's answer is all that the winner hears: its next request is lost. */
export const endsByTheAnswer = parted({}, async ({ pair, channels }) => {
  channels.b.lost.add("snapshot-piece");
  pair.wire.mend("red");
  await pair.until(() => channels.b.count("snapshot-piece") > 0, UNTIL_MS);
  channels.b.lost.clear();
  channels.a.lost.add("catch-up-request");
  for (const piece of channels.b.sent.filter(({ type }) => type === "snapshot-piece")) channels.b.send(piece);
  await pair.until(() => !pair.alarm("b", "split-brain"), UNTIL_MS);
});

/** The loser's answer is lost: its next request shows that nothing is in dispute any more. */
export const endsByTheNextRequest = parted({}, async ({ pair, channels }) => {
  channels.a.lost.add("reconciled");
  pair.wire.mend("red");
  await pair.until(() => channels.a.count("reconciled") > 0, UNTIL_MS);
  await pair.until(() => pair.of("a").ready() && !pair.alarm("b", "split-brain"), 3_000);
});

/** The winner loses the role in the middle of its recovery. */
export const leavesToTheNextWinner = parted({}, async ({ pair, channels }) => {
  channels.b.lost.add("divergence-request");
  pair.wire.mend("red");
  await pair.until(() => channels.b.count("divergence-request") > 0, UNTIL_MS);
  await pair.untilDone(pair.of("a").forceLeader({ ...FORCED, acceptDualAir: true }));
  await pair.until(() => pair.of("a").mayAct() && pair.of("b").state().role === "follower", UNTIL_MS);
  await pair.until(() => !pair.alarm("b", "split-brain"), 1_000);
});

/** The link breaks in the middle of a recovery: nobody else waits for the lock meanwhile. */
export const freesTheLockWithoutLink = parted({}, async ({ pair, channels }) => {
  channels.b.lost.add("divergence-request");
  pair.wire.mend("red");
  await pair.until(() => channels.b.count("divergence-request") > 0, UNTIL_MS);
  expect(pair.of("b").state().reconcileLock).not.toBeNull();
  pair.wire.cut("red");
  await pair.until(() => pair.of("b").state().reconcileLock === null, 2_000);
});

/** The lock is lost in the middle of a recovery: it begins again with another one, without waiting for the loser. */
export const beginsAgainWithoutLock = parted({}, async ({ pair, channels }) => {
  channels.b.lost.add("snapshot-piece");
  pair.wire.mend("red");
  await pair.until(() => channels.b.count("snapshot-piece") > 0, UNTIL_MS);
  const lockId = channels.b.sent.find((message) => message.type === "snapshot-piece")?.lock?.lockId;
  await pair.untilDone(pair.of("b").releaseLock(lockId ?? ""));
  await pair.until(() => channels.b.count("divergence-request") > 1, 3_000);
});

/** A tool holds the lock when the recovery begins. */
export const triesAgain = parted({}, async (stage) => {
  const { pair } = stage;
  await pair.untilDone(pair.of("b").acquireLock({ holder: "tool", ttlMs: 1_500 }));
  pair.wire.mend("red");
  await pair.until(() => united(stage), UNTIL_MS);
});

export const freesTheLock = parted({}, async (stage) => {
  stage.pair.wire.mend("red");
  await stage.pair.until(() => united(stage), UNTIL_MS);
  expect(stage.pair.of("b").state().reconcileLock).toBeNull();
});

/** Holds a lock for a minute, or without a witness to the end of its count. */
function holding(play: (lock: ReconcileLock, rig: ReturnType<typeof buildRig>, lost: number[]) => Promise<void>): Play {
  return async (rules) => {
    const rig = buildRig({ rules });
    const lost: number[] = [];
    const onLost = (): void => void lost.push(rig.clock.monoMs());
    const lock = new ReconcileLock(rig.kit, { book: { accepted: 3 }, monitor: { machineValue: "alive" }, onLost });
    await lock.acquire();
    await play(lock, rig, lost);
  };
}

export const staysHeld = holding(async (lock, { clock }, lost) => {
  await clock.pass(60_000);
  expect([lock.usable !== null, lost]).toEqual([true, []]);
});

export const endsInTime = holding(async (_lock, { clock, kit }, lost) => {
  Object.assign(kit.ports.witness, { refreshLock: async () => ({ outcome: "unreachable", reason: "cut" }) });
  await clock.pass(kit.failover.reconcileLockMs);
  expect(lost).toHaveLength(1);
});

const HAND_OVER = { reason: "drill", by: "ops" };
const graceful = { ...FORCED, mode: "graceful", acceptDualAir: false } as const;

export const handsOver = onStage({}, async ({ pair }) => {
  expect(await pair.untilDone(pair.of("a").handover(HAND_OVER))).toMatchObject({ outcome: "handed-over" });
  expect([pair.of("a").mayAct(), pair.of("b").mayAct()]).toEqual([false, true]);
});

/** Who took the role gives it back later. */
export const handsOverAndBack = onStage({}, async ({ pair }) => {
  await pair.untilDone(pair.of("a").handover(HAND_OVER));
  await pair.until(() => pair.of("a").ready(), UNTIL_MS);
  expect(await pair.untilDone(pair.of("b").handover(HAND_OVER))).toMatchObject({ outcome: "handed-over" });
});

/** A leader whose votes have lapsed has no role to give, and says so. */
export const hearsTheRefusal = onStage({ failover: { policy: "consistency" }, witness: false }, async (stage) => {
  const { pair, channels } = stage;
  channels.b.lost.add("heartbeat");
  await pair.until(() => !pair.of("a").mayAct(), UNTIL_MS);
  const answer = await pair.untilDone(pair.of("b").forceLeader(graceful));
  expect(answer).toMatchObject({ detail: "the leader did not hand over: the leader refused: not-leader" });
});

/** The target asks, and hears nothing. */
export const endsWithoutGrant = onStage({}, async ({ pair, channels }) => {
  channels.b.lost.add("handover-request");
  const answer = await pair.untilDone(pair.of("b").forceLeader(graceful));
  expect(answer).toMatchObject({ detail: "the leader did not hand over: no grant came" });
});

/** What the leader sends or waits for is lost: it leads on, in its old epoch. */
function leadsOn(settings: PairSettings, spoil: (stage: Stage) => Promise<void> | void): Play {
  return onStage(settings, async (stage) => {
    const { pair } = stage;
    await spoil(stage);
    const sinceMs = pair.clock.monoMs();
    expect(await pair.untilDone(pair.of("a").handover(HAND_OVER))).toMatchObject({ outcome: "no-valid-backup" });
    expect(pair.clock.monoMs() - sinceMs).toBeLessThan(1_000);
    await pair.until(() => pair.of("a").mayAct(), 1_000);
    expect(await pair.submit("a", "CAM 1")).toMatchObject({ outcome: "accepted", epoch: 1 });
  });
}

export const leadsOnAfterALostOffer = leadsOn({}, ({ channels }) => void channels.a.lost.add("handover-offer"));
export const leadsOnAfterALostGrant = leadsOn({}, ({ channels }) => void channels.a.lost.add("handover-grant"));

/** A command that the follower does not confirm stays unanswered for longer than the handover may take. */
export const leadsOnWithoutDraining = leadsOn({ commands: { ackTimeoutMs: 700 } }, async ({ pair, channels }) => {
  channels.b.lost.add("replicated");
  void pair.of("a").submit({ kind: "POST /switch/cut", payload: { source: "CAM 9" } });
  await pair.clock.pass(5);
});
