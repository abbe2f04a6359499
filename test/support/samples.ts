/** Values as a coordinator gives them, complete, for tests that only need some. */
import type {
  CoordinatorCounters,
  CoordinatorState,
  ForcedAnswer,
  PeerHealthReport,
  SubmitOutcome,
  SyncHealthReport,
} from "../../src/coordinator/types.ts";
import type { Command, Conflict } from "../../src/core/command.ts";
import { makeId } from "../../src/core/ids.ts";
import type { StateSnapshot } from "../../src/core/messages.ts";
import type { OutboxStatus } from "../../src/outbox/outbox.ts";
import type { LeadershipEntry } from "../../src/ports/store.ts";

const engineId = makeId("engine", "a");
export const lockId = makeId("lock", "1");
const hlc = "018bcfe56800-0000-eng_a";

export const peerHealth: PeerHealthReport = {
  status: "ok",
  uptimeMs: 12_345,
  programSource: "cam-1",
  lastCommandSeq: 3,
  engineLabel: "a",
  epoch: 7,
  role: "leader",
};

export const syncHealth: SyncHealthReport = {
  clockSync: { mode: "peer", offsetNs: 1_234, jitterNs: 500 },
  lastCommandSeq: 3,
  lastExecutedSeq: 3,
  lastExecutedErr: "",
  lateCommands: 0,
  uptimeMs: 12_345,
  lastPongSentUs: 0,
  syncState: "ready",
  epoch: 7,
  clock: { eng_a: 3 },
};

export const accepted: SubmitOutcome = {
  outcome: "accepted",
  seq: 4,
  epoch: 7,
  executeAtUs: 1_700_000_000_040_000,
  durability: "pair",
};

export const command: Command = {
  seq: 3,
  epoch: 7,
  hlc,
  executeAtUs: 1_700_000_000_000_000,
  kind: "POST /api/switch/cut",
  payload: { source: "cam2" },
  origin: engineId,
  originSeq: 3,
  idempotencyKey: "key-3",
  clock: { eng_a: 3 },
};

export const conflict: Conflict = {
  id: makeId("conflict", "1"),
  kind: "command",
  divergent: command,
  standing: [command],
  divergentFrom: "b",
  forkSeq: 2,
  winnerEpoch: 7,
  outcome: "superseded",
  reason: "the winner has touched the same source since the fork",
  detectedAtUnixMs: 1_700_000_000_000,
  resolution: { choice: "keep", by: "ops", atUnixMs: 1_700_000_001_000 },
};

export const snapshot: StateSnapshot = {
  version: 1,
  engineLabel: "a",
  engineId,
  epoch: 7,
  clock: { eng_a: 3 },
  hlc,
  lastCommandSeq: 3,
  lastExecutedSeq: 3,
  state: { program: "cam-1", preview: null },
  checksum: "ab".repeat(32),
};

export const forcedAnswer: ForcedAnswer = {
  engineLabel: "a",
  role: "leader",
  epoch: 9,
  previousEpoch: 8,
  previousLeader: "b",
  mode: "graceful",
  tookMs: 4.25,
  requestId: "req_1",
};

export const leadership: LeadershipEntry = {
  epoch: 7,
  leader: "a",
  fromUnixMs: 1_700_000_000_000,
  toUnixMs: null,
  cause: "cold-start",
  by: "automation",
  reason: "",
  tookMs: 12,
};

export const counters: CoordinatorCounters = {
  heartbeatsSent: 10,
  heartbeatsReceived: 9,
  heartbeatsRefused: 1,
  commandsAccepted: 4,
  commandsExecuted: 3,
  commandsLate: 0,
  commandsFailed: 0,
  commandsUnknown: 0,
  commandsFenced: 0,
  witnessSwaps: 5,
  witnessFailures: 0,
  roleChanges: 1,
  automaticFailovers: 0,
  splitBrains: 0,
  snapshotsApplied: 0,
  stampsRefused: 0,
};

export const state: CoordinatorState = {
  pair: "studio-1",
  engineLabel: "a",
  engineId,
  version: "0.1.0",
  policy: "on-air",
  role: "leader",
  epoch: 7,
  mayAct: true,
  confirmedBy: "both",
  leader: "a",
  uptimeMs: 12_345,
  health: "ok",
  syncState: "ready",
  lastCommandSeq: 3,
  lastExecutedSeq: 3,
  programSource: "cam-1",
  engine: { state: "well", lifeline: "unused", note: null },
  votes: { peerMs: 580, witnessMs: 560 },
  peer: {
    label: "b",
    state: "alive",
    engineId: makeId("engine", "b"),
    version: "0.1.0",
    role: "follower",
    epoch: 7,
    health: "ok",
    syncState: "ready",
    lastCommandSeq: 3,
    lastExecutedSeq: 3,
    lastHeardMs: 40,
    roundTripMs: 0.4,
    clockOffsetMs: null,
    links: [{ name: "red", up: true, bufferedBytes: 0 }],
    refused: 0,
    url: "http://127.0.0.1:7402",
  },
  witness: { kind: "sqlite", reachable: true, usable: true, holder: "a", epoch: 7, seq: 5, lastAnswerMs: 0.3 },
  reconcileLock: { holder: "eng_a", expiresMs: 10_000 },
  maintenance: { on: false, stamp: "0", by: "ops", reason: "" },
  preferred: "none",
  switchBack: { mode: "never", waiting: [], dueAt: null },
  plannedHandover: null,
  waiting: { reasons: [], untilMs: null },
  alarms: [
    { code: "no-quorum", since: 1_700_000_000_000, detail: "neither peer nor witness answers", remedy: "Force one." },
  ],
  machines: { leadership: "leader" },
};

export const outbox: OutboxStatus = {
  sink: "nats",
  pump: "backingOff",
  depth: 3,
  oldest: { eventId: "cmd_eng_a_7", stackId: "programme", ageMs: 1_500 },
  dead: 1,
  deadLetters: [
    {
      ...{ eventId: "cmd_eng_a_7", eventType: "command.accepted", stackId: "programme", version: 7 },
      ...{ attempts: 10, reason: "refused", addedAtUnixMs: 1_700_000_000_000 },
    },
  ],
  published: 40,
  duplicates: 1,
  failedAttempts: 10,
};

export const backup = {
  folder: "/var/lib/changeover/a/backups/2026-11-29T18-00-00-000Z",
  pair: "studio-1",
  label: "a",
  engineId: "eng_a",
  ...{ takenAt: 1_700_000_000_000, epoch: 7, lastCommandSeq: 3, bytes: 65_536 },
} as const;
