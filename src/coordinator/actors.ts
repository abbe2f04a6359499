/**
 * All actors of one coordinator, joined: who hears of what.
 * It does not know lifecycle and the calls from outside (`pair-coordinator.ts`), messages (`dispatch.ts`).
 */
import type { Mover } from "../../machines/campaign.machine.ts";
import { CatchUpSource } from "../actors/catch-up-source.ts";
import { CatchUp } from "../actors/catch-up.ts";
import { CommandLog, type CommandLogDeps } from "../actors/command-log.ts";
import { commandConflicts, standingAfterAll } from "../actors/conflict-book.ts";
import { Comparison } from "../actors/comparison.ts";
import type { EngineGuard } from "../actors/engine-guard.ts";
import { EngineKeeper, whyNoBackup } from "../actors/engine-keeper.ts";
import { Executor } from "../actors/executor.ts";
import { Handover, type HandoverResult } from "../actors/handover.ts";
import { Heartbeats } from "../actors/heartbeats.ts";
import type { Kit } from "../actors/kit.ts";
import type { RoleMove } from "../actors/leadership.ts";
import { Loser } from "../actors/loser.ts";
import { PeerIdentities } from "../actors/peer-identities.ts";
import { PlannedMoves } from "../actors/planned-moves.ts";
import { ProgrammeClock } from "../actors/programme-clock.ts";
import { ReconcileLock } from "../actors/reconcile-lock.ts";
import { RoleHooks } from "../actors/role-hooks.ts";
import { Snapshots } from "../actors/snapshots.ts";
import { Requests } from "../actors/requests.ts";
import { SplitBrain } from "../actors/split-brain.ts";
import { Stalls } from "../actors/stalls.ts";
import { Succession, type SuccessionDeps } from "../actors/succession.ts";
import type { Command, LogPosition } from "../core/command.ts";
import { mayActForMs } from "../core/claim.ts";
import { toldMs } from "../replication/renewal.ts";
import type { Replication } from "../replication/replication.ts";
import { otherLabel, type EngineId, type Label } from "../core/ids.ts";
import type { Heartbeat, LeadershipCause, PeerMessage, SyncState } from "../core/messages.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { joinOutbox, joinReplication } from "./join-replication.ts";

/** Commands of one frame at most, so that heartbeats never queue behind one. */
const FRAME_COMMANDS = 128;
/** Conflicts that are told to the peer at most, and in one message. */
const CONFLICTS_TOLD = 1_000;
const CONFLICTS_IN_MESSAGE = 50;

/** Causes for which automation took the role away from an engine that had it. */
const FAILOVERS: ReadonlySet<LeadershipCause> = new Set(["silence", "death-proof", "unhealthy", "blind"]);

/** Heartbeats between two looks at what runs out. */
const QUOTA_BEATS = 10;
/** How long a history that forked is told, ms. */
const FORK_TOLD_MS = 600_000;

export class Actors {
  readonly identities: PeerIdentities;
  readonly succession: Succession;
  readonly heartbeats: Heartbeats;
  readonly log: CommandLog;
  readonly executor: Executor;
  readonly programmeClock: ProgrammeClock;
  readonly snapshots: Snapshots;
  readonly catchUp: CatchUp;
  readonly catchUpSource: CatchUpSource;
  readonly lock: ReconcileLock;
  readonly splitBrain: SplitBrain;
  readonly loser: Loser;
  readonly requests: Requests;
  readonly handover: Handover;
  readonly comparison: Comparison;
  readonly roleHooks: RoleHooks;
  readonly engineKeeper: EngineKeeper;
  readonly plannedMoves: PlannedMoves;
  readonly stalls: Stalls;
  readonly outbox: Outbox;
  readonly replication: Replication;
  #beats = 0;
  readonly #kit: Kit;
  /** The leader that this engine follows or is. */
  leader: Label | null = null;
  /** The last leader was the peer: its timeline is the programme's. */
  #followed = false;

  constructor(kit: Kit, guard: EngineGuard) {
    this.#kit = kit;
    this.identities = new PeerIdentities(kit);
    this.succession = new Succession(kit, this.#successionDeps());
    const { book, leadership, monitor } = this.succession;
    this.programmeClock = new ProgrammeClock(kit, {
      offset: () => monitor.offset,
      wallMs: () => (monitor.alive ? monitor.wallUnixMinusMonoMs : null),
    });
    const { programmeClock } = this;
    this.log = new CommandLog(kit, this.#logDeps());
    const { log } = this;
    this.executor = new Executor(kit, {
      programmeClock,
      role: () => leadership.role,
      mayAct: () => leadership.mayAct(),
      logEndSeq: () => log.position.seq,
      peerThroughSeq: () => (leadership.role === "leader" ? log.peerThroughSeq : 0),
      trusted: () => kit.rules.isPairsState(this.engineKeeper.trusted),
      onGaveUp: (seq, error) => this.engineKeeper.gaveUp(seq, error),
    });
    const { executor } = this;
    this.snapshots = new Snapshots(kit, {
      ...{ book, log, executor, leads: this.#leads },
      trusted: () => kit.rules.isPairsState(this.engineKeeper.trusted),
      onInstalled: (same) => this.engineKeeper.installed(same),
      onUnknown: (why) => this.engineKeeper.lose(why),
    });
    this.lock = new ReconcileLock(kit, { book, monitor, onLost: () => this.splitBrain.lockLost() });
    const shared = { book, log, executor, snapshots: this.snapshots, send: this.#send, leads: this.#leads };
    this.catchUp = new CatchUp(kit, {
      ...shared,
      onAsked: () => this.loser.doubtLock(),
      onReady: () => this.#tellReady(),
    });
    this.splitBrain = new SplitBrain(kit, {
      ...shared,
      lock: this.lock,
      peerToldSeq: () => monitor.last?.heartbeat.acknowledged.seq ?? 0,
      submit: ({ kind, payload }, key) => log.submit({ kind, payload, idempotencyKey: key }),
    });
    this.catchUpSource = new CatchUpSource(kit, {
      ...shared,
      onDivergence: (forkSeq, request) => this.splitBrain.begin(forkSeq, request),
      onAgreement: () => this.splitBrain.agreed(),
    });
    this.loser = new Loser(kit, {
      ...shared,
      follows: () => leadership.role === "follower",
      onEnded: () => this.catchUp.reconciled(),
      onResynced: (why) => this.catchUp.tellResync(why),
    });
    this.requests = new Requests(kit, shared);
    this.handover = new Handover(kit, { ...shared, succession: this.succession, beat: () => this.heartbeats.beat() });
    this.heartbeats = new Heartbeats(kit, {
      ...shared,
      succession: this.succession,
      programmeClock,
      sync: () => this.sync,
      onSent: (n) => this.stalls.sent(n),
      onLeader: (heartbeat) => this.#onLeader(heartbeat),
      onFollower: (heartbeat) => this.#onFollower(heartbeat),
    });
    this.comparison = new Comparison(kit, {
      ...shared,
      peerReady: () => monitor.alive && monitor.last?.heartbeat.sync === "ready",
      trusted: () => kit.rules.isPairsState(this.engineKeeper.trusted),
      onDrift: () => this.engineKeeper.drifted(),
    });
    this.roleHooks = new RoleHooks(kit, {
      mayAct: () => leadership.mayAct(),
      mayActForMs: () => this.#mayActForMs(),
    });
    this.outbox = joinOutbox(kit, { ...shared, succession: this.succession, answeredSeq: () => log.acknowledged.seq });
    this.replication = this.#withOthers();
    this.engineKeeper = this.#keeper(guard);
    this.plannedMoves = new PlannedMoves(kit, {
      ...{ leadership, monitor, restraints: this.succession.restraints },
      acceptedEpoch: () => book.accepted,
      handoverUnderWay: () => this.handover.underWay,
      whyNoBackup: () => this.whyNoBackup,
      offer: (mover) => this.#offerPlanned(mover),
    });
    this.stalls = new Stalls(kit, {
      succession: this.succession,
      sync: () => this.sync,
      handoverUnderWay: () => this.handover.underWay,
      pinned: () => this.identities.pinned,
      onRefused: (refusal, detail) => this.identities.onRefused(refusal, detail),
    });
  }

  get linked(): boolean {
    return this.#kit.ports.peerChannel.links().some((link) => link.up);
  }

  /** How far this engine is in step; one that cannot write falls behind with the next command, so it is not ready. */
  get sync(): SyncState {
    const cannotFollow = this.#kit.alarms.stands("store-failed") && !this.#leads();
    return cannotFollow && this.catchUp.sync === "ready" ? "catching-up" : this.catchUp.sync;
  }

  /** Why the peer could not take the role now [HO5]; null: it could. */
  get whyNoBackup(): string | null {
    return whyNoBackup(this.succession.monitor);
  }

  /** Ends every timer and statechart. */
  stop(): void {
    this.outbox.stop();
    this.#kit.pauses.close();
    this.replication.stop();
    this.comparison.stop();
    this.handover.stop();
    this.splitBrain.stop();
    this.catchUpSource.stop();
    this.catchUp.stop();
    this.lock.stop();
    this.log.stop();
    this.executor.stop();
    this.roleHooks.stop();
    this.identities.stop();
    this.engineKeeper.stop();
    this.succession.stop();
  }

  /** Everything that stands as a conflict, told to the peer, so that both list the same [SB3]. */
  tellConflicts(): void {
    const conflicts = commandConflicts(this.#kit.ports.store, CONFLICTS_TOLD).toReversed();
    const epoch = this.succession.book.accepted;
    for (let start = 0; start < conflicts.length; start += CONFLICTS_IN_MESSAGE) {
      const some = conflicts.slice(start, start + CONFLICTS_IN_MESSAGE);
      this.#kit.ports.peerChannel.send({ type: "conflict-update", epoch, conflicts: some });
    }
  }

  /** Conflicts about commands that stand in this engine's log after all are closed; one may have come from the peer. */
  closeStanding(): void {
    const { store } = this.#kit.ports;
    const closed = standingAfterAll(commandConflicts(store, CONFLICTS_TOLD), store.logShape());
    if (closed.length === 0) return;
    store.saveConflicts(closed);
    for (const conflict of closed) this.#kit.emit({ type: "conflict", conflict });
    const open = store.conflicts(CONFLICTS_TOLD).filter((conflict) => conflict.outcome === "open").length;
    this.#kit.alarms.set("conflicts-open", open > 0, `${open} conflicts wait for a person`);
  }

  readonly #send = (message: PeerMessage): boolean => this.#kit.ports.peerChannel.send(message);
  readonly #leads = (): boolean => this.succession.leadership.role === "leader";

  #successionDeps(): SuccessionDeps {
    return {
      position: () => this.log.position,
      acknowledged: () => this.log.acknowledged,
      clock: () => this.log.clock,
      peerId: () => this.identities.pinnedId,
      refusedByPeer: () => this.identities.refusedByPeer,
      send: this.#send,
      linked: () => this.linked,
      handoverUnderWay: () => this.handover.underWay,
      beat: () => this.heartbeats.beat(),
      onBeat: () => this.#onBeat(),
      onRole: (move) => this.#onRole(move),
      onPeerLost: () => this.#onPeerLost(),
    };
  }

  #logDeps(): CommandLogDeps {
    const { book, leadership, monitor } = this.succession;
    return {
      mayAct: () => leadership.mayAct(),
      epoch: () => book.accepted,
      highestEpoch: () => book.highest,
      peerFollows: () => monitor.alive && this.linked,
      programmeTimeUs: () => this.programmeClock.nowUs(this.#kit.self.engineId),
      jitterMs: () => this.programmeClock.jitterMs,
      onAnswered: () => this.outbox.answered(),
      onStoreFailed: () => this.engineKeeper.look(),
      onAccepted: (prev, commands) => this.#replicate(prev, commands),
    };
  }

  #keeper(guard: EngineGuard): EngineKeeper {
    const { monitor, restraints } = this.succession;
    return new EngineKeeper(
      this.#kit,
      {
        ...{ monitor, restraints, executor: this.executor, catchUp: this.catchUp },
        leads: this.#leads,
        handoverUnderWay: () => this.handover.underWay,
        offer: (reason) => this.#offerRole(reason),
      },
      guard,
    );
  }

  #withOthers(): Replication {
    const { book, monitor } = this.succession;
    return joinReplication(this.#kit, {
      epoch: () => book.accepted,
      send: this.#send,
      peerId: (): EngineId | null => monitor.last?.heartbeat.engineId ?? null,
      recorded: (op) => this.outbox.recorded(op),
    });
  }

  #tellReady(): void {
    if (this.catchUp.sync !== "ready" || this.#leads()) return;
    this.heartbeats.beat();
    // The winner of a split may have died before anybody else had what it saved.
    this.tellConflicts();
    this.closeStanding();
  }

  #offerRole(reason: string): void {
    const requestId = this.#kit.ports.ids.next("request");
    void this.handover.offer(requestId, { cause: "unhealthy", by: "automation", reason });
  }

  async #offerPlanned(mover: Mover): Promise<HandoverResult> {
    const requestId = this.#kit.ports.ids.next("request");
    const result = await this.handover.offer(requestId, mover);
    const { by, reason } = mover;
    this.requests.record({ requestId, by, reason, mode: "handover", answer: result });
    return result;
  }

  #onBeat(): void {
    this.programmeClock.watch();
    this.engineKeeper.look();
    this.plannedMoves.look();
    this.roleHooks.beat();
    this.executor.kick();
    this.replication.pair.beat();
    this.requests.beat();
    const { monitor } = this.succession;
    this.replication.peerClock(monitor.alive ? monitor.wallUnixMinusMonoMs : null);
    this.#tellClock();
    this.#tellQuota();
    this.#forgetForks();
  }

  #tellQuota(): void {
    this.#beats += 1;
    if (this.#beats % QUOTA_BEATS !== 0) return;
    const near = this.replication.quotaNear();
    this.#kit.alarms.set("quota-near", near !== null, `${near ?? ""}: no further one is taken after that`);
  }

  /** A fork that was healed stays an alarm for a while, so that a person sees it; one that was not is raised again. */
  #forgetForks(): void {
    const { alarms, ports } = this.#kit;
    if (!alarms.stands("history-forked")) return;
    const since = alarms.list().find(({ code }) => code === "history-forked")?.since ?? 0;
    if (Math.abs(ports.clock.unixMs() - since) < FORK_TOLD_MS) return;
    alarms.clear("history-forked");
    this.replication.history.forget();
  }

  /** What a wrong clock means for records; commands are ordered by their log and go on [CK4]. */
  #tellClock(): void {
    const wrongMs = this.replication.clockWrongMs();
    const ahead = wrongMs === null ? "" : toldMs(wrongMs);
    this.#kit.alarms.set(
      "clock-wrong",
      wrongMs !== null,
      `stamps of this engine are ${ahead} ahead of the clocks of all others, which cannot take its records: writing one ` +
        "gets 503 clock_wrong, commands go on; set the clock of this host right (NTP, PTP)",
    );
  }

  #mayActForMs(): number {
    const { leadership, votes } = this.succession;
    const { policy, leaseMs } = this.#kit.failover;
    const { peerMs, witnessMs } = votes.left(this.#kit.nowMs());
    return mayActForMs({ mayAct: leadership.mayAct(), policy, votesLeftMs: Math.max(peerMs, witnessMs), leaseMs });
  }

  #replicate(prev: LogPosition, commands: readonly Command[]): void {
    const epoch = this.succession.book.accepted;
    let after = prev;
    for (let start = 0; start < commands.length; start += FRAME_COMMANDS) {
      const frame = commands.slice(start, start + FRAME_COMMANDS);
      this.#kit.ports.peerChannel.send({ type: "replicate", epoch, prev: after, commands: frame });
      const last = frame.at(-1);
      if (last !== undefined) after = { epoch: last.epoch, seq: last.seq };
    }
    this.executor.enqueue(commands, true);
  }

  #onRole(move: RoleMove): void {
    if (move.role !== move.previousRole) this.#kit.counters.roleChanges += 1;
    const { label } = this.#kit.options;
    if (move.role === "leader" && move.previousRole !== "leader") {
      if (this.#followed) this.programmeClock.continuePeers();
      this.#followed = false;
      this.leader = label;
      this.log.beginLeading();
      // What the leader before had executed may not be in this log.
      this.executor.leaderExecuted(0);
      this.catchUp.leading();
      if (move.origin !== null) {
        const { cause, by } = move.origin;
        this.succession.restraints.noteLeadership(move.epoch, cause, by);
        if (FAILOVERS.has(cause)) this.#kit.counters.automaticFailovers += 1;
      }
    }
    if (move.role !== "leader" && move.previousRole === "leader") {
      this.leader = null;
      this.log.stopLeading();
      this.executor.doubt();
      this.catchUpSource.stop();
      this.splitBrain.demoted();
      if (this.handover.gaveAway(move.epoch)) this.catchUp.handedOver();
      else this.catchUp.leaderLost();
      this.handover.relieved(move.epoch);
    }
    this.stalls.roleMoved();
    this.roleHooks.moved(move);
    this.outbox.roleMoved(move.role === "leader");
    this.#kit.emit({
      type: "role",
      role: move.role,
      epoch: move.epoch,
      // Who was leader before has only gone on, under a new epoch or after an offer that came to nothing.
      cause: move.previousRole === "leader" ? null : (move.origin?.cause ?? null),
      tookMs: move.previousRole === "leader" ? 0 : (move.origin?.tookMs ?? 0),
      atUnixMs: this.#kit.ports.clock.unixMs(),
    });
    this.#kit.ports.logger.info({ role: move.role, epoch: move.epoch, cause: move.origin?.cause }, "role moved");
    if (move.role !== "candidate") this.heartbeats.beat();
    this.executor.kick();
  }

  #onLeader(heartbeat: Heartbeat): void {
    this.leader = heartbeat.label;
    this.#followed = true;
    this.roleHooks.peerLeads(heartbeat);
    this.plannedMoves.peerLeads(heartbeat.epoch);
    this.catchUp.hear(heartbeat);
    this.executor.leaderExecuted(heartbeat.lastExecutedSeq);
  }

  #onFollower(heartbeat: Heartbeat): void {
    this.plannedMoves.heardFollower(heartbeat);
    if (this.leader === heartbeat.label) {
      this.leader = null;
      this.catchUp.leaderLost();
    }
  }

  #onPeerLost(): void {
    if (this.leader === otherLabel(this.#kit.options.label)) this.leader = null;
    this.log.peerGone();
    this.splitBrain.linkLost();
    this.loser.doubtLock();
    if (this.succession.leadership.role === "follower") this.catchUp.leaderLost();
  }
}
