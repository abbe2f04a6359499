/**
 * The public API of replication, `changeover/replication`: records that several places edit, also offline, exchanged
 * through a hub or between the peers of a federation. An engine of a pair has all of this by its configuration
 * (`replication.hub`, `federation`, `/api/records`, `/sync`, `/api/peers`); this is for programs that are no engine, or
 * serve `/sync` in their own HTTP surface. `examples/spoke` and `examples/federation` show one of each.
 */
export { Replication, type ReplicationInit, type ReplicationJoint } from "./replication/replication.ts";
export type { ReplicationParts } from "./replication/parts.ts";
export type { RecordPage, RecordResolveOutcome, RecordView, SkipOutcome, WriteOutcome } from "./replication/records.ts";
export type { SyncCaller } from "./replication/callers.ts";
export type { FederationMode, PullPage, PushReport, SnapshotMark, SyncIdentity } from "./replication/hub.ts";
export type { Delivery, Taken } from "./replication/intake.ts";
export type { Failure, Progress } from "./replication/exchange.ts";
export type { Federation, FederationStatus, PeerOutcome, PeerTrouble } from "./replication/federation.ts";
export type { PeerStatus } from "./replication/federation-peer.ts";
export type { PeerError, PeerHealth } from "./replication/peer-health.ts";
export type { SealDoubt, SignatureMode } from "./replication/seals.ts";
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
export { Ed25519Signatures } from "./adapters/basics.ts";
export type { ClientTls } from "./adapters/http-client.ts";
export { type Op, type OpFlaw, type OpKind, recordOrigin } from "./core/operation.ts";
export type { RecordConflict } from "./core/command.ts";
export type { FederationPeerPort } from "./ports/sync-transport.ts";
export type { Signatures } from "./ports/basics.ts";
export type { PullRequest, PushedBase, SyncAnswer, SyncTransport } from "./ports/sync-transport.ts";
