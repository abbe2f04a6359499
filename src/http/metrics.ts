/**
 * Purpose: the coordinator's state and counters as Prometheus metrics, read at the moment of the scrape.
 * Keeps true: a registry of its own, so that an engine that embeds the coordinator keeps its metrics apart. The epoch
 * goes with every metric that has a meaning only under one.
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Coordinator, CoordinatorCounters, CoordinatorState } from "../coordinator/types.ts";
import type { Clock } from "../ports/clock.ts";
import { LoopLag } from "./loop-lag.ts";
import { addOutboxMetrics } from "./outbox-metrics.ts";
import { addPeerMetrics } from "./peer-metrics.ts";

const COUNTERS: Readonly<Record<keyof CoordinatorCounters, readonly [name: string, help: string]>> = {
  heartbeatsSent: ["heartbeats_sent", "Heartbeats sent"],
  heartbeatsReceived: ["heartbeats_received", "Heartbeats taken from the peer"],
  heartbeatsRefused: ["heartbeats_refused", "Heartbeats refused as stale, replayed or not from the peer"],
  commandsAccepted: ["commands_accepted", "Commands accepted as leader"],
  commandsExecuted: ["commands_executed", "Commands executed"],
  commandsLate: ["commands_late", "Commands executed after their instant"],
  commandsFailed: ["commands_failed", "Commands that the engine refused to execute"],
  commandsFenced: ["commands_fenced", "Commands refused, unstored, because the leadership ended"],
  commandsUnknown: ["commands_unknown", "Commands answered outcome_unknown because the leadership ended"],
  witnessSwaps: ["witness_swaps", "Rewrites of the witness record"],
  witnessFailures: ["witness_failures", "Calls to the witness without a certain answer"],
  roleChanges: ["role_changes", "Changes of this engine's role"],
  automaticFailovers: ["automatic_failovers", "Takeovers without a person"],
  splitBrains: ["split_brains", "Times that both engines were seen to lead"],
  snapshotsApplied: ["snapshots_applied", "State snapshots applied"],
  stampsRefused: ["stamps_refused", "Stamps from outside that were too far ahead of this engine's wall clock"],
};

type Reading = (state: CoordinatorState) => number;

const GAUGES: Readonly<Record<string, readonly [help: string, reading: Reading]>> = {
  epoch: ["Epoch of the leader that is followed or been", ({ epoch }) => epoch],
  may_act: ["1 while this engine may act as leader", ({ mayAct }) => Number(mayAct)],
  last_command_seq: ["Place of the last command held", ({ lastCommandSeq }) => lastCommandSeq],
  last_executed_seq: ["Place of the last command executed", ({ lastExecutedSeq }) => lastExecutedSeq],
  vote_peer_ms: ["Time that the peer's vote still counts", ({ votes }) => votes.peerMs],
  vote_witness_ms: ["Time that the witness's vote still counts", ({ votes }) => votes.witnessMs],
  peer_last_heard_ms: ["Time since the peer was heard; NaN before", ({ peer }) => peer.lastHeardMs ?? Number.NaN],
  peer_round_trip_ms: ["Round trip to the peer; NaN when unknown", ({ peer }) => peer.roundTripMs ?? Number.NaN],
  peer_links_up: ["Open links to the peer", ({ peer }) => peer.links.filter(({ up }) => up).length],
  peer_refused: ["Strangers turned away at the peer channel", ({ peer }) => peer.refused],
  witness_reachable: ["1 while the witness answers", ({ witness }) => Number(witness.reachable ?? false)],
  maintenance: ["1 while a person holds automation", ({ maintenance }) => Number(maintenance?.on ?? false)],
  uptime_ms: ["Time since start", ({ uptimeMs }) => uptimeMs],
};

/** Loop lag in ms: one frame is 16.7, a heartbeat may be late by 50. */
const LAG_BUCKETS_MS = [1, 2, 5, 10, 16.7, 25, 50, 100, 250, 500, 1_000];

export class Metrics {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #lag: LoopLag;
  readonly #endOutbox: () => void;

  constructor(components: { readonly coordinator: Coordinator; readonly clock: Clock }) {
    const { coordinator } = components;
    this.contentType = this.#registry.contentType;
    this.#registry.setDefaultLabels({ pair: coordinator.state().pair, engine: coordinator.state().engineLabel });
    this.#countersOf(coordinator);
    this.#gaugesOf(coordinator);
    addPeerMetrics(this.#registry, coordinator);
    this.#endOutbox = addOutboxMetrics(this.#registry, coordinator);
    const histogram = new Histogram({
      name: "changeover_loop_lag_ms",
      help: "How late timers fire",
      buckets: LAG_BUCKETS_MS,
      registers: [this.#registry],
    });
    this.#lag = new LoopLag(components.clock, (lateMs) => histogram.observe(lateMs));
    this.#lag.start();
  }

  /** Prometheus text, as of now. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  close(): void {
    this.#endOutbox();
    this.#lag.close();
  }

  #countersOf(coordinator: Coordinator): void {
    for (const key of Object.keys(COUNTERS) as (keyof CoordinatorCounters)[]) {
      const [name, help] = COUNTERS[key];
      const counter: Counter = new Counter({
        name: `changeover_${name}_total`,
        help,
        registers: [this.#registry],
        collect: () => {
          counter.reset();
          counter.inc(coordinator.counters()[key]);
        },
      });
    }
  }

  #gaugesOf(coordinator: Coordinator): void {
    const registers = [this.#registry];
    for (const [name, [help, reading]] of Object.entries(GAUGES)) {
      const gauge: Gauge = new Gauge({
        name: `changeover_${name}`,
        help,
        registers,
        collect: () => gauge.set(reading(coordinator.state())),
      });
    }
    const role = new Gauge({
      name: "changeover_role",
      help: "1 for the role, health and sync state that this engine has now, under its epoch",
      labelNames: ["role", "epoch", "health", "sync"],
      registers,
      collect: () => {
        const state = coordinator.state();
        role.reset();
        role.set({ role: state.role, epoch: state.epoch, health: state.health, sync: state.syncState }, 1);
      },
    });
    const alarms = new Gauge({
      name: "changeover_alarm",
      help: "1 for every alarm that stands",
      labelNames: ["code", "epoch"],
      registers,
      collect: () => {
        const { alarms: standing, epoch } = coordinator.state();
        alarms.reset();
        for (const { code } of standing) alarms.set({ code, epoch }, 1);
      },
    });
  }
}
