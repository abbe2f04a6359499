/** Contract of the port FeedSink, for every sink that keeps a feed; what a reader then sees is part of it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FeedSink } from "../../src/ports/feed-sink.ts";
import { anEvent, events, type FeedUnderTest, publishAll, readAll, versionsOf } from "./feed-under-test.ts";

export function feedSinkContract(name: string, make: () => Promise<FeedUnderTest>): void {
  describe(`feed sink contract: ${name}`, () => {
    let given: FeedUnderTest;
    let sink: FeedSink;
    beforeEach(async () => {
      given = await make();
      sink = given.sink();
    });
    afterEach(async () => given.end());
    const way = (): readonly [FeedSink, FeedUnderTest] => [sink, given];
    ordering(way);
    doubles(way);
    refusing(way);
    racing(way);
    closing(way);
  });
}

type Way = () => readonly [FeedSink, FeedUnderTest];

function ordering(way: Way): void {
  it("publishes a batch whole, in its order, with rising numbers", async () => {
    const [sink, given] = way();
    const batch = events(1, 300);
    const result = await sink.publish(batch);
    expect(result.failure).toBeNull();
    expect(result.published.map(({ eventId }) => eventId)).toEqual(batch.map(({ eventId }) => eventId));
    const numbers = result.published.map(({ controlVersion }) => controlVersion);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(300);
    const entries = await readAll(given.source("reader"));
    expect(entries).toEqual(batch.map((event, at) => ({ controlVersion: numbers[at], event })));
  });

  it("takes an empty batch for what it is", async () => {
    const [sink] = way();
    expect(await sink.publish([])).toMatchObject({ published: [], failure: null });
  });

  it("keeps each of several stacks in its order while they are published at once", async () => {
    const [sink, given] = way();
    const stacks = ["programme", "records/√ .*>", "../leadership", "a b"];
    const results = await Promise.all(stacks.map(async (stackId) => publishAll(sink, events(1, 40, { stackId }))));
    expect(results.flat().filter(({ failure }) => failure !== null)).toEqual([]);
    const entries = await readAll(given.source("reader"));
    for (const stackId of stacks) expect(versionsOf(entries, stackId)).toEqual(events(1, 40).map((e) => e.version));
  });

  it("gives every field back as it was, also the unusual ones", async () => {
    const [sink, given] = way();
    const odd = anEvent(1, {
      eventId: "../../√ %41\n: *>",
      tenantId: ".",
      stackId: "..",
      version: Number.MAX_SAFE_INTEGER,
      artifactRef: "sha256/ab",
      checksum: "ab",
      payload: { text: "line\u2028\u0000", list: [null, 1.5, { deep: [] }] },
    });
    expect((await sink.publish([odd])).failure).toBeNull();
    expect((await readAll(given.source("reader")))[0]?.event).toEqual(odd);
  });
}

function doubles(way: Way): void {
  it("gives an event that stands in the feed the number it has, and keeps it once", async () => {
    const [sink, given] = way();
    const first = await sink.publish(events(1, 10));
    const again = await sink.publish(events(1, 10));
    const published = first.published.map((it) => ({ ...it, duplicate: true }));
    expect(again).toEqual({ failure: null, published, feedId: first.feedId });
    expect(first.feedId).toMatch(/^feed_/);
    expect(versionsOf(await readAll(given.source("reader")))).toEqual(events(1, 10).map((e) => e.version));
  });

  it("goes on behind doubles in the same batch, as another publisher too", async () => {
    const [sink, given] = way();
    await sink.publish(events(1, 7));
    const successor = given.sink();
    const result = await successor.publish(events(3, 12));
    expect(result.failure).toBeNull();
    expect(result.published.map(({ duplicate }) => duplicate)).toEqual(
      events(3, 12).map(({ version }) => version <= 7),
    );
    expect(versionsOf(await readAll(given.source("reader")))).toEqual(events(1, 12).map((e) => e.version));
  });
}

function refusing(way: Way): void {
  it("refuses an event that is too large, with those before it published and none behind it", async () => {
    const [sink, given] = way();
    const batch = [anEvent(1), anEvent(2), anEvent(3, { payload: "x".repeat(1_100_000) }), anEvent(4)];
    const result = await sink.publish(batch);
    expect(result.published.map(({ eventId }) => eventId)).toEqual(["programme:1", "programme:2"]);
    expect(result.failure?.reason).toBe("refused");
    expect(versionsOf(await readAll(given.source("reader")))).toEqual([1, 2]);
    // Other stacks are none the worse.
    expect((await sink.publish([anEvent(1, { stackId: "other" })])).failure).toBeNull();
  });

  it("takes an event just below the bound", async () => {
    const [sink, given] = way();
    const large = anEvent(1, { payload: "x".repeat(990_000) });
    expect((await sink.publish([large])).failure).toBeNull();
    expect((await readAll(given.source("reader")))[0]?.event).toEqual(large);
  });
}

function racing(way: Way): void {
  it("two publishers of the same rows leave each of them once and in order", async () => {
    const [sink, given] = way();
    const rival = given.sink();
    const batch = events(1, 120);
    const pieces = async (one: FeedSink, size: number): Promise<void> => {
      for (let at = 0; at < batch.length; at += size) await publishAll(one, batch.slice(at, at + size));
    };
    await Promise.all([pieces(sink, 7), pieces(rival, 11)]);
    expect(versionsOf(await readAll(given.source("reader")))).toEqual(batch.map((e) => e.version));
  });

  it("two publishers of different stacks keep the order of both", async () => {
    const [sink, given] = way();
    const rival = given.sink();
    const pieces = async (one: FeedSink, stackId: string): Promise<void> => {
      for (let from = 1; from <= 121; from += 10) await publishAll(one, events(from, from + 9, { stackId }));
    };
    await Promise.all([pieces(sink, "left"), pieces(rival, "right")]);
    const entries = await readAll(given.source("reader"));
    for (const side of ["left", "right"])
      expect(versionsOf(entries, side)).toEqual(events(1, 130).map((e) => e.version));
  });
}

function closing(way: Way): void {
  it("can be closed twice, and says afterwards that it is not there", async () => {
    const [sink] = way();
    await sink.publish([anEvent(1)]);
    await Promise.all([sink.close(), sink.close()]);
    await sink.close();
    expect(await sink.publish([anEvent(2)])).toMatchObject({ published: [], failure: { reason: "unavailable" } });
  });
}
