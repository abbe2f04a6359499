/** Purpose: sinks that break their promises, for planted bugs of the outbox. */
import type { CoordinatorPorts } from "../../coordinator/types.ts";
import type { ControlEvent } from "../../core/control-event.ts";
import type { FeedSink, PublishResult } from "../../ports/feed-sink.ts";

const LATE_MS = 300;

/** What is only on its way is said to stand in the feed. */
export function markedBeforeSent(ports: CoordinatorPorts): CoordinatorPorts {
  return withPublish(ports, async (sink, batch) => {
    ports.clock.setTimeout(() => void sink.publish(batch), LATE_MS);
    return {
      published: batch.map(({ eventId }) => ({ eventId, controlVersion: 1, duplicate: false })),
      failure: null,
    };
  });
}

/** While the first one is tried again, those behind it go out. */
export function retriedOutOfOrder(ports: CoordinatorPorts): CoordinatorPorts {
  return withPublish(ports, async (sink, batch) => {
    const first = await sink.publish(batch.slice(0, 1));
    const rest = batch.slice(1);
    if (first.failure !== null) {
      if (rest.length > 0) await sink.publish(rest);
      return first;
    }
    const others = rest.length > 0 ? await sink.publish(rest) : first;
    return rest.length > 0 ? { ...others, published: [...first.published, ...others.published] } : first;
  });
}

function withPublish(
  ports: CoordinatorPorts,
  publish: (sink: FeedSink, batch: readonly ControlEvent[]) => Promise<PublishResult>,
): CoordinatorPorts {
  const { sink = null } = ports;
  if (sink === null) return ports;
  return { ...ports, sink: { publish: (batch) => publish(sink, batch), close: () => sink.close() } };
}
