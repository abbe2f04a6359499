/** Feeds on real brokers: two pairs on one NATS, and feeds that are started over under the same name. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
import type { ControlEvent } from "../../src/core/control-event.ts";
import type { FeedSink, FeedSource, PublishResult } from "../../src/ports/feed-sink.ts";
import { anEvent, events, readAll } from "../../src/testing/feed-sink-contract.ts";
import { type NatsServer, startNats } from "../support/nats-server.ts";
import { startRedis } from "../support/redis-server.ts";
import type { ServerOptions, ServerProcess } from "../support/server-process.ts";
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

/** The disk of a broker is restored from a copy that lacks the last four events; the sink is open all the while. */
async function restoredOlder(
  start: (options: ServerOptions) => Promise<ServerProcess>,
  sinkTo: (url: string) => FeedSink,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "changeover-older-"));
  const [dir, copy] = [join(root, "disk"), join(root, "copy")];
  mkdirSync(dir);
  let server = await start({ dir });
  const sink = sinkTo(server.url);
  const again = async (disk: () => void): Promise<void> => {
    await server.stop();
    disk();
    server = await start({ dir, port: server.port });
  };
  const ends = async (batch: readonly ControlEvent[], ...place: [string?, number?]): Promise<PublishResult> => {
    const publish = async (): Promise<PublishResult> => sink.publish(batch, ...place);
    let result = await publish();
    await expect
      .poll(
        async () => {
          if (result.failure?.reason === "unavailable") result = await publish();
          return result.failure?.reason;
        },
        { timeout: 15_000 },
      )
      .not.toBe("unavailable");
    return result;
  };
  try {
    const { feedId } = await ends(events(1, 4));
    await again(() => cpSync(dir, copy, { recursive: true }));
    const { published } = await ends(events(5, 8), feedId);
    const reached = published.at(-1)?.controlVersion;
    await again(() => {
      rmSync(dir, { recursive: true });
      cpSync(copy, dir, { recursive: true });
    });
    const lost = await ends(events(9, 10), feedId, reached);
    expect(lost).toMatchObject({ published: [], failure: { reason: "lost" } });
    expect(String(lost.failure?.error)).toContain(`published was through ${reached}`);
    const filled = await ends(events(1, 10));
    expect(filled.failure).toBeNull();
    const given = filled.published.map(({ controlVersion }) => controlVersion);
    expect(given).toEqual([...given].sort((one, other) => one - other));
    expect((await ends(events(11, 12), filled.feedId, given.at(-1))).failure).toBeNull();
  } finally {
    await sink.close();
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  }
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

  it("F1: a stream that was restored from an older copy gets nothing until it is filled", { timeout: 90_000 }, () =>
    restoredOlder(startNats, (url) => new JetStreamSink({}, { url, stream: "older", maxBytes: 16_000_000 })),
  );

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

  it("F1: that was restored from an older copy gets nothing until it is filled", { timeout: 90_000 }, () =>
    restoredOlder(
      async (options) => startRedis({ ...options, args: ["--appendonly", "yes", "--appendfsync", "always"] }),
      (url) => new RedisStreamSink({ clock }, { url, stream: "older" }),
    ),
  );

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
