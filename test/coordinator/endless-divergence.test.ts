/** A loser that never comes to the end of its divergent commands does not keep the winner busy without end. */
import { expect, test } from "vitest";
import type { PeerMessage } from "../../src/core/messages.ts";
import { FilteredChannel, partedPair } from "./filtered-channel.ts";

class EndlessChannel extends FilteredChannel {
  endless = false;

  override send(message: PeerMessage): boolean {
    return super.send(this.endless && message.type === "divergence-page" ? { ...message, done: false } : message);
  }
}

test("[SB2] [SB5] pages without an end are given up, and tried again later", async () => {
  const { pair, channels } = await partedPair((inner) => new EndlessChannel(inner));
  for (const channel of Object.values(channels)) channel.endless = true;
  pair.wire.mend("red");
  await pair.clock.pass(3_000);
  const asked = channels.a.count("divergence-request");
  const askedByB = channels.b.count("divergence-request");
  expect(asked + askedByB).toBeGreaterThan(0);
  expect(asked + askedByB).toBeLessThan(50);
  for (const channel of Object.values(channels)) channel.endless = false;
  await pair.until(() => pair.of("a").ready() && pair.of("b").ready(), 90_000);
  expect(pair.member("a").engine.chain).toBe(pair.member("b").engine.chain);
});
