/** What the suites of the feed have in common: a feed with ways to it, and events to put there. */
import type { ControlEvent } from "../../src/core/control-event.ts";
import type { FeedSink, PublishResult } from "../../src/ports/feed-sink.ts";
import type { FeedEntry, FeedSource } from "../../src/ports/feed-source.ts";

/** One feed, empty at first. */
export interface FeedUnderTest {
  /** A further publisher's way to it. */
  readonly sink: () => FeedSink;
  /** A further consumer's way to it. */
  readonly source: (consumer: string) => FeedSource;
  /** Closes what was opened and lets the feed go. */
  readonly end: () => Promise<void>;
}

/** Event `version` of a stack, upon the one before it. */
export function anEvent(version: number, changed: Partial<ControlEvent> = {}): ControlEvent {
  const stackId = changed.stackId ?? "programme";
  return {
    eventId: `${stackId}:${version}`,
    eventType: "command.accepted",
    tenantId: "studio-1",
    stackId,
    version,
    baseVersion: version - 1,
    payload: { kind: "cut", to: version },
    ...changed,
  };
}

/** Events `from` … `to` of a stack. */
export function events(from: number, to: number, changed: Partial<ControlEvent> = {}): ControlEvent[] {
  return Array.from({ length: to - from + 1 }, (_, at) => anEvent(from + at, changed));
}

/** All that stands in the feed behind `after`, read page by page. */
export async function readAll(source: FeedSource, after = 0): Promise<FeedEntry[]> {
  const all: FeedEntry[] = [];
  let empty = 0;
  for (let cursor = after; empty < 3;) {
    const read = await source.read(cursor, 50);
    if (read.outcome !== "read") throw new Error(`the feed is ${read.outcome}`, { cause: read });
    empty = read.entries.length === 0 ? empty + 1 : 0;
    all.push(...read.entries);
    cursor = all.at(-1)?.controlVersion ?? after;
  }
  return all;
}

/** Publishes as the outbox does: what was not published is tried again, until all of it is. */
export async function publishAll(
  sink: FeedSink,
  batch: readonly ControlEvent[],
  tries = 2_000,
): Promise<PublishResult[]> {
  const results: PublishResult[] = [];
  let done = 0;
  while (done < batch.length) {
    if (results.length >= tries) throw new Error("not published", { cause: results.at(-1)?.failure });
    const result = await sink.publish(batch.slice(done));
    results.push(result);
    done += result.published.length;
    if (result.failure !== null) await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  return results;
}

/** The versions of a stack in the order of the feed. */
export function versionsOf(entries: readonly FeedEntry[], stackId = "programme"): number[] {
  return entries.flatMap(({ event }) => (event?.stackId === stackId ? [event.version] : []));
}

/** A feed whose ends are closed with it. */
export function opened(ways: Omit<FeedUnderTest, "end">): FeedUnderTest {
  const open: { close(): Promise<void> }[] = [];
  const kept = <End extends { close(): Promise<void> }>(end: End): End => {
    open.push(end);
    return end;
  };
  return {
    sink: () => kept(ways.sink()),
    source: (consumer) => kept(ways.source(consumer)),
    end: async () => void (await Promise.all(open.map(async (end) => end.close()))),
  };
}
