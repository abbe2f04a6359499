/**
 * The floor of a fail-over by proof of death: a tiny process is killed, its socket closes, a connection is refused, one
 * Lua script swaps a record in Redis. What a coordinator does besides is on top of this.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { Child } from "./child.ts";

const PROCESS = fileURLToPath(new URL("floor-process.ts", import.meta.url));
const SWAP = "if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('set', KEYS[1], ARGV[2]) return 1 end return 0";
const SETTLE_MS = 100;

/** From the call of `kill` to the answer of the swap, ms each. */
export async function benchFloor(redisUrl: string, rounds: number): Promise<number[]> {
  const redis = new Redis(redisUrl);
  const samples: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      await redis.set("floor", "old");
      const child = new Child([PROCESS]);
      const port = Number(await child.line());
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      await delay(SETTLE_MS);
      const closed = ended(socket);
      const killedMs = performance.now();
      child.signal("SIGKILL");
      await closed;
      while (!(await isRefused(port)));
      if ((await redis.eval(SWAP, 1, "floor", "old", "new")) !== 1) throw new Error("the floor's swap was lost");
      samples.push(performance.now() - killedMs);
      await child.gone();
    }
    return samples;
  } finally {
    redis.disconnect();
  }
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.resume();
  });
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => socket.resume());
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
    socket.on("close", () => resolve(false));
  });
}
