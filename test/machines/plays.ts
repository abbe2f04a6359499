/** The runs by which `event-proofs.ts` shows what each event of a statechart is needed for. */
import { expect } from "vitest";
import { CatchUp, type CatchUpDeps } from "../../src/actors/catch-up.ts";
import { EngineGuard } from "../../src/actors/engine-guard.ts";
import { EngineKeeper } from "../../src/actors/engine-keeper.ts";
import { PeerMonitor } from "../../src/actors/peer-monitor.ts";
import { Pulse } from "../../src/actors/pulse.ts";
import { ReconcileLock } from "../../src/actors/reconcile-lock.ts";
import { Restraints } from "../../src/actors/restraints.ts";
import type { Rules } from "../../src/actors/rules.ts";
import { Votes } from "../../src/actors/votes.ts";
import { makeId, type Label, type RequestId } from "../../src/core/ids.ts";
import type { CatchUpPlan, CatchUpRequest, Heartbeat } from "../../src/core/messages.ts";
import type { CoordinatorPorts } from "../../src/ports/coordinator-ports.ts";
import type { EngineSign } from "../../src/ports/engine.ts";
import type { PeerHello } from "../../src/ports/peer-channel.ts";
import type { StallOutcome, StallWatch } from "../../src/ports/stall-watch.ts";
import type { Exchange, Step } from "../../src/replication/exchange.ts";
import { SyncPeer } from "../../src/replication/sync-peer.ts";
import type { EngineFaults } from "../../src/simulation/ports/sim-engine.ts";
import { FilteredChannel, filteredPair } from "../coordinator/filtered-channel.ts";
import { Pair, type PairSettings } from "../coordinator/pair.ts";
import { AWAKE, buildRig } from "../actors/rig.ts";
import { sampleHeartbeat } from "../core/sample-messages.ts";
import { FeedStage } from "../outbox/feed-stage.ts";
import type { VirtualClock } from "../support/virtual-clock.ts";

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
  // Before the loser asks again, which would begin it again as well.
  await pair.until(() => channels.b.count("divergence-request") > 1, 1_500);
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
    const lock = new ReconcileLock(rig.kit, { book: { accepted: 3 }, monitor: { state: "alive" }, onLost });
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

/** An engine that watches its peer, and its own pulse. */
function watching(
  play: (watching: {
    readonly monitor: PeerMonitor;
    readonly rig: ReturnType<typeof buildRig>;
    readonly hear: (n: number) => void;
  }) => Promise<void>,
): Play {
  return async (rules) => {
    const rig = buildRig({ rules });
    const { kit, clock } = rig;
    const pulse = new Pulse(kit, { onBeat: () => undefined, onPause: () => monitor.forgive() });
    const monitor = new PeerMonitor(kit, new Votes(kit), { pulse, onChange: () => undefined });
    monitor.forgive();
    pulse.start();
    const hear = (n: number): void =>
      void monitor.take({ ...sampleHeartbeat, label: "b", echo: null, n }, clock.monoMs());
    await play({ monitor, rig, hear });
    pulse.stop();
  };
}

export const hearsItsPeer = watching(async ({ monitor, rig, hear }) => {
  for (let n = 1; n <= 10; n += 1) {
    hear(n);
    await rig.clock.pass(200);
  }
  expect(monitor.state).toBe("alive");
});

export const missesItsPeer = watching(async ({ monitor, rig, hear }) => {
  hear(1);
  await rig.clock.pass(300);
  expect(monitor.state).toBe("suspect");
  await rig.clock.pass(300);
  expect(monitor.state).toBe("silent");
});

export const neverMeetsItsPeer = watching(async ({ monitor, rig }) => {
  await rig.clock.pass(600);
  expect(monitor.state).toBe("silent");
});

/** It sleeps for longer than its peer may be silent, and its peer dies meanwhile. */
export const forgivesItsOwnSleep = watching(async ({ monitor, rig, hear }) => {
  hear(1);
  await rig.clock.pass(250);
  rig.clock.freeze(5_000);
  await rig.clock.pass(299);
  expect(monitor.alive).toBe(true);
  await rig.clock.pass(301);
  expect(monitor.state).toBe("silent");
});

export const believesTheWatch = watching(async ({ monitor, rig, hear }) => {
  hear(1);
  await rig.clock.pass(500);
  monitor.vouched();
  await rig.clock.pass(299);
  expect(monitor.state).toBe("alive");
});

export const provesADeath = watching(async ({ monitor, rig, hear }) => {
  hear(1);
  rig.probed = "refused";
  await monitor.probe(() => undefined);
  expect(monitor.state).toBe("dead");
});

export const doubtsItsProof = watching(async ({ monitor, rig }) => {
  rig.probed = "refused";
  await monitor.probe(() => undefined);
  monitor.linkUp();
  expect(monitor.state).not.toBe("dead");
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

/** A follower that was away has three commands to take from the log. */
export const takesTheLog = onStage({}, async ({ pair }) => {
  await pair.stop("b");
  for (const source of ["CAM 1", "CAM 2", "CAM 3"]) await pair.submit("a", source);
  await pair.start("b");
  await pair.until(() => pair.of("b").ready(), 1_500);
});

/** The log of the leader no longer reaches back to where the follower stands. */
export const takesASnapshot = onStage({ commands: { keep: 10, checkpointEvery: 5 } }, async ({ pair }) => {
  await pair.stop("b");
  const commands = Array.from({ length: 30 }, (_, index) =>
    pair.of("a").submit({ kind: "POST /switch/cut", payload: { source: `CAM ${index}` } }),
  );
  await pair.untilDone(Promise.all(commands));
  await pair.clock.pass(300);
  pair.member("a").store.compact(20, 0);
  await pair.start("b");
  await pair.until(() => pair.of("b").ready(), UNTIL_MS);
});

/** An engine whose log has parted from the leader's says so, and is handed no role. */
export const saysThatItReconciles = parted({}, async ({ pair, channels }) => {
  channels.b.lost.add("divergence-request");
  pair.wire.mend("red");
  await pair.until(() => channels.b.count("divergence-request") > 0, UNTIL_MS);
  await pair.clock.pass(100);
  expect(pair.of("a").state().syncState).toBe("reconciling");
});

/** What the leader sends first is lost. */
export const asksAgainWithout = (type: "catch-up-plan" | "catch-up-page"): Play =>
  onStage({}, async ({ pair, channels }) => {
    await pair.stop("b");
    await pair.submit("a", "CAM 1");
    channels.a.lost.add(type);
    await pair.start("b");
    await pair.until(() => channels.a.count(type) > 1, UNTIL_MS);
    channels.a.lost.clear();
    await pair.until(() => pair.of("b").ready(), UNTIL_MS);
  });

interface Following {
  readonly catchUp: CatchUp;
  readonly clock: VirtualClock;
  /** What it has asked its leader. */
  readonly requests: () => readonly CatchUpRequest[];
  /** Through here the leader has its log, as the executor was told. */
  readonly confirmed: () => number;
  readonly hear: () => void;
  readonly plan: (by: CatchUpPlan["by"]) => void;
  /** A page that follows on the log, or one that does not. */
  readonly page: (follows: boolean) => void;
}

/** One follower, whose leader is played. */
function following(play: (following: Following) => Promise<void> | void): Play {
  return async (rules) => {
    const rig = buildRig({ rules });
    let outcome: "appended" | "gap" = "appended";
    const log = { position: { epoch: 1, seq: 9 }, clock: {}, append: () => outcome };
    let confirmed = 0;
    const executor = { executedSeq: 0, enqueue: () => undefined, confirm: (seq: number) => (confirmed = seq) };
    const catchUp = new CatchUp(rig.kit, {
      ...({ book: { accepted: 1 }, snapshots: null, log, executor } as unknown as CatchUpDeps),
      ...{ send: (message) => rig.channel.send(message), onAsked: () => undefined, onReady: () => undefined },
    });
    const requests = (): readonly CatchUpRequest[] => rig.sent("catch-up-request");
    const asked = (): { requestId: RequestId; epoch: number } => ({
      ...{ requestId: requests().at(-1)?.requestId ?? makeId("request", "none"), epoch: 1 },
    });
    await play({
      ...{ catchUp, clock: rig.clock, requests, confirmed: () => confirmed },
      hear: () => catchUp.hear({ log: log.position } as Heartbeat),
      plan: (by) => catchUp.takePlan({ type: "catch-up-plan", ...asked(), by, fromSeq: 0, toSeq: 9 }),
      page: (follows) => {
        outcome = follows ? "appended" : "gap";
        catchUp.takePage({ type: "catch-up-page", ...asked(), prev: log.position, commands: [], done: false });
      },
    });
    catchUp.stop();
  };
}

/** The new leader begins with the log that it was given. */
export const followsWhomItHandedOverTo = following(({ catchUp, requests, confirmed, hear }) => {
  catchUp.leading();
  catchUp.handedOver();
  hear();
  expect(catchUp.sync).toBe("ready");
  // What it had accepted and not executed waits for no next command.
  expect(confirmed()).toBe(9);
  expect(requests()).toEqual([]);
});

/** Pages that come slowly. */
export const takesPages = following(async ({ catchUp, clock, hear, plan, page }) => {
  hear();
  plan("log");
  for (let taken = 0; taken < 5; taken += 1) {
    await clock.pass(600);
    page(true);
  }
  expect(catchUp.machineValue).toBe("replaying");
});

/** A follower that lacks nothing, but whose engine has lost its state. */
export const comparesForItsEngine = following(({ catchUp, requests, hear, plan }) => {
  hear();
  plan("nothing");
  catchUp.compare(true);
  expect(requests().map(({ wantSnapshot }) => wantSnapshot)).toEqual([false, true]);
});

/** Pages that do not follow, as often as `follows` says; which requests were for the whole state. */
function failing(follows: readonly boolean[], asksForAll: boolean): Play {
  return following(({ requests, hear, plan, page }) => {
    for (const each of follows) {
      hear();
      plan("log");
      page(each);
    }
    hear();
    plan("log");
    expect(requests().at(-1)?.wantSnapshot).toBe(asksForAll);
  });
}

export const asksForAll = failing([false, false, false], true);
export const forgetsFailures = failing([false, false, true, false], false);

export const asksForAllAfterAFlaw = following(({ catchUp, requests, hear, plan }) => {
  catchUp.foundFlaw("a clock above its content");
  hear();
  plan("log");
  expect(requests().map(({ wantSnapshot }) => wantSnapshot)).toEqual([false, true]);
});

/** Nothing follows on the plan. */
export const asksAgainAfter = (by: "snapshot" | "reconcile"): Play =>
  following(async ({ clock, requests, hear, plan }) => {
    hear();
    plan(by);
    await clock.pass(5_000);
    hear();
    expect(requests()).toHaveLength(2);
  });

export const asksForAllAgain = following(async ({ catchUp, clock, requests, hear, plan }) => {
  catchUp.foundFlaw("a clock above its content");
  hear();
  plan("log");
  await clock.pass(5_000);
  hear();
  plan("log");
  expect(requests().map(({ wantSnapshot }) => wantSnapshot)).toEqual([false, true, false, true]);
});

/** What came is no snapshot: asked for again, but only after a while. */
export const backsOff = following(async ({ catchUp, clock, requests, hear, plan }) => {
  catchUp.foundFlaw("a clock above its content");
  hear();
  plan("log");
  plan("snapshot");
  const { requestId = makeId("request", "none") } = requests().at(-1) ?? {};
  const piece = { index: 0, last: true, text: "no snapshot", lock: null };
  catchUp.takePiece({ type: "snapshot-piece", requestId, epoch: 1, ...piece });
  await clock.pass(100);
  hear();
  expect(requests()).toHaveLength(2);
  await clock.pass(60_000);
  hear();
  expect(requests()).toHaveLength(3);
});

/** A follower without its leader does not know whether it lacks something. */
export const doubtsItselfAlone = onStage({ failover: { deathProof: "none" } }, async ({ pair }) => {
  pair.wire.cut("red");
  await pair.until(() => pair.of("b").state().syncState === "starting", 2_000);
});

export const leads = onStage({}, async ({ pair }) => {
  expect([pair.of("a").state().syncState, pair.of("a").ready()]).toEqual(["ready", true]);
});

/** What was granted away is not used any more, even if nobody hears of the grant. */
export const restsAfterItsGrant = onStage({}, async ({ pair, channels }) => {
  channels.a.lost.add("handover-grant");
  void pair.of("a").handover(HAND_OVER);
  await pair.until(() => channels.a.count("handover-grant") > 0, UNTIL_MS);
  expect(pair.of("a").mayAct()).toBe(false);
});

/** Whoever starts an engine is answered, and it runs. */
export const starts: Play = async (rules) => {
  const pair = new Pair({ rules });
  let isAnswered = false;
  void pair.start("a").then(() => (isAnswered = true));
  await pair.until(() => isAnswered, 1_000);
  await pair.until(() => pair.of("a").mayAct(), UNTIL_MS);
};

/** A leader is stopped: it hands over and closes what it has. */
export const stops = onStage({}, async ({ pair }) => {
  await pair.stop("a");
  expect(pair.of("b").mayAct()).toBe(true);
  expect(pair.member("a").closed.sort()).toEqual(["clock", "engine", "switch"]);
});

/** A chart breaks: its engine says so to its process, and does not go on. */
export const endsWithABrokenChart: Play = async (rules) => {
  let isBroken = false;
  const receives: Rules["receives"] = (chart, event) => {
    if (isBroken && chart === "catch-up") throw new Error("this chart is broken");
    return rules.receives?.(chart, event) ?? true;
  };
  const pair = await Pair.started({ rules: { ...rules, receives } });
  isBroken = true;
  pair.wire.cut("red");
  await expect(pair.until(() => false, 2_000)).rejects.toThrow("this chart is broken");
  const states = (["a", "b"] as const).map((label) => pair.of(label).state().machines["pair"]);
  expect(states).toContain("failed");
};

export const stopsWithItsListener = onStage({}, async ({ pair }) => {
  pair.of("a").listenerLost("the port is gone");
  await pair.until(() => pair.of("a").state().role === "follower", 1_000);
});

/** The loop of a leader stands still, and nobody knows what became of the offer of its role; then the same of the next one. */
export const leadsAgainAfterAStall: Play = async (rules) => {
  const watches: Partial<Record<Label, OfferedRole>> = {};
  const wrapPorts = (ports: CoordinatorPorts, label: Label): CoordinatorPorts => {
    watches[label] = new OfferedRole();
    return { ...ports, stallWatch: watches[label] };
  };
  const pair = await Pair.started({ rules, wrapPorts });
  for (let stalls = 0; stalls < 2; stalls += 1) {
    const leader = pair.of("a").mayAct() ? "a" : "b";
    const { epoch } = pair.of(leader).state();
    watches[leader]?.offer(epoch);
    await pair.until(() => (["a", "b"] as const).some((label) => pair.of(label).mayAct()), UNTIL_MS);
    const next = pair.of("a").mayAct() ? "a" : "b";
    expect(pair.of(next).state().epoch).toBeGreaterThan(epoch);
    await pair.until(() => pair.of("a").ready() && pair.of("b").ready(), UNTIL_MS);
  }
};

/** A watch that has offered the role, and got no answer. */
class OfferedRole implements StallWatch {
  gaveAway = false;
  #onOutcome: (outcome: StallOutcome) => void = () => undefined;

  open(_self: PeerHello, onOutcome: (outcome: StallOutcome) => void): void {
    this.#onOutcome = onOutcome;
  }

  offer(epoch: number): void {
    this.gaveAway = true;
    this.#onOutcome({ epoch, stoodMs: 300, taken: null, detail: "the peer gave no answer" });
  }

  lead(): void {}

  rest(): void {
    this.gaveAway = false;
  }

  async close(): Promise<void> {}
}

/** A short cut of the only link: nobody votes for the leader, then the peer does again. */
export const saysWhoVotes = onStage({ witness: false }, async ({ pair }) => {
  pair.wire.cut("red");
  await pair.until(() => pair.alarm("a", "unconfirmed"), 2_000);
  pair.wire.mend("red");
  await pair.until(() => !pair.alarm("a", "unconfirmed"), 2_000);
  expect(pair.of("a").state()).toMatchObject({ role: "leader", epoch: 1 });
});

/** A person takes the role from a leader that does not answer, and may still count a vote. */
export const outlastsTheLeader = onStage({ failover: { policy: "consistency" } }, async ({ pair, channels }) => {
  channels.b.lost.add("handover-request");
  void pair.of("b").forceLeader({ ...FORCED, acceptDualAir: false });
  await pair.until(() => pair.of("b").mayAct(), UNTIL_MS);
});

/** An engine beside its coordinator, and what the coordinator makes of its signs. */
function kept(
  play: (kept: { keeper: EngineKeeper; faults: EngineFaults; readonly show: (sign: EngineSign) => void }) => void,
): Play {
  return async (rules) => {
    const rig = buildRig({ rules });
    let show: (sign: EngineSign) => void = () => undefined;
    Object.assign(rig.kit.ports.engine, { watch: (listener: typeof show) => void (show = listener) });
    const { ports, alarms } = rig.kit;
    const guard = new EngineGuard({ engine: ports.engine, clock: rig.clock, alarms });
    const resume = (): void => undefined;
    const keeper = new EngineKeeper(
      { ...rig.kit, ports: { ...ports, engine: guard } },
      {
        executor: {
          ...{ executedSeq: 9, confirmedSeq: 9, resets: 0, resetTo: resume, goOnThrough: resume },
          hold: async () => resume,
          suspend: () => resume,
          reached: async () => undefined,
        },
        monitor: new PeerMonitor(rig.kit, new Votes(rig.kit), { pulse: AWAKE, onChange: () => undefined }),
        restraints: new Restraints(rig.kit),
        catchUp: { compare: resume, machineValue: "ready" },
        ...{ leads: () => true, handoverUnderWay: () => false, offer: resume },
      },
      guard,
    );
    keeper.start();
    play({ keeper, faults: rig.faults, show: (sign) => show(sign) });
  };
}

const line = (seq: number): EngineSign => ({ type: "line", instance: "one", position: { epoch: 1, seq } });

export const isWell = kept(({ keeper, show }) => {
  show(line(9));
  expect(keeper.machineValue).toBe("well");
});

export const isGone = kept(({ keeper, show }) => {
  show({ type: "refused" });
  expect(keeper.trusted).toBe(false);
});

export const stands = kept(({ keeper, show }) => {
  show({ type: "silent", why: "no line" });
  expect(keeper.trusted).toBe(false);
});

export const hasFailed = kept(({ keeper, faults }) => {
  faults.health = "failed";
  keeper.look();
  expect(keeper.machineValue).toBe("failed");
});

export const isRestored = kept(({ keeper, show }) => {
  show(line(9));
  show({ type: "line", instance: "two", position: null });
  expect(keeper.machineValue).toBe("restoring");
  keeper.installed(true);
  expect(keeper.machineValue).toBe("well");
});

interface Exchanging {
  readonly peer: SyncPeer;
  readonly clock: VirtualClock;
  /** The steps that were begun, in order. */
  readonly steps: string[];
}

const INTERVAL_MS = 1_000;
const FAILED = { outcome: "failed", reason: "other", error: null, op: null, traceId: null } as const;
const MISMATCH = { ...FAILED, reason: "identity_mismatch" } as const;

/** A spoke and what it does with its hub. `ends`: how its first steps end; the others are `done`. */
function exchanging(given: readonly Step[], play: (exchanging: Exchanging) => Promise<void>): Play {
  return async (rules) => {
    const { kit, clock } = buildRig({ rules });
    const steps: string[] = [];
    const ends = [...given];
    const did = async (step: string): Promise<Step> => {
      steps.push(step);
      return ends.shift() ?? { outcome: "done" };
    };
    const exchange = {
      ...{ progress: null, identify: () => did("identify") },
      ...{ pullPage: () => did("pull"), pushPage: () => did("push") },
    } as unknown as Exchange;
    const host = { ...kit, random: kit.ports.random, logger: kit.ports.logger };
    const peer = new SyncPeer({ host, exchange }, { name: "hub", intervalMs: INTERVAL_MS, pushes: true });
    peer.start();
    await clock.turn();
    await play({ peer, clock, steps });
    peer.stop();
  };
}

export const exchanges = exchanging([{ outcome: "done" }, { outcome: "more" }], async ({ clock, steps }) => {
  expect(steps).toEqual(["identify", "pull", "pull", "push"]);
  await clock.pass(2 * INTERVAL_MS);
  expect(steps.length).toBeGreaterThan(4);
});

export const exchangesAgainAfterAFailure = exchanging([{ outcome: "done" }, FAILED], async ({ clock, steps }) => {
  expect(steps).toEqual(["identify", "pull"]);
  await clock.pass(20 * INTERVAL_MS);
  expect(steps).toContain("push");
});

export const refusesAStranger = exchanging([MISMATCH], async ({ peer, clock }) => {
  let told = false;
  void peer.exchangeNow().then(() => (told = true));
  await clock.turn();
  expect(told).toBe(true);
});

export const trustsAfterAReset = exchanging([MISMATCH], async ({ peer, clock, steps }) => {
  peer.reset();
  await clock.turn();
  expect(steps).toContain("push");
});

export const pauses = exchanging([], async ({ peer, clock, steps }) => {
  peer.pause();
  void peer.exchangeNow();
  await clock.pass(5 * INTERVAL_MS);
  expect(steps).toHaveLength(3);
});

export const resumes = exchanging([], async ({ peer, clock, steps }) => {
  peer.pause();
  peer.resume();
  await clock.turn();
  expect(steps).toHaveLength(6);
});

/** Both engines publish to a feed; `a` is on air. */
function publishing(play: (stage: FeedStage) => Promise<void>): Play {
  return async (rules) => {
    const stage = new FeedStage({ rules });
    await stage.onAir("a");
    await play(stage);
  };
}

const pumpOf = (stage: FeedStage): string => stage.coordinator("a").outbox().pump;

export const publishes = publishing(async (stage) => {
  for (let count = 0; count < 2; count += 1) {
    await stage.submit("a");
    await stage.published(3_000);
    await stage.run(500);
  }
  expect(pumpOf(stage)).toBe("idle");
});

/** The sink is away for the first try. */
export const triesTheSinkAgain = publishing(async (stage) => {
  stage.sink.faultOf = () => "unavailable";
  await stage.submit("a");
  await stage.until("it waits", () => pumpOf(stage) === "backingOff", 2_000);
  delete stage.sink.faultOf;
  // Long before the tick that looks for what waits.
  await stage.published(120);
});

/** The sink never answers; the role goes there and back. */
export const publishesInTheNextLeadership = publishing(async (stage) => {
  stage.sink.delayMs = () => 10_000_000;
  await stage.submit("a");
  await stage.run(1_500);
  delete stage.sink.delayMs;
  await stage.onAir("b");
  await stage.run(1_500);
  await stage.onAir("a");
  await stage.submit("a");
  await stage.published(10_000);
});

/** The sink is slow when the engine stops. */
export const stopsInTime = publishing(async (stage) => {
  stage.sink.delayMs = () => 300;
  await stage.submit("a");
  await stage.run(20);
  let stopped = false;
  void stage
    .coordinator("a")
    .stop()
    .then(() => (stopped = true));
  await stage.until("it has stopped", () => stopped, 700);
});
