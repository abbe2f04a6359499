/** Whether an engine may act is computed at every question, never remembered [VT5]. */
import { expect, test } from "vitest";
import { FilteredChannel, filteredPair } from "./filtered-channel.ts";

test("VT5: under `consistency` a leader may act exactly as long as a vote counts, at every millisecond", async () => {
  const settings = { failover: { policy: "consistency", heartbeatMs: 190 }, witness: false } as const;
  const { pair, channels } = await filteredPair((inner) => new FilteredChannel(inner), settings);
  await pair.clock.pass(300);
  channels.b.lost.add("heartbeat");
  for (let ms = 0; ms < 1_000; ms += 1) {
    const { votes, mayAct } = pair.of("a").state();
    expect(mayAct, `with ${votes.peerMs} ms left`).toBe(votes.peerMs > 0);
    await pair.clock.pass(1);
  }
  expect(pair.of("a").mayAct()).toBe(false);
});
