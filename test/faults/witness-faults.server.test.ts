/** What befalls the Redis that is the witness, while the engines hear each other. */
import { connect } from "node:net";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { describeWithServer } from "../support/servers.ts";
import { withLoadedPair } from "../support/stage-pair.ts";
import { expectWholeWithoutConflicts } from "../support/verdict.ts";
import { playThrough } from "./rundown.suite.ts";
import { PATIENCE_MS } from "./suites.ts";

const PAUSE_MS = 5_000;

/** A fault of Redis: what it does, and how Redis is whole again. */
interface RedisFault {
  readonly name: string;
  readonly begin: (redis: Redis) => Promise<void>;
  readonly end: (redis: Redis) => Promise<void>;
}

/** A Redis that can come back on its port, without what it knew. */
class Redis {
  #server: RedisServer;

  private constructor(server: RedisServer) {
    this.#server = server;
  }

  static async start(): Promise<Redis> {
    return new Redis(await startRedis());
  }

  get url(): string {
    return this.#server.url;
  }

  async kill(): Promise<void> {
    await this.#server.signal("SIGKILL");
  }

  async startEmpty(): Promise<void> {
    const { port } = this.#server;
    await this.#server.stop();
    this.#server = await startRedis({ port });
  }

  /** Sends one command and waits for its answer. */
  async tell(command: string): Promise<void> {
    const socket = connect(this.#server.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(`${command}\r\n`);
    await once(socket, "data");
    socket.destroy();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}

const FAULTS: readonly RedisFault[] = [
  { name: "killed, and started again empty", begin: (redis) => redis.kill(), end: (redis) => redis.startEmpty() },
  { name: "restarted empty at once", begin: (redis) => redis.startEmpty(), end: async () => {} },
  { name: "emptied", begin: (redis) => redis.tell("FLUSHALL"), end: async () => {} },
  {
    name: `paused ${PAUSE_MS} ms`,
    begin: (redis) => redis.tell(`CLIENT PAUSE ${PAUSE_MS} ALL`),
    // Answered once the pause is over.
    end: (redis) => redis.tell("PING"),
  },
];

/** Longer than every wait of the protocol, so that what would move has moved. */
const LASTS_MS = 2_000;

describeWithServer("redis-server", "the witness in Redis", () => {
  describe.concurrent("while the engines hear each other", { timeout: PATIENCE_MS }, () => {
    test.each(FAULTS)("[A24] $name: no role change, and the record is re-asserted", async ({ begin, end }) => {
      const redis = await Redis.start();
      try {
        await withLoadedPair({ redis: redis.url }, async ({ pair, recorder, leader, finish }) => {
          const { epoch } = await pair.state(leader);
          await begin(redis);
          const sinceMs = performance.now();
          await until("the fault has lasted", async () => performance.now() - sinceMs >= LASTS_MS);
          await end(redis);
          await pair.untilState(
            leader,
            "has its record in the witness again",
            ({ witness, votes }) => witness.holder === leader && witness.epoch === epoch && votes.witnessMs > 0,
          );
          expect(await pair.ready()).toBe(leader);
          const acknowledged = await finish();
          expect(recorder.reigns.map((reign) => [reign.label, reign.epoch])).toEqual([[leader, epoch]]);
          await expectWholeWithoutConflicts(pair, acknowledged);
        });
      } finally {
        await redis.stop();
      }
    });

    test.each(FAULTS)("[A24] [I9] the rundown, Redis $name: both end equal, with all of it", async ({ begin, end }) => {
      const redis = await Redis.start();
      try {
        await playThrough(redis.url, { begin: async () => begin(redis), end: async () => end(redis) });
      } finally {
        await redis.stop();
      }
    });
  });
});
