/** Feeds on real brokers: two pairs on one NATS, and feeds that are started over under the same name. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { flattened } from "../../src/adapters/sinks/event-text.ts";
import { JetStreamSink } from "../../src/adapters/sinks/jetstream-sink.ts";
import { JetStreamSource } from "../../src/adapters/sinks/jetstream-source.ts";
import { RedisStreamSink } from "../../src/adapters/sinks/redis-stream-sink.ts";
import { RedisStreamSource } from "../../src/adapters/sinks/redis-stream-source.ts";
import { Redis } from "ioredis";
import { SystemClock } from "../../src/adapters/basics.ts";
import type { FeedSink, FeedSource } from "../../src/ports/feed-sink.ts";
import { anEvent, events, readAll } from "../../src/testing/feed-sink-contract.ts";
import { type NatsServer, startNats } from "../support/nats-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { describeWithServer } from "../support/servers.ts";
import { applierOf, appliedVersions, openData } from "./applier-rig.ts";

const clock = new SystemClock();

/** Consumes four events, has the feed started over, publishes `anew` others, and expects that none is skipped. */
async function startedOver(sink: FeedSink, source: FeedSource, wipe: () => Promise<unknown>): Promise<void> {
  const { feedId = null } = await sink.publish(events(1, 4));
  expect(feedId).toMatch(/^feed_/);
  const db = openData();
  const applier = applierOf({ source, db });
  applier.start();
  await expect.poll(() => appliedVersions(db), { timeout: 10_000 }).toEqual([1, 2, 3, 4]);
  await wipe();
  await expect
    .poll(async () => (await sink.publish(events(1, 6), feedId)).failure?.reason, { timeout: 10_000 })
    .toBe("lost");
  await expect.poll(async () => (await sink.publish(events(1, 6))).failure, { timeout: 10_000 }).toBeNull();
  await expect.poll(async () => (await applier.status()).state, { timeout: 15_000 }).toBe("lost");
  expect(appliedVersions(db)).toEqual([1, 2, 3, 4]);
  await applier.resync();
  await expect.poll(() => appliedVersions(db), { timeout: 15_000 }).toEqual([1, 2, 3, 4, 5, 6]);
  await applier.stop();
  await Promise.all([sink.close(), source.close()]);
}

describeWithServer("nats-server", "feeds in one NATS", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(async () => server.stop());

  it("F2: two pairs with different streams both publish", async () => {
    const { url } = server;
    for (const stream of ["changeover", "studio-1", "studio-2"]) {
      const sink = new JetStreamSink({}, { url, stream, maxBytes: 16_000_000 });
      expect(await sink.publish(events(1, 3)), stream).toMatchObject({ published: [{}, {}, {}], failure: null });
      await sink.close();
    }
  });

  it("F2: a stream whose subject another stream takes says so, naming the field", async () => {
    const { url } = server;
    const first = new JetStreamSink({}, { url, stream: "taken", subjectPrefix: "shared", maxBytes: 16_000_000 });
    expect((await first.publish(events(1, 1))).failure).toBeNull();
    const other = new JetStreamSink({}, { url, stream: "taken", subjectPrefix: "elsewhere", maxBytes: 16_000_000 });
    const { failure } = await other.publish(events(2, 2));
    expect(String(failure?.error)).toContain("outbox.subject: stream taken does not take elsewhere.>");
    await Promise.all([first.close(), other.close()]);
  });

  it("outbox.format flat: bodies in snake case, which our own reader takes too", async () => {
    const init = { url: server.url, stream: "flat" };
    const sink = new JetStreamSink({}, { ...init, format: "flat", maxBytes: 16_000_000 });
    const source = new JetStreamSource({ clock }, { ...init, consumer: "c" });
    expect((await sink.publish(events(1, 3))).failure).toBeNull();
    const connection = await connect({ servers: new URL(server.url).host });
    const stored = await (await jetstreamManager(connection)).streams.getMessage("flat", { seq: 2 });
    expect(stored?.json()).toEqual(flattened(anEvent(2)));
    await connection.close();
    expect((await readAll(source)).map(({ event }) => event)).toEqual(events(1, 3));
    await Promise.all([sink.close(), source.close()]);
  });

  it("F1: a stream that was deleted and made again under its name is another feed", { timeout: 60_000 }, async () => {
    const init = { url: server.url, stream: "again" };
    const sink = new JetStreamSink({}, { ...init, maxBytes: 16_000_000 });
    const source = new JetStreamSource({ clock }, { ...init, consumer: "c" });
    await startedOver(sink, source, async () => {
      const connection = await connect({ servers: new URL(server.url).host });
      await (await jetstreamManager(connection)).streams.delete("again");
      await connection.close();
    });
  });
});

describeWithServer("redis-server", "a feed in Redis", () => {
  it("outbox.format flat: entries in snake case with their control_version, which our own reader takes too", async () => {
    const server = await startRedis();
    const init = { url: server.url, stream: "flat" };
    const sink = new RedisStreamSink({ clock }, { ...init, format: "flat" });
    const source = new RedisStreamSource({ clock }, { ...init, consumer: "c" });
    const admin = new Redis(server.url);
    try {
      const { published, failure } = await sink.publish(events(1, 3));
      expect(failure).toBeNull();
      const entries = await admin.xrange("changeover:{flat}:feed", "-", "+");
      const texts = entries.map(([, [first, id, second, text]]) => ({ first, id, second, text }));
      expect(texts[1]).toMatchObject({ first: "event_id", id: "programme:2", second: "event" });
      expect(JSON.parse(texts[1]?.text ?? "")).toEqual({
        control_version: published[1]?.controlVersion,
        ...flattened(anEvent(2)),
      });
      expect((await sink.publish(events(2, 2))).published).toEqual([{ ...published[1], duplicate: true }]);
      expect((await readAll(source)).map(({ event }) => event)).toEqual(events(1, 3));
    } finally {
      await Promise.all([sink.close(), source.close()]);
      await admin.quit();
      await server.stop();
    }
  });

  it("F1: that was flushed is another feed", { timeout: 60_000 }, async () => {
    const server = await startRedis();
    const init = { url: server.url, stream: "again" };
    const sink = new RedisStreamSink({ clock }, init);
    const source = new RedisStreamSource({ clock }, { ...init, consumer: "c" });
    try {
      await startedOver(sink, source, async () => {
        const admin = new Redis(server.url);
        await admin.flushall();
        await admin.quit();
      });
    } finally {
      await server.stop();
    }
  });
});
