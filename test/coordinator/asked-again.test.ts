/** The loser of a split has dropped what was on its way to it, and asks again: the winner does not wait for its answer. */
import { expect, test } from "vitest";
import { FilteredChannel, partedPair } from "./filtered-channel.ts";

test("[SB5] [I19] a state that the loser no longer waits for is sent again as soon as it asks", async () => {
  const { pair, channels } = await partedPair((inner) => new FilteredChannel(inner));
  channels.b.lost.add("snapshot-piece");
  pair.wire.mend("red");
  await pair.until(() => channels.b.count("snapshot-piece") > 0);
  channels.b.lost.clear();
  // The winner's own patience for this answer is ten seconds.
  await pair.until(() => pair.of("a").ready() && !pair.alarm("b", "split-brain"), 5_000);
  expect(pair.of("b").state().machines["split-brain"]).toBe("united");
});
