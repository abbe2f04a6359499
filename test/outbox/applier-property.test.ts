/** Whatever the feed repeats, whenever the process dies: each event is applied once, in the order of its stack. */
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { MemoryFeed } from "../../src/adapters/memory-sink.ts";
import type { FeedRead, FeedSource } from "../../src/ports/feed-sink.ts";
import type { ControlEvent } from "../../src/core/control-event.ts";
import { anEvent } from "../../src/testing/feed-sink-contract.ts";
import { MemorySource } from "../contracts/memory-source.ts";
import { applierOf, appliedVersions, CrashingDatabase, type Db, openData } from "./applier-rig.ts";

const STACKS = ["programme", "records", "leadership"];
const databases: Db[] = [];
afterEach(() => {
  for (const db of databases.splice(0)) db.close();
});

/** A feed that holds doubles, as one does whose own memory for them has run out. */
class FeedWithDoubles extends MemoryFeed {
  append(event: ControlEvent): void {
    this.entries.push({ event, controlVersion: this.entries.length + 1 });
  }
}

/** Gives what stands before the cursor again, or nothing, or no answer. */
class UnreliableSource implements FeedSource {
  readonly #inner: FeedSource;
  readonly #moods: readonly number[];
  #reads = 0;

  constructor(feed: MemoryFeed, moods: readonly number[]) {
    this.#inner = new MemorySource(feed);
    this.#moods = moods;
  }

  async read(after: number, limit: number): Promise<FeedRead> {
    const mood = this.#moods[this.#reads % this.#moods.length] ?? 0;
    this.#reads += 1;
    if (mood === 9) return { outcome: "read", entries: [] };
    return this.#inner.read(Math.max(0, after - mood), Math.max(1, limit - mood));
  }

  acknowledge(through: number): Promise<void> {
    return this.#inner.acknowledge(through);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** Steps of a feed: the next event of a stack, or (negative) one of its earlier ones again. */
const feeds = fc.array(fc.record({ stack: fc.nat(2), back: fc.integer({ min: -3, max: 4 }) }), {
  minLength: 1,
  maxLength: 40,
});
const crashes = fc.array(fc.record({ at: fc.integer({ min: 1, max: 30 }), before: fc.boolean() }), { maxLength: 6 });
const moods = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 });

function fill(steps: readonly { stack: number; back: number }[]): { feed: FeedWithDoubles; highest: number[] } {
  const feed = new FeedWithDoubles();
  const highest = [0, 0, 0];
  for (const { stack, back } of steps) {
    const last = highest[stack] ?? 0;
    const version = back > 0 && last > 0 ? Math.max(1, last - back + 1) : last + 1;
    highest[stack] = Math.max(last, version);
    feed.append(anEvent(version, { stackId: STACKS[stack] ?? "" }));
  }
  return { feed, highest };
}

test("once and in order, over any doubles, redeliveries and crashes", { timeout: 120_000 }, async () => {
  const property = fc.asyncProperty(feeds, crashes, moods, async (steps, deaths, moodsOfFeed) => {
    const { feed, highest } = fill(steps);
    const db = openData();
    databases.push(db);
    for (const { at, before } of deaths) {
      const database = new CrashingDatabase(db, at, before ? "before" : "after");
      const doomed = applierOf({ source: new UnreliableSource(feed, moodsOfFeed), db, database });
      doomed.start();
      await database.died;
      await doomed.stop();
    }
    const source = new UnreliableSource(feed, [...moodsOfFeed, 0]);
    const applier = applierOf({ source, db });
    applier.start();
    await expect.poll(async () => (await applier.status()).cursor, { interval: 2 }).toBe(feed.entries.length);
    await applier.stop();
    expect((await applier.status()).held).toEqual([]);
    for (const [at, stack] of STACKS.entries()) {
      expect(appliedVersions(db, stack)).toEqual(Array.from({ length: highest[at] ?? 0 }, (_, index) => index + 1));
    }
  });
  await fc.assert(property, { numRuns: 150 });
});
