/**
 * The numbers that the protocol runs on, their defaults, and the relations between them that keep it safe [VT6].
 * Source of the idea to check relations at start: hashicorp/raft `ValidateConfig`.
 */

import type { Label } from "./ids.ts";

export type Policy = "on-air" | "consistency";

/** All of `failover:` in the configuration, resolved. Times in ms of the monotonic clock. */
export interface FailoverSettings {
  readonly policy: Policy;
  /** Whether a refused connection to every address of the peer proves its death [DP1]. */
  readonly deathProof: "refused" | "none";
  readonly heartbeatMs: number;
  /** Missed intervals after which the peer is silent [HB3]. */
  readonly missLimit: number;
  /** How long a leader counts a vote, from its send time. */
  readonly leaseMs: number;
  /** Time for effects under way to end after a vote has lapsed. */
  readonly quiesceMs: number;
  /** How long a follower keeps still after a heartbeat under `consistency`; quarantine of both policies. */
  readonly campaignWaitMs: number;
  /** ρ: how far the two monotonic clocks may drift apart, parts per million each. */
  readonly maxClockDriftPpm: number;
  /** Silence after which `on-air` leads without witness and proof; `never` [CP3]. */
  readonly blindPromoteMs: number | "never";
  /** How long a follower that is behind waits for the peer before it leads stale [CP4]. */
  readonly staleTakeoverMs: number;
  readonly handoverMs: number;
  readonly unhealthyHoldMs: number;
  /** The engine that should lead while both are fit. */
  readonly preferred: Label | "none";
  /** Whether the role goes back to the preferred engine by itself, once it is ready [HO9]. */
  readonly switchBack: "never" | "when-ready";
  /** How long the preferred engine must have been ready without a break. */
  readonly switchBackDelayMs: number;
  readonly deathProbeMs: number;
  /** Whether a killed engine's sockets close before its memory is freed, where the native part was built. */
  readonly fastDeath: "auto" | "off";
  readonly maxAutomaticFailovers: number;
  readonly holdDownWindowMs: number;
  /** Time-out of one call to the witness. */
  readonly witnessTimeoutMs: number;
  /** TTL of the reconcile lock that recovery takes [RL1]. */
  readonly reconcileLockMs: number;
  /** Failures in a row to apply what the leader sends, after which a follower asks for its whole state [SB6]. */
  readonly resyncAfter: number;
}

/** All of `commands:` in the configuration, resolved. */
export interface CommandSettings {
  /** From acceptance to execution on both engines. */
  readonly leadTimeMs: number;
  readonly ack: "pair" | "local";
  readonly ackTimeoutMs: number;
  /** Commands accepted but not yet answered; beyond it `busy`. */
  readonly maxPending: number;
  readonly maxPayloadBytes: number;
  /** Commands kept in the log for catch-up and reading. */
  readonly keep: number;
  /** Lateness of one execution that raises the alarm `commands-late`. */
  readonly lateAlarmMs: number;
  /** A state checkpoint is stored every so many commands. */
  readonly checkpointEvery: number;
  /** How often the pair compares checksums while it runs. */
  readonly compareEveryMs: number;
  /** What recovery does with divergent commands [SB2]. */
  readonly onConflict: "leader-wins" | "reapply" | "manual";
}

/** What the outbox is told of its sink. */
export interface OutboxSettings {
  /** What the sink is called, as people read it. */
  readonly sink: string;
  /** Failed attempts after which an event is a dead letter. */
  readonly maxAttempts: number;
  /** How long a published event is kept here. */
  readonly retentionMs: number;
}

export const DEFAULT_OUTBOX: OutboxSettings = { sink: "nop", maxAttempts: 10, retentionMs: 3_600_000 };

export const DEFAULT_FAILOVER: FailoverSettings = {
  policy: "on-air",
  deathProof: "refused",
  heartbeatMs: 200,
  missLimit: 3,
  leaseMs: 600,
  quiesceMs: 50,
  campaignWaitMs: 750,
  maxClockDriftPpm: 10_000,
  blindPromoteMs: "never",
  staleTakeoverMs: 5_000,
  handoverMs: 500,
  unhealthyHoldMs: 400,
  preferred: "none",
  switchBack: "never",
  switchBackDelayMs: 10_000,
  deathProbeMs: 50,
  fastDeath: "auto",
  maxAutomaticFailovers: 3,
  holdDownWindowMs: 60_000,
  witnessTimeoutMs: 150,
  reconcileLockMs: 3_000,
  resyncAfter: 3,
};

/** How long the event loop of a leader may stand still [EN5]. */
export const DEFAULT_STALL_MS = 250;
/** A garbage collection of a large engine may take that long. */
export const MIN_STALL_MS = 50;

export const DEFAULT_COMMANDS: CommandSettings = {
  leadTimeMs: 40,
  ack: "pair",
  ackTimeoutMs: 200,
  maxPending: 10_000,
  maxPayloadBytes: 1_048_576,
  keep: 200_000,
  lateAlarmMs: 100,
  checkpointEvery: 1_000,
  compareEveryMs: 5_000,
  onConflict: "leader-wins",
};

/** Defaults that depend on the policy and on whether there is a witness [CP3, DP1]. */
export function resolveFailover(given: Partial<FailoverSettings>, witness: string): FailoverSettings {
  const policy = given.policy ?? DEFAULT_FAILOVER.policy;
  return {
    ...DEFAULT_FAILOVER,
    deathProof: policy === "on-air" ? "refused" : "none",
    blindPromoteMs: policy === "on-air" && witness === "none" ? 1_000 : "never",
    ...given,
  };
}

/** A relation that does not hold: the key, its value, and the bound it breaks. */
export interface BrokenRelation {
  readonly key: string;
  readonly value: number;
  readonly bound: string;
  readonly why: string;
}

/** Every relation between the timings that `settings` breaks; none when they are safe. */
export function brokenRelations(settings: FailoverSettings): readonly BrokenRelation[] {
  const rho = settings.maxClockDriftPpm / 1_000_000;
  const shortestWaitMs = settings.campaignWaitMs * (1 - rho);
  const longestLeaseMs = settings.leaseMs * (1 + rho) + settings.quiesceMs;
  const broken: BrokenRelation[] = [];
  if (shortestWaitMs <= longestLeaseMs) {
    broken.push({
      key: "failover.campaignWaitMs",
      value: settings.campaignWaitMs,
      bound: `> ${Math.floor(longestLeaseMs / (1 - rho))}`,
      why: "a follower must keep still longer than a leader counts its vote, drift and quiesceMs included",
    });
  }
  if (settings.heartbeatMs * settings.missLimit > settings.leaseMs) {
    broken.push({
      key: "failover.leaseMs",
      value: settings.leaseMs,
      bound: `>= ${settings.heartbeatMs * settings.missLimit} (heartbeatMs * missLimit)`,
      why: "a leader would lose its vote before its peer is silent",
    });
  }
  if (settings.witnessTimeoutMs >= settings.heartbeatMs) {
    broken.push({
      key: "failover.witnessTimeoutMs",
      value: settings.witnessTimeoutMs,
      bound: `< ${settings.heartbeatMs} (heartbeatMs)`,
      why: "a rewrite must have ended before the next one is due",
    });
  }
  return broken;
}
