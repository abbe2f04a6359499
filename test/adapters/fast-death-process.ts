/**
 * A process with a socket, as much memory as it is told, and the second task of `native/fast-death.c` if it is told so.
 * Arguments: MiB; `main`, `worker` (a thread that starts it and ends) or `off`. Prints its port and the second task.
 */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { isMainThread, Worker } from "node:worker_threads";
import { startFastDeath } from "../../src/adapters/fast-death.ts";
import { nativePart } from "../../src/host/package-root.ts";

const BLOCK_BYTES = 64 * 1_048_576;
const [mebibytes = "0", from = "off"] = process.argv.slice(2);

if (isMainThread) {
  if (from === "worker") await once(new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) }), "exit");
  const held = Array.from({ length: (Number(mebibytes) * 1_048_576) / BLOCK_BYTES }, () =>
    Buffer.alloc(BLOCK_BYTES, 1),
  );
  const server = createServer((socket) => socket.on("error", () => undefined));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const before = process.memoryUsage.rss();
  const fastDeath = from === "off" ? null : startFastDeath(nativePart());
  const grownBytes = process.memoryUsage.rss() - before;
  const { port } = server.address() as AddressInfo;
  process.once("SIGTERM", () => process.exit(held.length));
  console.log(JSON.stringify({ port, fastDeath, grownBytes }));
} else {
  startFastDeath(nativePart());
}
