/** What the pump writes back, and what a follower believes. */
import { expect, test } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { MemoryFeed, MemorySink } from "../../src/adapters/memory-sink.ts";
import { MemoryStore } from "../../src/adapters/memory-store.ts";
import { FeedPlace } from "../../src/outbox/feed-place.ts";
import { PairMarks } from "../../src/outbox/pair-marks.ts";
import { Pump } from "../../src/outbox/pump.ts";
import { controlEvent } from "../contracts/outbox-contract.ts";
import { CountedIds } from "../contracts/store-samples.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const quiet = (): void => undefined;
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

function stored(...versions: number[]) {
  const { replica } = new MemoryStore({ ids: new CountedIds(), disk: new MemoryDisk() });
  for (const version of versions) replica.outbox.add(controlEvent("programme", version), 0);
  return replica;
}

test.each([true, false])("[VT5] a batch is written back only in the epoch it was sent in: %s", async (same) => {
  const clock = new VirtualClock();
  const replica = stored(1, 2);
  const feed = new MemoryFeed();
  const parts = { clock, replica, logger, random: { next: () => 0.5 }, host: { ports: { clock }, options: {} } };
  const asked: number[] = [];
  const pump = new Pump(
    { ...parts, sink: new MemorySink({ clock, feed }) },
    { maxAttempts: 3 },
    {
      ...{ mayPublish: () => 7, throughVersion: () => 9, writtenBack: quiet, wrote: quiet },
      mayWriteBack: (epoch) => {
        asked.push(epoch);
        return same;
      },
    },
  );
  pump.lead();
  await clock.pass(50);
  pump.close();
  expect(asked[0]).toBe(7);
  expect(feed.entries).toHaveLength(2);
  expect(replica.outbox.depth().waiting).toBe(same ? 0 : 2);
});

test("a follower believes a mark of the programme only where it holds that very command", () => {
  const replica = stored(1, 2);
  const marks = new PairMarks({ clock: new VirtualClock(), replica, tell: quiet });
  const mark = { stackId: "programme", version: 2, eventId: "of another log", controlVersion: 5 };
  marks.take([mark], null);
  expect(replica.outbox.depth().waiting).toBe(2);
  marks.take([{ ...mark, eventId: "programme-2" }], "feed_7");
  const place = new FeedPlace(replica);
  expect([place.feedId, place.reached]).toEqual(["feed_7", mark.controlVersion]);
  expect(replica.outbox.depth().waiting).toBe(0);
});
