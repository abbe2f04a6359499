/** What brokers bring along: bounds of what they keep, users, streams that are there, a memory that was emptied. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { JetStreamSink, type JetStreamSinkInit } from "../../src/adapters/sinks/jetstream-sink.ts";
import { JetStreamSource } from "../../src/adapters/sinks/jetstream-source.ts";
import { RedisStreamSink } from "../../src/adapters/sinks/redis-stream-sink.ts";
import { RedisStreamSource } from "../../src/adapters/sinks/redis-stream-source.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { anEvent, events, publishAll, readAll, versionsOf } from "../../src/testing/feed-sink-contract.ts";
import { type NatsOptions, type NatsServer, startNats } from "../support/nats-server.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { describeWithServer } from "../support/servers.ts";

const clock = new SystemClock();

/** Ends with the test. */
function ending<Thing extends { close(): Promise<void> } | { stop(): Promise<void> }>(thing: Thing): Thing {
  onTestFinished(async () => ("close" in thing ? thing.close() : thing.stop()));
  return thing;
}

describeWithServer("redis-server", "a feed in Redis", () => {
  const start = async (): Promise<RedisServer> => ending(await startRedis());
  const RIGHTS = "-@all +ping +info +client|setname +evalsha +eval +exists +xinfo|stream ";

  test("keeps the newest, forgets the ids of what is gone, and tells a reader who was away", async () => {
    const { url } = await start();
    const sink = ending(new RedisStreamSink({ clock }, { url, stream: "s", maxLength: 10 }));
    const { published } = await sink.publish(events(1, 30));
    const admin = new Redis(url);
    onTestFinished(() => admin.disconnect());
    expect([await admin.xlen("changeover:{s}:feed"), await admin.hlen("changeover:{s}:feed-ids")]).toEqual([10, 10]);
    const source = ending(new RedisStreamSource({ clock }, { url, stream: "s", consumer: "reader" }));
    expect(versionsOf(await readAll(source))).toEqual(events(21, 30).map(({ version }) => version));
    const oldest = published[20]?.controlVersion;
    expect(await source.read(published[4]?.controlVersion ?? 0, 5)).toEqual({
      outcome: "lost",
      why: "trimmed",
      oldest,
    });
    await source.acknowledge(oldest ?? 0);
    expect(await admin.xinfo("GROUPS", "changeover:{s}:feed")).toMatchObject([
      expect.arrayContaining(["reader", `${oldest}-0`]),
    ]);
  });

  test("an emptied Redis is not taken for the feed that was read", async () => {
    const { url } = await start();
    const sink = ending(new RedisStreamSink({ clock }, { url, stream: "s" }));
    const source = ending(new RedisStreamSource({ clock }, { url, stream: "s", consumer: "reader" }));
    const { published } = await sink.publish(events(1, 3));
    const cursor = published[2]?.controlVersion ?? 0;
    const admin = new Redis(url);
    onTestFinished(() => admin.disconnect());
    await admin.flushall();
    expect(await source.read(cursor, 5)).toMatchObject({ outcome: "lost", why: "restarted" });
    await expect.poll(async () => Number((await admin.time())[0]) * 1_000).toBeGreaterThan(cursor);
    const again = await sink.publish(events(3, 4));
    expect(again.published.map(({ duplicate }) => duplicate)).toEqual([false, false]);
    expect(await source.read(cursor, 5)).toMatchObject({ outcome: "lost", why: "trimmed" });
  });

  test("the rights that docs/feed.md names are enough, and are needed", async () => {
    const { url } = await start();
    const admin = new Redis(url);
    onTestFinished(() => admin.disconnect());
    const users = {
      publisher: "+time +del +get +set +hget +hset +hdel +xadd +xlen +xrange +xtrim",
      consumer: "+get +xrange +xgroup",
    };
    for (const [name, more] of Object.entries(users)) {
      await admin.call("ACL", "SETUSER", name, "on", ">secret", "~changeover:*", ...(RIGHTS + more).split(" "));
    }
    const as = (name: string): string => url.replace("//", `//${name}:secret@`);
    const sink = ending(new RedisStreamSink({ clock }, { url: as("publisher"), stream: "s", maxLength: 2 }));
    expect((await sink.publish(events(1, 4))).failure).toBeNull();
    const place = { url: as("consumer"), stream: "s", consumer: "reader" };
    const source = ending(new RedisStreamSource({ clock }, place));
    expect(versionsOf(await readAll(source))).toEqual([3, 4]);
    const intruder = ending(new RedisStreamSink({ clock }, { url: as("consumer"), stream: "s" }));
    expect(await intruder.publish([anEvent(5)])).toMatchObject({ failure: { reason: "unavailable" } });
  });
});

describeWithServer("nats-server", "a feed in NATS", () => {
  const start = async (options: NatsOptions = {}): Promise<NatsServer> => ending(await startNats(options));
  const sinkAt = (url: string, more: Partial<JetStreamSinkInit> = {}): JetStreamSink =>
    ending(new JetStreamSink({}, { url, stream: "FEED", ...more }));

  test("a user, a token and a wrong password", async () => {
    const { url } = await start({ args: ["--user", "ann", "--pass", "p@ss"] });
    expect(await sinkAt(url).publish([anEvent(1)])).toMatchObject({ failure: { reason: "unavailable" } });
    const wrong = sinkAt(url.replace("//", "//ann:wrong@"));
    expect(await wrong.publish([anEvent(1)])).toMatchObject({ failure: { reason: "unavailable" } });
    expect((await sinkAt(url.replace("//", "//ann:p%40ss@")).publish([anEvent(1)])).failure).toBeNull();
    const withToken = await start({ args: ["--auth", "t0ken"] });
    expect((await sinkAt(withToken.url.replace("//", "//t0ken@")).publish([anEvent(1)])).failure).toBeNull();
  });

  test("a stream that is there stays as it is; what it does not take is refused", async () => {
    const { url } = await start();
    const connection = ending(await connect({ servers: url }));
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "FEED", subjects: ["changeover.>"], max_msg_size: 2_000, max_msgs: 10 });
    const sink = sinkAt(url);
    const batch = [anEvent(1), anEvent(2, { payload: "x".repeat(3_000) }), anEvent(3)];
    const result = await sink.publish(batch);
    expect(result).toMatchObject({ published: [{ eventId: "programme:1" }], failure: { reason: "refused" } });
    expect((await sink.publish(events(2, 30))).failure).toBeNull();
    const source = ending(new JetStreamSource({ clock }, { url, stream: "FEED", consumer: "reader" }));
    expect(versionsOf(await readAll(source))).toEqual(events(21, 30).map(({ version }) => version));
    expect(await source.read(5, 5)).toEqual({ outcome: "lost", why: "trimmed", oldest: 21 });
    expect((await manager.streams.info("FEED")).config.max_msg_size).toBe(2_000);
  });

  test("a foreign message between two of a stack breaks no order; a removed stream is made again", async () => {
    const { url } = await start();
    const connection = ending(await connect({ servers: url }));
    const sink = sinkAt(url);
    await sink.publish([anEvent(1)]);
    const noise = (async () => {
      for (let at = 0; at < 200; at += 1) {
        connection.publish("FEED.noise.x", "not an event");
        await connection.flush();
      }
    })();
    for (let from = 2; from <= 402; from += 50) await publishAll(sink, events(from, from + 49));
    await noise;
    const all = await readAll(ending(new JetStreamSource({ clock }, { url, stream: "FEED", consumer: "reader" })));
    expect(versionsOf(all)).toEqual(events(1, 451).map(({ version }) => version));
    expect(all.filter(({ event }) => event === null)).toHaveLength(200);
    await (await jetstreamManager(connection)).streams.delete("FEED");
    expect((await sink.publish([anEvent(500)])).failure?.reason).toBe("unavailable");
    expect((await sink.publish([anEvent(500)])).failure).toBeNull();
  });
});
