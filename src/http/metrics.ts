/**
 * The coordinator's state and counters as Prometheus metrics, read at the moment of the scrape. Units are seconds and
 * bytes. No label bears the epoch: a series would end at every change of the leader. The registry is this surface's own,
 * so that an engine that embeds the coordinator keeps its metrics apart.
 */
import { readdirSync } from "node:fs";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Coordinator, CoordinatorCounters, CoordinatorEvent, CoordinatorState } from "../coordinator/types.ts";
import type { Clock } from "../ports/clock.ts";
import { LoopLag } from "./loop-lag.ts";
import { addOutboxMetrics } from "./outbox-metrics.ts";
import { addPeerMetrics } from "./peer-metrics.ts";
import type { WrongSecrets } from "./wrong-secrets.ts";

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

const SECOND_MS = 1_000;
const seconds = (ms: number | null): number => (ms === null ? Number.NaN : ms / SECOND_MS);

const GAUGES: Readonly<Record<string, readonly [help: string, reading: Reading]>> = {
  epoch: ["Epoch of the leader that this engine leads as or follows", ({ epoch }) => epoch],
  may_act: ["1 while this engine may act as leader", ({ mayAct }) => Number(mayAct)],
  last_command_seq: ["Place of the last command held", ({ lastCommandSeq }) => lastCommandSeq],
  last_executed_seq: ["Place of the last command executed", ({ lastExecutedSeq }) => lastExecutedSeq],
  peer_last_heard_seconds: ["Time since the peer was heard; NaN before", ({ peer }) => seconds(peer.lastHeardMs)],
  peer_round_trip_seconds: ["Round trip to the peer; NaN when unknown", ({ peer }) => seconds(peer.roundTripMs)],
  peer_clock_offset_seconds: [
    "Clock of the peer minus this one; NaN when unknown",
    ({ peer }) => seconds(peer.clockOffsetMs),
  ],
  peer_links_up: ["Open links to the peer", ({ peer }) => peer.links.filter(({ up }) => up).length],
  witness_reachable: ["1 while the witness answers", ({ witness }) => Number(witness.reachable ?? false)],
  maintenance: ["1 while a person holds automation", ({ maintenance }) => Number(maintenance?.on ?? false)],
  uptime_seconds: ["Time since the coordinator started", ({ uptimeMs }) => seconds(uptimeMs)],
};

/** Gauges with one series for each word; the one that holds now is 1. */
const STATES: Readonly<
  Record<
    string,
    readonly [help: string, label: string, words: readonly string[], now: (state: CoordinatorState) => string]
  >
> = {
  role: ["1 for the role that this engine has now", "role", ["follower", "candidate", "leader"], ({ role }) => role],
  health: ["1 for the health of this engine now", "health", ["ok", "degraded", "failed"], ({ health }) => health],
  sync_state: [
    "1 for how far this engine is in step with the leader",
    "state",
    ["ready", "catching-up", "reconciling", "starting"],
    ({ syncState }) => syncState,
  ],
};

/** A frame is 0.0167 s; a heartbeat may be late by 0.05. */
const LAG_BUCKETS_SEC = [0.001, 0.002, 0.005, 0.01, 0.0167, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
const COMMAND_BUCKETS_SEC = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.0167, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 5];
const TAKEOVER_BUCKETS_SEC = [0.002, 0.005, 0.01, 0.0167, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2, 5, 10];

/** What `Metrics` reads. */
export interface MetricsParts {
  readonly coordinator: Coordinator;
  readonly clock: Clock;
  readonly version: string;
  readonly wrongSecrets: Pick<WrongSecrets, "total">;
}

export class Metrics {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #lag: LoopLag;
  readonly #endOutbox: () => void;
  readonly #endEvents: () => void;

  constructor({ coordinator, clock, version, wrongSecrets }: MetricsParts) {
    this.contentType = this.#registry.contentType;
    this.#registry.setDefaultLabels({ pair: coordinator.state().pair, engine: coordinator.state().engineLabel });
    const build = new Gauge({
      ...this.#named("build_info", "1; the labels name the version of Changeover and of Node"),
      labelNames: ["version", "node"],
    });
    build.set({ version, node: process.versions.node }, 1);
    this.#countersOf(coordinator);
    this.#gaugesOf(coordinator);
    this.#statesOf(coordinator);
    this.#counter(
      "peer_refused_total",
      "Strangers turned away at the peer channel",
      () => coordinator.state().peer.refused,
    );
    this.#counter("wrong_secrets_total", "Wrong secrets at force-leader, from all addresses", () => wrongSecrets.total);
    this.#endEvents = coordinator.subscribe(this.#eventsOf());
    addPeerMetrics(this.#registry, coordinator);
    this.#endOutbox = addOutboxMetrics(this.#registry, coordinator);
    this.#processMetrics(clock);
    const lag = new Histogram({ ...this.#named("loop_lag_seconds", "How late timers fire"), buckets: LAG_BUCKETS_SEC });
    this.#lag = new LoopLag(clock, (lateMs) => lag.observe(lateMs / SECOND_MS));
    this.#lag.start();
  }

  /** Prometheus text, as of now. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  close(): void {
    this.#endEvents();
    this.#endOutbox();
    this.#lag.close();
  }

  #named(name: string, help: string): { name: string; help: string; registers: Registry[] } {
    return { name: `changeover_${name}`, help, registers: [this.#registry] };
  }

  /** A counter whose value is kept elsewhere. */
  #counter(name: string, help: string, reading: () => number): void {
    const counter: Counter = new Counter({
      ...this.#named(name, help),
      collect: () => {
        counter.reset();
        counter.inc(reading());
      },
    });
  }

  #countersOf(coordinator: Coordinator): void {
    for (const key of Object.keys(COUNTERS) as (keyof CoordinatorCounters)[]) {
      const [name, help] = COUNTERS[key];
      this.#counter(`${name}_total`, help, () => coordinator.counters()[key]);
    }
  }

  #gaugesOf(coordinator: Coordinator): void {
    for (const [name, [help, reading]] of Object.entries(GAUGES)) {
      const gauge: Gauge = new Gauge({
        ...this.#named(name, help),
        collect: () => gauge.set(reading(coordinator.state())),
      });
    }
    const votes = new Gauge({
      ...this.#named("vote_remaining_seconds", "Time that the vote of the peer or of the witness still counts"),
      labelNames: ["from"],
      collect: () => {
        const { peerMs, witnessMs } = coordinator.state().votes;
        votes.set({ from: "peer" }, peerMs / SECOND_MS);
        votes.set({ from: "witness" }, witnessMs / SECOND_MS);
      },
    });
    const alarms = new Gauge({
      ...this.#named("alarm", "1 for every alarm that stands"),
      labelNames: ["code"],
      collect: () => {
        alarms.reset();
        for (const { code } of coordinator.state().alarms) alarms.set({ code }, 1);
      },
    });
  }

  #statesOf(coordinator: Coordinator): void {
    for (const [name, [help, label, words, now]] of Object.entries(STATES)) {
      const gauge: Gauge = new Gauge({
        ...this.#named(name, help),
        labelNames: [label],
        collect: () => {
          const current = now(coordinator.state());
          for (const word of words) gauge.set({ [label]: word }, Number(word === current));
        },
      });
    }
  }

  /** What is counted as it happens. */
  #eventsOf(): (event: CoordinatorEvent) => void {
    const commands = new Counter({
      ...this.#named("commands_total", "Commands answered, by outcome and durability (none: not accepted)"),
      labelNames: ["outcome", "durability"],
    });
    for (const durability of ["pair", "local"]) commands.inc({ outcome: "accepted", durability }, 0);
    const answered = new Histogram({
      ...this.#named("command_duration_seconds", "From the arrival of an accepted command to its answer"),
      labelNames: ["durability"],
      buckets: COMMAND_BUCKETS_SEC,
    });
    const late = new Histogram({
      ...this.#named("command_lateness_seconds", "How long after its instant a command was executed"),
      buckets: LAG_BUCKETS_SEC,
    });
    const takeover = new Histogram({
      ...this.#named("takeover_duration_seconds", "From the reason to lead to leading, by cause"),
      labelNames: ["cause"],
      buckets: TAKEOVER_BUCKETS_SEC,
    });
    return (event) => {
      if (event.type === "answered") {
        const outcome = event.outcome.replaceAll("-", "_");
        commands.inc({ outcome, durability: event.durability ?? "none" });
        if (event.durability !== null) {
          answered.observe({ durability: event.durability }, Math.max(0, event.tookMs) / SECOND_MS);
        }
      } else if (event.type === "executed") late.observe(Math.max(0, event.lateMs) / SECOND_MS);
      else if (event.type === "role" && event.role === "leader" && event.cause !== null) {
        takeover.observe({ cause: event.cause }, Math.max(0, event.tookMs) / SECOND_MS);
      }
    };
  }

  /** The names that every client library of Prometheus uses. */
  #processMetrics(clock: Clock): void {
    const registers = [this.#registry];
    const cpu: Counter = new Counter({
      ...{ name: "process_cpu_seconds_total", help: "CPU time used, user and system", registers },
      collect: () => {
        const { user, system } = process.cpuUsage();
        cpu.reset();
        cpu.inc((user + system) / 1e6);
      },
    });
    const gauge = (name: string, help: string, reading: () => number): void => {
      const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(reading()) });
    };
    gauge("process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
    gauge("nodejs_heap_size_used_bytes", "Heap of JavaScript in use", () => process.memoryUsage().heapUsed);
    gauge("process_open_fds", "Open file descriptors; NaN where the system does not tell", openFiles);
    const startedSec = clock.unixMs() / SECOND_MS - process.uptime();
    gauge("process_start_time_seconds", "Start of the process, unix time", () => startedSec);
  }
}

function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return Number.NaN;
  }
}
