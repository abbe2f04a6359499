/** Feeds in a real Redis and a real NATS over kills of their publisher. `CRASH_ROUNDS` sets how many; some by default. */
import { test } from "vitest";
import { startNats } from "../support/nats-server.ts";
import { startRedis } from "../support/redis-server.ts";
import { proveOverKills } from "./crash.suite.ts";

const ROUNDS = Number(process.env["CRASH_ROUNDS"] ?? 60);
const patience = { timeout: 60_000 + ROUNDS * 2_000 };

test(
  `[A22] no committed event is lost, and each stands in its order, over ${ROUNDS} kills: Redis`,
  patience,
  async () => {
    const redis = await startRedis({ args: ["--appendonly", "yes", "--appendfsync", "always"] });
    try {
      await proveOverKills({ kind: "redis", address: redis.url, rounds: ROUNDS });
    } finally {
      await redis.stop();
    }
  },
);

test(
  `[A22] no committed event is lost, and each stands in its order, over ${ROUNDS} kills: NATS`,
  patience,
  async () => {
    const nats = await startNats();
    try {
      await proveOverKills({ kind: "nats", address: nats.url, rounds: ROUNDS });
    } finally {
      await nats.stop();
    }
  },
);
