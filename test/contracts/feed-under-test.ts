/** A feed whose ends are closed with it, for feeds that are servers. */
import type { FeedUnderTest } from "../../src/testing/feed-sink-contract.ts";

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
