/**
 * A feed in a real cluster, while the node that holds it is killed in the middle: every event is published once and in the
 * order of its stack, and a consumer reads all of them in one feed.
 */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { SystemClock } from "../../src/adapters/basics.ts";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { MemoryStore } from "../../src/adapters/memory-store.ts";
import { JetStreamSink } from "../../src/adapters/sinks/jetstream-sink.ts";
import { JetStreamSource } from "../../src/adapters/sinks/jetstream-source.ts";
import { RedisStreamSink } from "../../src/adapters/sinks/redis-stream-sink.ts";
import { RedisStreamSource } from "../../src/adapters/sinks/redis-stream-source.ts";
import type { ControlEvent } from "../../src/core/control-event.ts";
import type { FeedEntry, FeedSink, FeedSource, PublishResult } from "../../src/ports/feed-sink.ts";
import { FeedPlace } from "../../src/outbox/feed-place.ts";
import { events, readAll, versionsOf } from "../../src/testing/feed-sink-contract.ts";
import { CountedIds } from "../contracts/store-samples.ts";
import { freePort } from "../support/free-port.ts";
import { type NatsServer, startNats } from "../support/nats-server.ts";
import { startRedisCluster } from "../support/redis-cluster.ts";
import { describeWithServer } from "../support/servers.ts";

const clock = new SystemClock();
const STACKS = ["programme", "records/rec_x", "pair"] as const;
const EVENTS = 150;
/** Of a stack, published when the node is killed. */
const KILL_AT = 50;
const BATCH = 10;
const WITHIN_MS = 60_000;

const ofStack = (stackId: string): ControlEvent[] =>
  events(1, EVENTS, { stackId }).map((event) => ({ ...event, eventId: `${stackId}:${event.version}` }));

/** Where the feed stands, as the pump keeps it, and how often it was found to be an older copy. */
interface Progress {
  readonly place: FeedPlace;
  losses: number;
}

function noteResult(progress: Progress, { published, feedId, failure }: PublishResult): void {
  if (failure?.reason === "lost") {
    progress.place.forget();
    progress.losses += 1;
  } else if (feedId !== undefined && published.length > 0) {
    progress.place.note(
      feedId,
      published.map(({ controlVersion }) => controlVersion),
    );
  }
}

/**
 * Publishes one stack as the pump does: in order, again from the first event that was not taken, and not at all into an older
 * copy. Ends early where that was found, so that all stacks begin again as in a resync.
 */
async function publishStack(
  sink: FeedSink,
  progress: Progress,
  stackId: string,
  reached: (count: number) => void,
): Promise<void> {
  const all = ofStack(stackId);
  const deadlineMs = performance.now() + WITHIN_MS;
  const { place, losses } = progress;
  for (let at = 0; at < all.length && progress.losses === losses;) {
    if (performance.now() > deadlineMs) throw new Error(`${stackId} stands at ${at}`);
    const result = await sink.publish(all.slice(at, at + BATCH), place.feedId, place.reached);
    noteResult(progress, result);
    at += result.published.length;
    reached(at);
    if (result.failure !== null) await delay(100);
  }
}

/**
 * Publishes all stacks at once, and kills a node when each of them is well under way. A Redis replica may lack what its master
 * acknowledged last.
 */
async function publishOver(sink: FeedSink, kill: () => Promise<void>): Promise<void> {
  const reached = new Map<string, number>();
  let killed: Promise<void> | null = null;
  const note = (stackId: string, count: number): void => {
    reached.set(stackId, count);
    const isUnderWay = STACKS.every((one) => (reached.get(one) ?? 0) >= KILL_AT);
    if (isUnderWay) killed ??= kill();
  };
  const { replica } = new MemoryStore({ ids: new CountedIds(), disk: new MemoryDisk() });
  const progress: Progress = { place: new FeedPlace(replica), losses: 0 };
  for (let losses = -1; losses !== progress.losses;) {
    losses = progress.losses;
    await Promise.all(
      STACKS.map(async (stackId) => publishStack(sink, progress, stackId, (count) => note(stackId, count))),
    );
  }
  if (killed === null) throw new Error("no node was killed");
  await (killed as Promise<void>);
}

/** Every event of every stack stands in the feed, once and in its order. */
async function expectAll(source: FeedSource): Promise<void> {
  let entries: readonly FeedEntry[] = [];
  // A consumer tries again while the cluster agrees on its new leaders; a feed that is lost is no such case.
  const read = async (): Promise<number> => {
    entries = await readAll(source).catch((error: unknown) => {
      if (!String(error).includes("the feed is unavailable")) throw error;
      return [];
    });
    return entries.length;
  };
  await expect.poll(read, { timeout: WITHIN_MS, interval: 200 }).toBe(STACKS.length * EVENTS);
  for (const stackId of STACKS) {
    expect(versionsOf(entries, stackId), stackId).toEqual(ofStack(stackId).map(({ version }) => version));
  }
}

describeWithServer("nats-server", "F2: a feed in a NATS cluster of three", () => {
  test("the node that leads the stream is killed while events flow", { timeout: 180_000 }, async () => {
    const routes = [await freePort(), await freePort(), await freePort()];
    const nodes = await Promise.all(
      routes.map(async (port, at) => {
        const cluster = ["--cluster_name", "feed", "--cluster", `nats://127.0.0.1:${port}`];
        const args = ["--server_name", `node-${at}`, ...cluster];
        return startNats({ args: [...args, "--routes", routes.map((one) => `nats://127.0.0.1:${one}`).join(",")] });
      }),
    );
    onTestFinished(async () => void (await Promise.all(nodes.map(async (node) => node.stop()))));
    const url = nodes
      .map((node) => node.url)
      .join(",")
      .replaceAll(",nats://", ",");
    const sink = new JetStreamSink({}, { url, stream: "FEED", replicas: 3 });
    onTestFinished(async () => sink.close());
    await publishOver(sink, async () => (await leaderOf(nodes)).signal("SIGKILL"));
    const source = new JetStreamSource({ clock }, { url, stream: "FEED", consumer: "reader" });
    onTestFinished(async () => source.close());
    await expectAll(source);
  });
});

/** The node on which the stream is led. */
async function leaderOf(nodes: readonly NatsServer[]): Promise<NatsServer> {
  const connection = await connect({ servers: nodes.map(({ port }) => `127.0.0.1:${port}`) });
  try {
    const { cluster, config } = await (await jetstreamManager(connection)).streams.info("FEED");
    expect(config.num_replicas).toBe(3);
    const found = nodes[Number(/\d+$/.exec(cluster?.leader ?? "")?.[0])];
    if (found === undefined) throw new Error("the stream has no leader");
    return found;
  } finally {
    await connection.close();
  }
}

describeWithServer("redis-server", "F2: a feed in a Redis Cluster of three masters and three replicas", () => {
  test("the master that holds the feed is killed while events flow", { timeout: 180_000 }, async () => {
    const cluster = await startRedisCluster();
    onTestFinished(async () => cluster.stop());
    const { url } = cluster;
    const sink = new RedisStreamSink({ clock }, { url, stream: "s" });
    onTestFinished(async () => sink.close());
    const key = "changeover:{s}:feed";
    const before = await cluster.masterOf(key);
    await publishOver(sink, async () => before.signal("SIGKILL"));
    const source = new RedisStreamSource({ clock }, { url, stream: "s", consumer: "reader" });
    onTestFinished(async () => source.close());
    await expectAll(source);
  });
});
