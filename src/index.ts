/**
 * The public API of Changeover.
 *
 * - A program that wants an engine as a whole: `loadConfig` or `resolveConfig`, then `startHost`, with its own `Engine`.
 * - A program that brings its own HTTP surface or its own adapters: `createCoordinator` with the ports it fills itself.
 *
 * The statecharts are a separate export, `changeover/machines`.
 */
export { createCoordinator } from "./coordinator/create-coordinator.ts";
export { type Host, type HostOptions, startHost } from "./host/start-host.ts";
export { loadConfig, resolveConfig } from "./config/load.ts";
export { ReferenceEngine } from "./reference-engine/reference-engine.ts";
export { ChangeoverError, type ErrorCode, type ErrorDetails } from "./core/errors.ts";

export { MemoryStore } from "./adapters/memory-store.ts";
export { MemoryWitness } from "./adapters/memory-witness.ts";
export { NanoIds } from "./adapters/basics.ts";
export { NodeDigest } from "./adapters/basics.ts";
export { NoWitness } from "./adapters/no-witness.ts";
export { PinoLogger } from "./adapters/pino-logger.ts";
export { RedisWitness } from "./adapters/redis-witness.ts";
export { SqliteStore } from "./adapters/sqlite-store.ts";
export { SqliteWitness } from "./adapters/sqlite-witness.ts";
export { SystemClock } from "./adapters/basics.ts";
export { SystemRandom } from "./adapters/basics.ts";
export { HttpPeerProbe } from "./adapters/http-peer-probe.ts";
export { WsPeerChannel } from "./adapters/ws-peer-channel/ws-peer-channel.ts";

export type {
  ChangeoverTarget,
  Config,
  EngineConfig,
  OutboxConfig,
  PeerLinkConfig,
  ReloadReport,
  SecretRef,
  TokenRef,
  TokenRole,
  WitnessConfig,
} from "./config/types.ts";
export type {
  Coordinator,
  CoordinatorState,
  PeerHealthReport,
  StandingAlarm,
  SyncHealthReport,
} from "./coordinator/types.ts";
export type { CoordinatorOptions } from "./actors/options.ts";
export type { Json } from "./core/canonical-json.ts";
export type { Command, Conflict, Durability } from "./core/command.ts";
export type { Alarm, AlarmCode, CoordinatorCounters, CoordinatorEvent } from "./core/events.ts";
export type { EngineId, Label, LockId } from "./core/ids.ts";
export type { Health, LeadershipCause, Maintenance, Role, StateSnapshot, SyncState } from "./core/messages.ts";
export type {
  AdoptOutcome,
  ApplySnapshotOutcome,
  CommandInput,
  ForceLeaderOutcome,
  ForceLeaderRequest,
  HandoverOutcome,
  ResolveChoice,
  ResolveOutcome,
  SnapshotOutcome,
  SubmitOutcome,
} from "./core/outcomes.ts";
export { type CommandSettings, DEFAULT_COMMANDS, type FailoverSettings, resolveFailover } from "./core/settings.ts";
export type { ChangeoverSwitch } from "./ports/changeover-switch.ts";
export type { Clock } from "./ports/basics.ts";
export type { ClockReading, ClockSource } from "./ports/basics.ts";
export type { CoordinatorPorts } from "./ports/coordinator-ports.ts";
export type { Engine, EngineHealth, EngineRead, ExecuteOutcome, RoleChange } from "./ports/engine.ts";
export type { FeedSink, Published, PublishFailure, PublishResult } from "./ports/feed-sink.ts";
export { type Link, type LinkConnection, type LinkEvents, MAX_FRAME_BYTES } from "./ports/link.ts";
export type { LogFields, Logger } from "./ports/basics.ts";
export type { PeerChannel } from "./ports/peer-channel.ts";
export type { PeerProbe } from "./ports/peer-channel.ts";
export type { LeadershipEntry, Store } from "./ports/store.ts";
export type {
  ExpectedRecord,
  LockAcquire,
  LockRead,
  LockRefresh,
  LockRelease,
  LockState,
  StrangeContent,
  Witness,
  WitnessRead,
  WitnessRecord,
  WitnessSwap,
} from "./ports/witness.ts";
export { isExpected, recordFromText } from "./adapters/witness-record.ts";
