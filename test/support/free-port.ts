/**
 * A TCP port on loopback that nobody uses now, and that nobody else is likely to take before its server listens on it.
 * Keeps true: ports come from below the range that the system gives out by itself, a stretch of its own for each test
 * process, each port once.
 */
import { once } from "node:events";
import { createServer } from "node:net";

/** Linux gives out 32 768 and above for port 0 and for outgoing connections. */
const FIRST = 10_000;
const STRETCH = 200;
const STRETCHES = 100;

/** Another one for each process of a run, and for each of a few runs at a time. */
const OWN = (Number(process.env["VITEST_POOL_ID"] ?? process.pid) + (process.ppid % 12) * 8) % STRETCHES;

let given = 0;

/** A port number that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < STRETCH; attempt += 1) {
    const port = FIRST + OWN * STRETCH + (given % STRETCH);
    given += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port in ${STRETCH} tries`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    const listening = once(probe, "listening");
    probe.listen(port, "127.0.0.1");
    await listening;
  } catch {
    return false;
  }
  probe.close();
  await once(probe, "close");
  return true;
}
