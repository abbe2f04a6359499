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
export { FileSink, type FileSinkInit } from "./adapters/sinks/file-sink.ts";
export { JetStreamSink, type JetStreamSinkInit } from "./adapters/sinks/jetstream-sink.ts";
export { NopSink } from "./adapters/sinks/nop-sink.ts";
export { RedisStreamSink, type RedisStreamSinkInit } from "./adapters/sinks/redis-stream-sink.ts";
export type { FeedSink, Published, PublishFailure, PublishResult } from "./ports/feed-sink.ts";
