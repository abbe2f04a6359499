/**
 * A consumer, killed again and again while it applies a feed: everything is applied once and in order. Each kind of feed;
 * where only the server differs, a quarter of the kills.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { FileSink } from "../../src/adapters/sinks/file-sink.ts";
import { JetStreamSink } from "../../src/adapters/sinks/jetstream-sink.ts";
import { RedisStreamSink } from "../../src/adapters/sinks/redis-stream-sink.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { startNats } from "../support/nats-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { describeWithServer } from "../support/servers.ts";
import { applyUnderKills } from "./applier-kills.ts";

const ROUNDS = 200;
const ROUNDS_BY_SERVER = ROUNDS / 4;

test(`file: over ${ROUNDS} kills`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-feed-"));
  const sink = new FileSink({}, { folder });
  await applyUnderKills({ sink, kind: "file", address: folder, rounds: ROUNDS });
  await sink.close();
  rmSync(folder, { recursive: true, force: true });
});

describeWithServer("redis-server", "redis", () => {
  test(`over ${ROUNDS_BY_SERVER} kills`, async () => {
    const server = await startRedis();
    const sink = new RedisStreamSink({ clock: new SystemClock() }, { url: server.url, stream: "feed" });
    await applyUnderKills({ sink, kind: "redis", address: server.url, rounds: ROUNDS_BY_SERVER });
    await sink.close();
    await server.stop();
  });
});

describeWithServer("nats-server", "jetstream", () => {
  test(`over ${ROUNDS_BY_SERVER} kills`, async () => {
    const server = await startNats();
    const sink = new JetStreamSink({}, { url: server.url, stream: "FEED" });
    await applyUnderKills({ sink, kind: "nats", address: server.url, rounds: ROUNDS_BY_SERVER });
    await sink.close();
    await server.stop();
  });
});
