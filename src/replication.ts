/**
 * The public API of replication, `changeover/replication`: records that several places edit, also offline, exchanged
 * through a hub. An engine of a pair has all of this by its configuration (`replication.hub`, `/api/records`, `/sync`);
 * this is for programs that are no engine, or serve `/sync` in their own HTTP surface. `examples/spoke` shows one.
 */
export { Replication, type ReplicationInit, type ReplicationJoint } from "./replication/replication.ts";
export type { ReplicationParts } from "./replication/parts.ts";
export type { RecordPage, RecordResolveOutcome, RecordView, SkipOutcome, WriteOutcome } from "./replication/records.ts";
export type { PullPage, PushReport, SnapshotMark, SyncIdentity } from "./replication/hub.ts";
export type { Delivery, Taken } from "./replication/intake.ts";
export type { Progress } from "./replication/exchange.ts";
export type { Exchanged, SyncPeer } from "./replication/sync-peer.ts";
export type { RecordHooks } from "./replication/record-log.ts";
export {
  HINTS,
  isSchemaWidening,
  type PeerReason,
  reasonOfAnswer,
  reasonOfError,
  reasonOfTake,
  type TakeReason,
} from "./replication/reasons.ts";
export { HttpSyncTransport, type HttpSyncTransportInit } from "./adapters/http-sync-transport.ts";
export { type Op, type OpFlaw, type OpKind, recordOrigin } from "./core/operation.ts";
export type { RecordConflict } from "./core/command.ts";
export type { PullRequest, PushedBase, SyncAnswer, SyncTransport } from "./ports/sync-transport.ts";
