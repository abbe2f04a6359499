/** What the coordinator tells of itself, read at the moment of the question; nothing here changes anything. */
import type { Kit } from "../actors/kit.ts";
import { roundTripMs } from "../core/failure-detector.ts";
import type { Json } from "../core/canonical-json.ts";
import { otherLabel } from "../core/ids.ts";
import { REMEDIES } from "../core/remedies.ts";
import type { Health } from "../core/messages.ts";
import type { Actors } from "./actors.ts";
import type { WaitVerdict } from "../../machines/leadership.machine.ts";
import type { Readiness, CoordinatorState, PeerHealthReport, SyncHealthReport } from "./types.ts";

/** Alarms that mean that this engine itself is not whole. */
const DEGRADING = new Set([
  "store-failed",
  "engine-hook",
  "engine-foreign",
  "engine-hook-slow",
  "loop-stalled",
  "split-brain",
  "state-drift",
  "commands-late",
]);

const NOT_WAITING = { reasons: [], untilMs: null } as const;
const READY: Readiness = { ready: true, ...NOT_WAITING };

function notReady(reason: string): Readiness {
  return { ready: false, reasons: [reason], untilMs: null };
}

export class Reports {
  readonly #kit: Kit;
  readonly #actors: Actors;
  readonly #startedAtMs: number;
  lastPongSentUs = 0;

  constructor(kit: Kit, actors: Actors) {
    this.#kit = kit;
    this.#actors = actors;
    this.#startedAtMs = kit.nowMs();
  }

  get health(): Health {
    const engine = this.#kit.ports.engine.health();
    if (engine !== "ok") return engine;
    return this.#kit.alarms.list().some((alarm) => DEGRADING.has(alarm.code)) ? "degraded" : "ok";
  }

  peerHealth(): PeerHealthReport {
    const { succession, log } = this.#actors;
    return {
      status: this.health,
      uptimeMs: this.#uptimeMs,
      programSource: this.#kit.ports.engine.programSource(),
      lastCommandSeq: log.position.seq,
      engineLabel: this.#kit.options.label,
      epoch: succession.book.accepted,
      role: succession.leadership.role,
    };
  }

  syncHealth(): SyncHealthReport {
    const { succession, log, executor, programmeClock } = this.#actors;
    return {
      clockSync: programmeClock.reading(),
      lastCommandSeq: log.position.seq,
      lastExecutedSeq: executor.executedSeq,
      lastExecutedErr: executor.lastError,
      lateCommands: this.#kit.counters.commandsLate,
      uptimeMs: this.#uptimeMs,
      lastPongSentUs: this.lastPongSentUs,
      syncState: this.#actors.sync,
      epoch: succession.book.accepted,
      clock: log.clock,
    };
  }

  state(): CoordinatorState {
    const { succession, log, executor } = this.#actors;
    const { leadership, book, votes, restraints } = succession;
    const now = this.#kit.nowMs();
    const { options, self } = this.#kit;
    return {
      pair: options.pair,
      engineLabel: options.label,
      engineId: self.engineId,
      version: options.version,
      policy: this.#kit.failover.policy,
      role: leadership.role,
      epoch: book.accepted,
      mayAct: leadership.mayAct(),
      confirmedBy: leadership.role === "leader" ? votes.confirmedBy(now) : "none",
      leader: this.#actors.leader,
      uptimeMs: this.#uptimeMs,
      health: this.health,
      syncState: this.#actors.sync,
      lastCommandSeq: log.position.seq,
      lastExecutedSeq: executor.executedSeq,
      programSource: this.#kit.ports.engine.programSource(),
      engine: this.#engine(),
      votes: votes.left(now),
      peer: this.#peer(now),
      witness: this.#witness(now),
      reconcileLock: this.#lock(),
      maintenance: restraints.maintenance,
      preferred: this.#kit.failover.preferred,
      switchBack: { mode: this.#kit.failover.switchBack, ...this.#actors.plannedMoves.switchBack },
      plannedHandover: this.#actors.plannedMoves.plan,
      waiting: this.#waiting(),
      alarms: this.#kit.alarms.list().map((alarm) => ({ ...alarm, remedy: REMEDIES[alarm.code] })),
      machines: this.#machines(),
    };
  }

  /**
   * Whether a take-over would begin at once on proof, and if not, why and until when [CP5]. An engine whose stamps nobody
   * can take is not ready either: it would lead, but every record would be refused [CK3].
   */
  readiness(): Readiness {
    const toLead = this.readinessToLead();
    const isClockWrong = this.#actors.replication.clockWrongMs() !== null;
    return toLead.ready && isClockWrong ? notReady("clock-wrong") : toLead;
  }

  readinessToLead(): Readiness {
    const { succession, catchUp, engineKeeper } = this.#actors;
    const { leadership, judge } = succession;
    if (this.#kit.ports.engine.health() === "failed") return notReady("engine-failed");
    if (this.#kit.alarms.stands("store-failed")) return notReady("store-failed");
    if (leadership.role === "leader") return leadership.mayAct() ? READY : notReady("no-vote");
    if (leadership.role === "candidate") return notReady("campaigning");
    if (leadership.retired) return notReady("stopping");
    const verdict = judge.notAtOnce();
    if (catchUp.sync !== "ready") return notReady(catchUp.sync);
    if (engineKeeper.isUnheard) return notReady("starting");
    return verdict.go ? READY : { ready: false, ...this.#told(verdict) };
  }

  /** Why this engine does not take the role now [CH3]. */
  #waiting(): CoordinatorState["waiting"] {
    const { leadership, judge } = this.#actors.succession;
    if (leadership.role !== "follower") return NOT_WAITING;
    const verdict = judge.verdict();
    return verdict.go ? NOT_WAITING : this.#told(verdict);
  }

  /** Monotonic instants mean nothing outside of this process. */
  #told({ waits, untilMs }: WaitVerdict): CoordinatorState["waiting"] {
    const unixMs = untilMs === null ? null : this.#kit.ports.clock.unixMs() + untilMs - this.#kit.nowMs();
    return { reasons: waits.map(({ why }) => why), untilMs: unixMs === null ? null : Math.round(unixMs) };
  }

  #peer(now: number): CoordinatorState["peer"] {
    const { monitor } = this.#actors.succession;
    const heartbeat = monitor.last?.heartbeat;
    const reading = this.#actors.programmeClock.reading();
    return {
      label: otherLabel(this.#kit.options.label),
      state: monitor.state,
      engineId: heartbeat?.engineId ?? null,
      version: heartbeat?.version ?? null,
      role: heartbeat?.role ?? null,
      epoch: heartbeat?.epoch ?? null,
      health: heartbeat?.health ?? null,
      syncState: heartbeat?.sync ?? null,
      lastCommandSeq: heartbeat?.log.seq ?? null,
      lastExecutedSeq: heartbeat?.lastExecutedSeq ?? null,
      lastHeardMs: monitor.last === null ? null : now - monitor.last.receivedAtMonoMs,
      roundTripMs: roundTripMs(monitor.offset),
      clockOffsetMs: reading.mode === "free" ? null : reading.offsetNs / 1e6,
      links: this.#kit.ports.peerChannel.links(),
      refused: this.#actors.identities.refused,
      url: this.#kit.options.peerUrl,
    };
  }

  #engine(): CoordinatorState["engine"] {
    const link = this.#kit.ports.engine.link?.() ?? { lifeline: "unused", note: null };
    return { state: this.#actors.engineKeeper.machineValue, ...link };
  }

  #witness(now: number): CoordinatorState["witness"] {
    const { witness } = this.#actors.succession;
    return {
      kind: this.#kit.ports.witness.kind,
      reachable: witness.reachable,
      usable: witness.reachable === null ? null : witness.usable,
      holder: witness.standing?.holder ?? null,
      epoch: witness.standing?.epoch ?? null,
      seq: witness.standing?.seq ?? null,
      lastAnswerMs: witness.lastAnswerMs === null ? null : now - witness.lastAnswerMs,
    };
  }

  #lock(): CoordinatorState["reconcileLock"] {
    const { lock } = this.#actors;
    return lock.usable === null ? null : { holder: this.#kit.options.label, expiresMs: lock.usableForMs };
  }

  #machines(): Record<string, Json> {
    const { succession, handover, catchUp, lock, splitBrain, outbox, engineKeeper } = this.#actors;
    return {
      pair: this.#kit.root?.machineValue as Json,
      leadership: succession.leadership.machineValue as Json,
      "peer-link": succession.monitor.state,
      "witness-vote": succession.witness.machineValue as Json,
      handover: handover.machineValue,
      "catch-up": catchUp.machineValue,
      "reconcile-lock": lock.machineValue,
      "split-brain": splitBrain.machineValue,
      engine: engineKeeper.machineValue,
      ...(outbox.machineValue === null ? {} : { "outbox-pump": outbox.machineValue }),
    };
  }

  get #uptimeMs(): number {
    return Math.round(this.#kit.nowMs() - this.#startedAtMs);
  }
}
