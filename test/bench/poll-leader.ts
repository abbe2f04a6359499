/** Watches `GET /leader` of one engine from outside, several times a millisecond. */
import { setImmediate as turn } from "node:timers/promises";
import type { KeepAlive } from "./keep-alive.ts";

/** From one question to the next at least, ms: often enough to see it, seldom enough not to hold the engine up. */
const EVERY_MS = 0.25;
const WITHIN_MS = 30_000;

/** Resolves with the instant (`performance.now`) at which the first 200 came. */
export async function firstLeads(connection: KeepAlive): Promise<number> {
  const endMs = performance.now() + WITHIN_MS;
  for (;;) {
    const askedMs = performance.now();
    const { status } = await connection.get("/leader");
    if (status === 200) return performance.now();
    if (askedMs > endMs) throw new Error(`nobody leads after ${WITHIN_MS} ms`);
    while (performance.now() < askedMs + EVERY_MS) await turn();
  }
}
