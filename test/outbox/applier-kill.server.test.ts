/** A consumer of a feed in Redis and in NATS, killed again and again: everything is applied once and in order. */
import { test } from "vitest";
import { JetStreamSink } from "../../src/adapters/sinks/jetstream-sink.ts";
import { RedisStreamSink } from "../../src/adapters/sinks/redis-stream-sink.ts";
import { SystemClock } from "../../src/adapters/system-clock.ts";
import { startNats } from "../support/nats-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { describeWithServer } from "../support/servers.ts";
import { applyUnderKills } from "./applier-kills.ts";

const ROUNDS = 200;

describeWithServer("redis-server", "a consumer of Redis", () => {
  test(`over ${ROUNDS} kills`, { timeout: 300_000 }, async () => {
    const server = await startRedis();
    const sink = new RedisStreamSink({ clock: new SystemClock() }, { url: server.url, stream: "feed" });
    await applyUnderKills({ sink, kind: "redis", address: server.url, rounds: ROUNDS });
    await sink.close();
    await server.stop();
  });
});

describeWithServer("nats-server", "a consumer of NATS JetStream", () => {
  test(`over ${ROUNDS} kills`, { timeout: 300_000 }, async () => {
    const server = await startNats();
    const sink = new JetStreamSink({}, { url: server.url, stream: "FEED" });
    await applyUnderKills({ sink, kind: "nats", address: server.url, rounds: ROUNDS });
    await sink.close();
    await server.stop();
  });
});
