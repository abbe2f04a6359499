/** The loser of a split has taken the winner's state, and its last answer is lost: the recovery is over all the same. */
import { expect, test } from "vitest";
import type { CommandConflict } from "../../src/core/command.ts";
import { FilteredChannel, partedPair } from "./filtered-channel.ts";

test("[SB5] the answer after the adoption is lost: the alarm clears, and nothing that stands is listed as a conflict", async () => {
  const { pair, channels } = await partedPair((inner) => new FilteredChannel(inner));
  channels.a.lost.add("reconciled");
  pair.wire.mend("red");
  await pair.until(() => channels.a.count("reconciled") > 0);
  await pair.until(() => pair.of("a").ready() && !pair.alarm("b", "split-brain"), 5_000);
  expect(pair.of("b").state().machines["split-brain"]).toBe("united");
  for (const label of ["a", "b"] as const) {
    const listed = pair.of(label).conflicts(10) as readonly CommandConflict[];
    expect(listed.map(({ divergent }) => divergent.payload)).toEqual([{ source: "LOSER" }]);
  }
});
