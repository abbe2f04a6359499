/**
 * Asks the system for a TCP port on loopback that nobody uses now.
 * Does not reserve it: whoever listens on it next must be ready to ask again.
 */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** A port number that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
