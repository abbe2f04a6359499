/** Purpose: the schemas that OpenAPI lists by name. */
import { NumbersResetSchema, PairSchema, PeerAdoptedSchema, PeerForgottenSchema } from "./pair.ts";
import { ProblemSchema } from "./common.ts";
import { AcceptedSchema, CommandPageSchema } from "./commands.ts";
import {
  ConflictSchema,
  ConflictsSchema,
  AdoptedSchema,
  CancelledHandoverSchema,
  HandedOverSchema,
  PlannedHandoverSchema,
  LeadershipSchema,
  LeaderProbeSchema,
  LiveSchema,
  ReadySchema,
  ReloadedSchema,
} from "./operate.ts";
import { AsideSchema, OpSchema, OpsSchema } from "./ops.ts";
import { OutboxSchema, ResyncSchema, TendedSchema } from "./outbox.ts";
import { ForcedAnswerSchema, PeerHealthSchema } from "./peer.ts";
import { RecordPageSchema, RecordSchema } from "./records.ts";
import { ComparedSchema, PullPageSchema, PushReportSchema, SyncIdentitySchema } from "./replication.ts";
import { FederationSchema, OriginReleasedSchema, OriginsSchema, PeerResetSchema, PeerStatusSchema } from "./peers.ts";
import { MachinesSchema, MaintenanceSchema, StateSchema } from "./state.ts";
import {
  HeldLockSchema,
  LockStatusSchema,
  SnapshotAppliedSchema,
  StateSnapshotSchema,
  SyncHealthSchema,
} from "./sync.ts";

export const NAMED_SCHEMAS = [
  ProblemSchema,
  PeerHealthSchema,
  ForcedAnswerSchema,
  SyncHealthSchema,
  StateSnapshotSchema,
  SnapshotAppliedSchema,
  HeldLockSchema,
  LockStatusSchema,
  AcceptedSchema,
  CommandPageSchema,
  StateSchema,
  MaintenanceSchema,
  MachinesSchema,
  PairSchema,
  PeerAdoptedSchema,
  PeerForgottenSchema,
  NumbersResetSchema,
  AdoptedSchema,
  CancelledHandoverSchema,
  HandedOverSchema,
  PlannedHandoverSchema,
  ReloadedSchema,
  LeadershipSchema,
  ConflictSchema,
  ConflictsSchema,
  OutboxSchema,
  ResyncSchema,
  TendedSchema,
  RecordSchema,
  RecordPageSchema,
  PeerStatusSchema,
  FederationSchema,
  OriginsSchema,
  OriginReleasedSchema,
  PeerResetSchema,
  OpSchema,
  OpsSchema,
  AsideSchema,
  SyncIdentitySchema,
  PullPageSchema,
  ComparedSchema,
  PushReportSchema,
  LeaderProbeSchema,
  LiveSchema,
  ReadySchema,
];
