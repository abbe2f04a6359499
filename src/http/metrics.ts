/**
 * The coordinator's state and counters as Prometheus metrics, read at the moment of the scrape. Units are seconds and
 * bytes. No label bears the epoch: a series would end at every change of the leader. The registry is this surface's own,
 * so that an engine that embeds the coordinator keeps its metrics apart.
 */
import { readdirSync } from "node:fs";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Coordinator, CoordinatorCounters, CoordinatorEvent, CoordinatorState } from "../coordinator/types.ts";
import type { Clock, TimerHandle } from "../ports/basics.ts";
import type { WrongSecrets } from "./access.ts";
import type { OutboxStatus } from "../outbox/outbox.ts";
import type { PeerStatus } from "../replication/federation-peer.ts";

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
  engine_state: [
    "1 for how the engine beside this coordinator is now",
    "state",
    ["connecting", "well", "stalled", "failed", "dead", "restoring"],
    ({ engine }) => engine.state,
  ],
  engine_lifeline: [
    "1 for what the engine's lifeline is now; unused: this kind of engine needs none",
    "state",
    ["opening", "live", "stalled", "none", "unused"],
    ({ engine }) => engine.lifeline,
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
    gauge("nodejs_heap_size_total_bytes", "Heap of JavaScript held", () => process.memoryUsage().heapTotal);
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

// The outbox as Prometheus metrics. One look at the outbox a scrape, however many metrics tell of it.

type OutboxReading = readonly [name: string, help: string, reading: (status: OutboxStatus) => number];

/** The first one takes the look that the others tell of. */
const OUTBOX_GAUGES: readonly OutboxReading[] = [
  ["outbox_depth", "Events that wait to be published, dead letters included", ({ depth }) => depth],
  [
    "outbox_oldest_age_seconds",
    "Age of the event that has waited longest",
    ({ oldest }) => (oldest?.ageMs ?? 0) / 1_000,
  ],
  ["outbox_dead", "Dead letters", ({ dead }) => dead],
];
const OUTBOX_COUNTERS: readonly OutboxReading[] = [
  ["outbox_published_total", "Events published", ({ published }) => published],
  ["outbox_duplicates_total", "Events published that stood in the feed before", ({ duplicates }) => duplicates],
  [
    "outbox_attempts_total",
    "Attempts to publish an event, failed ones included",
    ({ published, failedAttempts }) => published + failedAttempts,
  ],
  ["outbox_failed_attempts_total", "Attempts that failed", ({ failedAttempts }) => failedAttempts],
];
/** From commit to feed. */
const PUBLISH_BUCKETS_SEC = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

/** Adds the metrics; what it returns ends listening. */
export function addOutboxMetrics(registry: Registry, coordinator: Coordinator): () => void {
  const registers = [registry];
  let status: OutboxStatus | null = null;
  const look = (isFirst: boolean): OutboxStatus => {
    if (isFirst || status === null) status = coordinator.outbox();
    return status;
  };
  OUTBOX_GAUGES.forEach(([name, help, reading], index) => {
    const gauge: Gauge = new Gauge({
      ...{ name: `changeover_${name}`, help, registers },
      collect: () => gauge.set(reading(look(index === 0))),
    });
  });
  for (const [name, help, reading] of OUTBOX_COUNTERS) {
    const counter: Counter = new Counter({
      ...{ name: `changeover_${name}`, help, registers },
      collect: () => {
        counter.reset();
        counter.inc(reading(look(false)));
      },
    });
  }
  const latency = new Histogram({
    name: "changeover_outbox_publish_duration_seconds",
    help: "From the commit of a batch's first event to its place in the feed",
    buckets: PUBLISH_BUCKETS_SEC,
    registers,
  });
  return coordinator.subscribe((event) => {
    if (event.type === "published") latency.observe(Math.max(0, event.latencyMs) / 1_000);
  });
}

// The federation peers as Prometheus metrics, one series a peer.

type PeerReading = (peer: PeerStatus) => number;

const PEER_GAUGES: Readonly<Record<string, readonly [help: string, reading: PeerReading]>> = {
  healthy: [
    "1 while the last exchange with the peer ended with nothing held back",
    ({ health }) => Number(health !== null && health.lastError === null && health.lastSuccess !== null),
  ],
  paused: ["1 while the peer is not asked", ({ mode }) => Number(mode === "paused")],
  failures: ["Exchanges that failed since the last good one", ({ health }) => health?.consecutiveFailures ?? 0],
  lag_operations: [
    "Operations that the peer holds and this engine does not; NaN before it told",
    ({ lag }) => lag ?? NaN,
  ],
  version_skew: ["1 while the peer runs another version", ({ versionSkew }) => Number(versionSkew)],
};

/** Adds them to `registry`; read at the moment of the scrape. */
export function addPeerMetrics(registry: Registry, coordinator: Coordinator): void {
  const peers = (): readonly PeerStatus[] => coordinator.replication.federation.status().peers;
  for (const [name, [help, reading]] of Object.entries(PEER_GAUGES)) {
    const gauge: Gauge = new Gauge({
      name: `changeover_federation_${name}`,
      help,
      labelNames: ["peer"],
      registers: [registry],
      collect: () => {
        gauge.reset();
        for (const peer of peers()) gauge.set({ peer: peer.name }, reading(peer));
      },
    });
  }
  const errors = new Gauge({
    name: "changeover_federation_error",
    help: "1 for the reason why the last exchange with the peer was not a good one",
    labelNames: ["peer", "reason"],
    registers: [registry],
    collect: () => {
      errors.reset();
      for (const { name, health } of peers()) {
        if (health?.lastError) errors.set({ peer: name, reason: health.lastError.reason }, 1);
      }
    },
  });
}

// Measures how late timers fire, which is how late a heartbeat would be. How: one timer; its lateness is one sample. A
// stall is seen when it covers the instant at which the timer was due.

const SAMPLE_EVERY_MS = 250;

export class LoopLag {
  readonly #clock: Clock;
  readonly #observe: (lateMs: number) => void;
  #timer: TimerHandle | null = null;

  /** `observe` gets every sample, ms. */
  constructor(clock: Clock, observe: (lateMs: number) => void) {
    this.#clock = clock;
    this.#observe = observe;
  }

  start(): void {
    const dueMs = this.#clock.monoMs() + SAMPLE_EVERY_MS;
    this.#timer = this.#clock.setTimeout(() => {
      this.#observe(Math.max(0, this.#clock.monoMs() - dueMs));
      this.start();
    }, SAMPLE_EVERY_MS);
  }

  close(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
