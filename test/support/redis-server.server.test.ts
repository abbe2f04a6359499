/** Proves the helper that other suites lean on: each Redis is its own, and none stays behind. */
import { existsSync } from "node:fs";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { startRedis } from "./redis-server.ts";
import { describeWithServer } from "./servers.ts";

describeWithServer("redis-server", "a Redis of a test's own", () => {
  test("answers, keeps nothing after stop, and can be stopped twice", async () => {
    const server = await startRedis();
    const client = new Redis(server.url, { lazyConnect: true, retryStrategy: () => null });
    await client.connect();
    expect(await client.set("key", "value")).toBe("OK");
    client.disconnect();

    await server.stop();
    await server.stop();
    expect(existsSync(server.dir)).toBe(false);
    expect(() => process.kill(server.pid, 0)).toThrow("ESRCH");
  });

  test("comes back empty on the same port after SIGKILL", async () => {
    const first = await startRedis();
    await first.signal("SIGKILL");
    const second = await startRedis({ port: first.port });
    expect(second.url).toBe(first.url);
    await second.stop();
    await first.stop();
  });
});
