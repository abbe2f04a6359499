/**
 * Purpose: the answers of a sink, put together in one way.
 */
import { ChangeoverError } from "../../core/errors.ts";
import type { ControlEvent } from "../../core/control-event.ts";
import type { Published, PublishFailure, PublishResult } from "../../ports/feed-sink.ts";

/** The batch ended before its end. */
export function failed(
  published: readonly Published[],
  reason: PublishFailure["reason"],
  error: unknown,
): PublishResult {
  return { published, failure: { reason, error } };
}

/** The feed was started over: it has another name than the one that was published to. */
export function feedLost(expected: string, found: string): PublishResult {
  const message = `the feed was started over: it is ${found}, published was to ${expected}; run changeover outbox resync`;
  return failed([], "lost", new ChangeoverError("feed_lost", message, { details: { expected, found } }));
}

/** Nobody can be asked any more. */
export function sinkClosed(): ChangeoverError {
  return new ChangeoverError("stopped", "the sink is closed");
}

/** This event will never be taken as it is. */
export function notTaken(event: ControlEvent, why: string): ChangeoverError {
  return new ChangeoverError("invalid_event", `the feed does not take this event: ${why}`, {
    details: { eventId: event.eventId.slice(0, 200), why },
  });
}
