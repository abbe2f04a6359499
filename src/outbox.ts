/**
 * The public API of the outbox, `changeover/outbox`: events that are written in the transaction of the change they tell
 * of, published to a feed in the order of their stack, and applied by a consumer once each. An engine of a pair has the
 * publishing half by its configuration (`outbox`); this is for programs that add events of their own, bring a sink of
 * their own, or read the feed.
 */
export { appendOutbox, type OutboxTransaction } from "./outbox/append.ts";
export type { DeadLetter, OutboxAction, OutboxStatus } from "./outbox/outbox.ts";
export { type ControlEvent, PROGRAMME, requireControlEvent, SKIPPED, type StackMark } from "./core/control-event.ts";
export { DEFAULT_OUTBOX, type OutboxSettings } from "./core/settings.ts";
export { MemoryFeed, MemorySink, type MemorySinkInit, type SinkFault } from "./adapters/memory-sink.ts";
export type { FeedFormat } from "./adapters/sinks/event-text.ts";
export { FileSink, type FileSinkInit } from "./adapters/sinks/file-sink.ts";
export { JetStreamSink, type JetStreamSinkInit } from "./adapters/sinks/jetstream-sink.ts";
export { NopSink } from "./adapters/sinks/fan-out-sink.ts";
export { RedisStreamSink, type RedisStreamSinkInit } from "./adapters/sinks/redis-stream-sink.ts";
export { FileSource, type FileSourceInit } from "./adapters/sinks/file-source.ts";
export { RedisStreamSource, type RedisStreamSourceInit } from "./adapters/sinks/redis-stream-source.ts";
export { JetStreamSource, type JetStreamSourceInit } from "./adapters/sinks/jetstream-source.ts";
export { FileArtifactStore, type FileArtifactStoreInit } from "./adapters/file-artifact-store.ts";
export { SqliteConsumer } from "./adapters/sqlite-consumer.ts";
export {
  type Applier,
  type ApplierComponents,
  type ApplierInit,
  type ApplierStatus,
  createApplier,
} from "./outbox/applier.ts";
export type { Handler, Handlers } from "./outbox/applier-step.ts";
export type { Artifact, ArtifactStore } from "./ports/feed-sink.ts";
export type { FeedEntry, FeedRead, FeedSource } from "./ports/feed-sink.ts";
export type {
  Answer,
  AppliedNotes,
  AppliedStack,
  ConsumerDatabase,
  Decision,
  HoldReason,
  StackHold,
  StackKey,
} from "./ports/feed-sink.ts";
export type { FeedSink, Published, PublishFailure, PublishResult } from "./ports/feed-sink.ts";
