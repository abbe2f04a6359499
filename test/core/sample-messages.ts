/** One message of every type, with every optional part present. A forgotten type does not compile. */
import type { Command, Conflict } from "../../src/core/command.ts";
import { type EngineId, type IncarnationId, type LockId, callersRequestId, makeId } from "../../src/core/ids.ts";
import type { Heartbeat, PeerMessage } from "../../src/core/messages.ts";

const ENGINE: EngineId = makeId("engine", "sample-a");
const INCARNATION: IncarnationId = makeId("incarnation", "sample-1");
const LOCK: LockId = makeId("lock", "sample");
const requestId = callersRequestId("req_sample");
const clock = { [ENGINE]: 7, eng_other: 3 };
const log = { epoch: 3, seq: 10 };
const checksum = "0123456789abcdef".repeat(4);

export const sampleCommand: Command = {
  seq: 10,
  epoch: 3,
  hlc: "018bcfe56800-0000-eng_sample-a",
  executeAtUs: 1_700_000_000_040_000,
  kind: "POST /engine/me/0/cut",
  payload: { keyer: [1, { on: true }], name: "Lower third \u{1f3ac}", level: -0.5, none: null },
  origin: ENGINE,
  originSeq: 7,
  idempotencyKey: "key-1",
  clock,
};

const conflict: Conflict = {
  id: makeId("conflict", "sample"),
  kind: "command",
  divergent: sampleCommand,
  standing: [sampleCommand],
  divergentFrom: "b",
  forkSeq: 9,
  winnerEpoch: 5,
  outcome: "resolved",
  reason: "leader-wins",
  detectedAtUnixMs: 1_700_000_000_000,
  resolution: { choice: "keep", by: "ops", atUnixMs: 1_700_000_001_000 },
};

export const sampleHeartbeat: Heartbeat = {
  type: "heartbeat",
  n: 1,
  engineId: ENGINE,
  incarnation: INCARNATION,
  label: "a",
  version: "0.1.0",
  role: "leader",
  epoch: 3,
  clock,
  witnessSeq: 12,
  log,
  acknowledged: log,
  lastExecutedSeq: 9,
  programSource: "CAM 1",
  health: "ok",
  sync: "ready",
  maintenance: { on: true, stamp: "018bcfe56800-0000-eng_sample-a", by: "ops", reason: "rehearsal" },
  leadership: { cause: "handover", by: "ops", reason: "", fromUnixMs: 1_700_000_000_000, tookMs: 4.5 },
  witnessReachable: true,
  sentAtMonoMs: 1234.5,
  sentAtUnixUs: 1_700_000_000_000_123.5,
  echo: { n: 4, receivedAtMonoMs: 1200.25, receivedAtUnixUs: 1_700_000_000_000_000 },
  vote: { epoch: 3, n: 4 },
};

const sampleOp = {
  origin: "rec_a",
  originSeq: 1,
  hlc: "0000000000010000-eng_a",
  epoch: 3,
  kind: "set",
  entity: "macros",
  field: "opening",
  payload: { steps: 3 },
  clock: { rec_a: 1 },
  checksum,
} as const;

const moved = { requestId, epoch: 5, cause: "forced", by: "ops", reason: "rehearsal" } as const;

export const SAMPLES: { readonly [T in PeerMessage["type"]]: Extract<PeerMessage, { readonly type: T }> } = {
  heartbeat: sampleHeartbeat,
  "vote-request": { type: "vote-request", requestId, epoch: 5, log, acceptedEpoch: 3, healthy: true, forced: false },
  "vote-answer": {
    type: "vote-answer",
    requestId,
    epoch: 5,
    granted: false,
    reason: "better-claim",
    highestEpoch: 5,
  },
  "handover-offer": { type: "handover-offer", ...moved },
  "handover-request": { type: "handover-request", ...moved },
  "handover-grant": { type: "handover-grant", requestId, epoch: 5, final: log, witnessSeq: 12 },
  "handover-refusal": { type: "handover-refusal", requestId, reason: "busy", highestEpoch: 5 },
  replicate: { type: "replicate", epoch: 3, prev: { epoch: 3, seq: 9 }, commands: [sampleCommand] },
  replicated: { type: "replicated", epoch: 3, throughSeq: 10 },
  "stale-epoch": { type: "stale-epoch", highestEpoch: 5 },
  "catch-up-request": {
    type: "catch-up-request",
    requestId,
    epoch: 3,
    shape: [{ epoch: 3, from: 1, to: 10 }],
    clock,
    lastExecutedSeq: 9,
    wantSnapshot: false,
  },
  "catch-up-plan": { type: "catch-up-plan", requestId, epoch: 3, by: "log", fromSeq: 5, toSeq: 10 },
  "catch-up-page": { type: "catch-up-page", requestId, epoch: 3, prev: log, commands: [sampleCommand], done: true },
  "snapshot-piece": {
    type: "snapshot-piece",
    requestId,
    epoch: 5,
    index: 0,
    last: true,
    text: '{"snapshot":',
    lock: { lockId: LOCK, fence: 2 },
  },
  "transfer-ack": { type: "transfer-ack", requestId, index: 0 },
  "divergence-request": { type: "divergence-request", requestId, epoch: 5, forkSeq: 9, afterSeq: 9 },
  "divergence-page": { type: "divergence-page", requestId, epoch: 5, commands: [sampleCommand], clock, done: true },
  reconciled: { type: "reconciled", requestId, epoch: 5, outcome: "applied", checksum, clock, log },
  checkpoint: { type: "checkpoint", epoch: 3, seq: 10 },
  "checkpoint-result": { type: "checkpoint-result", epoch: 3, seq: 10, checksum },
  "conflict-update": { type: "conflict-update", epoch: 5, conflicts: [conflict] },
  "record-news": { type: "record-news", ops: [sampleOp], vector: { rec_a: 1 } },
  "outbox-marks": {
    type: "outbox-marks",
    epoch: 5,
    marks: [{ stackId: "programme", version: 7, eventId: "cmd_eng_a_7", controlVersion: 21 }],
  },
  "sync-call": { type: "sync-call", requestId, call: "pull", after: "", limit: 128, maxBytes: 65_536 },
  "sync-answer": { type: "sync-answer", requestId, value: { ops: [], nextCursor: "" } },
  "request-answered": {
    type: "request-answered",
    answer: {
      engineLabel: "b",
      role: "leader",
      epoch: 6,
      previousEpoch: 5,
      previousLeader: "a",
      mode: "graceful",
      tookMs: 12.5,
      requestId,
    },
    by: "ops",
    reason: "rehearsal",
    at: "1790000000000",
  },
  "request-kept": { type: "request-kept", requestId },
};
