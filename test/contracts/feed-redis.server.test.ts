/** The feed in a real Redis, against its contracts. */
import { afterAll, beforeAll } from "vitest";
import { RedisStreamSink } from "../../src/adapters/sinks/redis-stream-sink.ts";
import { RedisStreamSource } from "../../src/adapters/sinks/redis-stream-source.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { describeWithServer } from "../support/servers.ts";
import { feedBrokerContract } from "./feed-broker-contract.ts";
import { feedSinkContract } from "../../src/testing/feed-sink-contract.ts";
import { runContract } from "./run-contract.ts";
import { feedSourceContract } from "./feed-source-contract.ts";
import type { FeedUnderTest } from "../../src/testing/feed-sink-contract.ts";
import { opened } from "./feed-under-test.ts";

/** Every answer is on the disk. */
const DURABLE = ["--appendonly", "yes", "--appendfsync", "always"];
let streams = 0;

function feedOn(url: string): FeedUnderTest {
  streams += 1;
  const stream = `feed-${streams}`;
  const clock = new SystemClock();
  return opened({
    sink: () => new RedisStreamSink({ clock }, { url, stream }),
    source: (consumer) => new RedisStreamSource({ clock }, { url, stream, consumer }),
  });
}

describeWithServer("redis-server", "feed in Redis", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ args: DURABLE });
  });
  afterAll(async () => server.stop());

  runContract(
    "feed sink contract: redis",
    feedSinkContract(async () => feedOn(server.url)),
  );
  feedSourceContract("redis", async () => feedOn(server.url));
  feedBrokerContract("redis", {
    start: async (options) => startRedis({ ...options, args: DURABLE }),
    feed: feedOn,
  });
});
