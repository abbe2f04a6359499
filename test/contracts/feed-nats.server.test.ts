/** The feed in a real NATS, against its contracts. */
import { afterAll, beforeAll } from "vitest";
import { JetStreamSink } from "../../src/adapters/sinks/jetstream-sink.ts";
import { JetStreamSource } from "../../src/adapters/sinks/jetstream-source.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { type NatsServer, startNats } from "../support/nats-server.ts";
import { describeWithServer } from "../support/servers.ts";
import { feedBrokerContract } from "./feed-broker-contract.ts";
import { feedSinkContract } from "../../src/testing/feed-sink-contract.ts";
import { runContract } from "./run-contract.ts";
import { feedSourceContract } from "./feed-source-contract.ts";
import type { FeedUnderTest } from "../../src/testing/feed-sink-contract.ts";
import { opened } from "./feed-under-test.ts";

let streams = 0;

function feedOn(url: string): FeedUnderTest {
  streams += 1;
  const name = streams;
  const stream = `FEED-${name}`;
  const clock = new SystemClock();
  return opened({
    sink: () => new JetStreamSink({}, { url, stream, subjectPrefix: `changeover-${name}`, maxBytes: 64_000_000 }),
    source: (consumer) => new JetStreamSource({ clock }, { url, stream, consumer }),
  });
}

describeWithServer("nats-server", "feed in NATS JetStream", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(async () => server.stop());

  runContract(
    "feed sink contract: jetstream",
    feedSinkContract(async () => feedOn(server.url)),
  );
  feedSourceContract("jetstream", async () => feedOn(server.url));
  feedBrokerContract("jetstream", { start: startNats, feed: feedOn });
});
