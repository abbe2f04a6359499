/**
 * The contract of the port FeedSink, for every sink that keeps a feed; what a reader then sees is part of it. A sink whose
 * feed cannot be read back by a `FeedSource` brings one for its tests.
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { ControlEvent } from "../core/control-event.ts";
import type { FeedSink, PublishResult, FeedEntry, FeedSource } from "../ports/feed-sink.ts";
import { type ContractCase, type Declare, collectCases, like } from "./contract.ts";

/** One feed, empty at first. */
export interface FeedUnderTest {
  /** A further publisher's way to it. */
  readonly sink: () => FeedSink;
  /** A further consumer's way to it. */
  readonly source: (consumer: string) => FeedSource;
  /** Closes what was opened and lets the feed go. */
  readonly end: () => Promise<void>;
}

/** Event `version` of a stack, after the one before it. */
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
    if (result.failure !== null) await delay(10);
  }
  return results;
}

/** The versions of a stack in the order of the feed. */
export function versionsOf(entries: readonly FeedEntry[], stackId = "programme"): number[] {
  return entries.flatMap(({ event }) => (event?.stackId === stackId ? [event.version] : []));
}

interface Stage {
  readonly sink: FeedSink;
  readonly given: FeedUnderTest;
}

/** The cases that a sink has to pass. */
export function feedSinkContract(make: () => Promise<FeedUnderTest>): readonly ContractCase[] {
  return collectCases<Stage>([ordering, doubles, refusing, racing, closing], async (body) => {
    const given = await make();
    try {
      await body({ sink: given.sink(), given });
    } finally {
      await given.end();
    }
  });
}

function ordering(it: Declare<Stage>): void {
  it("publishes a batch whole, in its order, with rising numbers", async ({ sink, given }) => {
    const batch = events(1, 300);
    const result = await sink.publish(batch);
    equal(result.failure, null);
    deepEqual(
      result.published.map(({ eventId }) => eventId),
      batch.map(({ eventId }) => eventId),
    );
    const numbers = result.published.map(({ controlVersion }) => controlVersion);
    deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
    equal(new Set(numbers).size, 300);
    const entries = await readAll(given.source("reader"));
    deepEqual(
      entries,
      batch.map((event, at) => ({ controlVersion: numbers[at], event })),
    );
  });

  it("takes an empty batch for what it is", async ({ sink }) => {
    like(await sink.publish([]), { published: [], failure: null });
  });

  it("keeps each of several stacks in its order while they are published at once", async ({ sink, given }) => {
    const stacks = ["programme", "records/√ .*>", "../leadership", "a b"];
    const results = await Promise.all(stacks.map(async (stackId) => publishAll(sink, events(1, 40, { stackId }))));
    deepEqual(
      results.flat().filter(({ failure }) => failure !== null),
      [],
    );
    const entries = await readAll(given.source("reader"));
    for (const stackId of stacks)
      deepEqual(
        versionsOf(entries, stackId),
        events(1, 40).map((e) => e.version),
      );
  });

  it("gives every field back as it was, also the unusual ones", async ({ sink, given }) => {
    const odd = anEvent(1, {
      eventId: "../../√ %41\n: *>",
      tenantId: ".",
      stackId: "..",
      version: Number.MAX_SAFE_INTEGER,
      artifactRef: "sha256/ab",
      checksum: "ab",
      payload: { text: "line\u2028\u0000", list: [null, 1.5, { deep: [] }] },
    });
    equal((await sink.publish([odd])).failure, null);
    deepEqual((await readAll(given.source("reader")))[0]?.event, odd);
  });
}

function doubles(it: Declare<Stage>): void {
  it("gives an event that stands in the feed the number it has, and keeps it once", async ({ sink, given }) => {
    const first = await sink.publish(events(1, 10));
    const again = await sink.publish(events(1, 10));
    const published = first.published.map((it) => ({ ...it, duplicate: true }));
    deepEqual(again, { failure: null, published, feedId: first.feedId });
    match(first.feedId ?? "", /^feed_/);
    deepEqual(
      versionsOf(await readAll(given.source("reader"))),
      events(1, 10).map((e) => e.version),
    );
  });

  it("goes on behind doubles in the same batch, as another publisher too", async ({ sink, given }) => {
    await sink.publish(events(1, 7));
    const successor = given.sink();
    const result = await successor.publish(events(3, 12));
    equal(result.failure, null);
    deepEqual(
      result.published.map(({ duplicate }) => duplicate),
      events(3, 12).map(({ version }) => version <= 7),
    );
    deepEqual(
      versionsOf(await readAll(given.source("reader"))),
      events(1, 12).map((e) => e.version),
    );
  });
}

function refusing(it: Declare<Stage>): void {
  it("refuses an event that is too large, with those before it published and none behind it", async ({
    sink,
    given,
  }) => {
    const batch = [anEvent(1), anEvent(2), anEvent(3, { payload: "x".repeat(1_100_000) }), anEvent(4)];
    const result = await sink.publish(batch);
    deepEqual(
      result.published.map(({ eventId }) => eventId),
      ["programme:1", "programme:2"],
    );
    equal(result.failure?.reason, "refused");
    deepEqual(versionsOf(await readAll(given.source("reader"))), [1, 2]);
    // Other stacks are none the worse.
    equal((await sink.publish([anEvent(1, { stackId: "other" })])).failure, null);
  });

  it("takes an event just below the bound", async ({ sink, given }) => {
    const large = anEvent(1, { payload: "x".repeat(990_000) });
    equal((await sink.publish([large])).failure, null);
    deepEqual((await readAll(given.source("reader")))[0]?.event, large);
  });
}

function racing(it: Declare<Stage>): void {
  it("two publishers of the same rows leave each of them once and in order", async ({ sink, given }) => {
    const rival = given.sink();
    const batch = events(1, 120);
    const pieces = async (one: FeedSink, size: number): Promise<void> => {
      for (let at = 0; at < batch.length; at += size) await publishAll(one, batch.slice(at, at + size));
    };
    await Promise.all([pieces(sink, 7), pieces(rival, 11)]);
    deepEqual(
      versionsOf(await readAll(given.source("reader"))),
      batch.map((e) => e.version),
    );
  });

  it("two publishers of different stacks keep the order of both", async ({ sink, given }) => {
    const rival = given.sink();
    const pieces = async (one: FeedSink, stackId: string): Promise<void> => {
      for (let from = 1; from <= 121; from += 10) await publishAll(one, events(from, from + 9, { stackId }));
    };
    await Promise.all([pieces(sink, "left"), pieces(rival, "right")]);
    const entries = await readAll(given.source("reader"));
    for (const side of ["left", "right"])
      deepEqual(
        versionsOf(entries, side),
        events(1, 130).map((e) => e.version),
      );
  });
}

function closing(it: Declare<Stage>): void {
  it("can be closed twice, and says afterwards that it is not there", async ({ sink }) => {
    await sink.publish([anEvent(1)]);
    await Promise.all([sink.close(), sink.close()]);
    await sink.close();
    like(await sink.publish([anEvent(2)]), { published: [], failure: { reason: "unavailable" } });
  });
}
