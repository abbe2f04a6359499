/**
 * Purpose: the heartbeat, written and read [HB1].
 * Keeps true: a vote is given only to a leader of the accepted epoch, and is a promise from that moment on [VT2].
 */
import { otherLabel } from "../core/ids.ts";
import type { Heartbeat, PeerMessage, SyncState } from "../core/messages.ts";
import type { CommandLog } from "./command-log.ts";
import type { Executor } from "./executor.ts";
import type { Kit } from "./kit.ts";
import type { ProgrammeClock } from "./programme-clock.ts";
import type { HeartbeatVote } from "./votes.ts";
import type { Succession } from "./succession.ts";

export interface HeartbeatDeps {
  readonly succession: Succession;
  readonly log: CommandLog;
  readonly executor: Executor;
  readonly programmeClock: ProgrammeClock;
  sync(): SyncState;
  send(message: PeerMessage): boolean;
  /** Heartbeat `n` is on its way. */
  onSent(n: number): void;
  /** A heartbeat of the leader that this engine follows. */
  onLeader(heartbeat: Heartbeat): void;
  /** The peer is heard, and does not lead. */
  onFollower(heartbeat: Heartbeat): void;
}

export class Heartbeats {
  readonly #kit: Kit;
  readonly #deps: HeartbeatDeps;
  #n = 0;
  #vote: HeartbeatVote | null = null;

  constructor(kit: Kit, deps: HeartbeatDeps) {
    this.#kit = kit;
    this.#deps = deps;
  }

  beat(): void {
    this.#n += 1;
    const heartbeat = this.#write();
    this.#deps.succession.votes.heartbeatSent(this.#n, heartbeat.sentAtMonoMs);
    this.#kit.ports.peerChannel.broadcast(heartbeat);
    this.#kit.counters.heartbeatsSent += 1;
    this.#deps.onSent(this.#n);
  }

  hear(heartbeat: Heartbeat, receivedAtMonoMs: number): void {
    const { succession } = this.#deps;
    if (!succession.monitor.take(heartbeat, receivedAtMonoMs)) return;
    const { alarms, options } = this.#kit;
    alarms.set("version-skew", heartbeat.version !== options.version, `the peer runs ${heartbeat.version}`);
    if (succession.restraints.learnMaintenance(heartbeat.maintenance)) succession.maintenanceChanged();
    if (heartbeat.role === "leader") this.#hearLeader(heartbeat, receivedAtMonoMs);
    else this.#hearFollower(heartbeat);
  }

  #hearLeader(heartbeat: Heartbeat, receivedAtMonoMs: number): void {
    const { succession } = this.#deps;
    const { book, leadership, monitor, witness } = succession;
    if (!this.#kit.rules.admitsEpoch(book.accepted, heartbeat.epoch)) {
      this.#deps.send({ type: "stale-epoch", highestEpoch: book.accepted });
      return;
    }
    succession.sawEpoch(heartbeat.epoch);
    // What clients were told counts also where a full disk, or a campaign that may yet be lost, keeps this engine from
    // following the epoch [CP4].
    if (leadership.role !== "leader") succession.judge.told(heartbeat.acknowledged);
    // So does that the role has moved [CP6].
    if (heartbeat.leadership !== null) {
      const { cause, by } = heartbeat.leadership;
      succession.restraints.noteLeadership(heartbeat.epoch, cause, by);
    }
    if (leadership.role !== "follower") return;
    // Whom it hears lead is waited for, also where the disk refuses the epoch and so no vote is given [VT2].
    monitor.promiseUntil(receivedAtMonoMs + succession.judge.waitMs);
    if (heartbeat.epoch !== book.accepted) return;
    this.#vote = { epoch: heartbeat.epoch, n: heartbeat.n };
    const holder = otherLabel(this.#kit.options.label);
    if (heartbeat.witnessSeq !== null) {
      witness.sightByHeartbeat({ holder, epoch: heartbeat.epoch, seq: heartbeat.witnessSeq }, receivedAtMonoMs);
    }
    this.#deps.onLeader(heartbeat);
  }

  #hearFollower(heartbeat: Heartbeat): void {
    const { succession } = this.#deps;
    const { book, leadership, votes } = succession;
    succession.peerNamed(heartbeat.epoch, heartbeat.role);
    const { vote } = heartbeat;
    if (vote !== null && leadership.role === "leader" && !leadership.steppingDown && vote.epoch === book.accepted) {
      votes.peerVoted(vote.n);
    }
    if (heartbeat.sync === "ready") succession.followerReady(heartbeat.epoch);
    this.#deps.onFollower(heartbeat);
  }

  #write(): Heartbeat {
    const { ports, options, self } = this.#kit;
    const { succession, log, executor } = this.#deps;
    const { book, leadership, monitor, witness, restraints } = succession;
    const { last } = monitor;
    const follows = leadership.role === "follower";
    return {
      type: "heartbeat",
      n: this.#n,
      engineId: self.engineId,
      incarnation: self.incarnation,
      label: options.label,
      version: self.version,
      role: leadership.role,
      epoch: book.accepted,
      clock: log.clock,
      witnessSeq: witness.sentSeq,
      log: log.position,
      acknowledged: log.acknowledged,
      lastExecutedSeq: executor.executedSeq,
      programSource: ports.engine.programSource(),
      // An engine that has given up leading is no backup, whatever its engine says.
      health: leadership.retired ? "failed" : ports.engine.health(),
      sync: this.#deps.sync(),
      maintenance: restraints.maintenance,
      leadership: leadership.origin,
      witnessReachable: witness.reachable,
      sentAtMonoMs: this.#kit.nowMs(),
      sentAtUnixUs: this.#deps.programmeClock.ownUs(ports.clock.monoMs()),
      wallUnixMs: ports.clock.unixMs(),
      echo:
        last === null
          ? null
          : {
              n: last.heartbeat.n,
              receivedAtMonoMs: last.receivedAtMonoMs,
              receivedAtUnixUs: this.#deps.programmeClock.ownUs(last.receivedAtMonoMs),
            },
      vote: follows && this.#vote?.epoch === book.accepted ? this.#vote : null,
    };
  }
}
