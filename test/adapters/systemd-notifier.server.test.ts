/**
 * The engine under systemd's protocol, on a datagram socket of the test's own: ready once it serves, fed while its loop turns,
 * and not while it stands still.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { describeWithServer, requireServer } from "../support/servers.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/** Prints each datagram on one line. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True: print(s.recv(4096).decode().replace("\\n", " "), flush=True)
`;

describeWithServer(["python3", "systemd-notify"], "an engine that systemd started", () => {
  it("says when it is ready and feeds the watchdog, unless its loop stands still", async () => {
    const folder = mkdtempSync(join(tmpdir(), "changeover-systemd-"));
    const socket = join(folder, "notify");
    const children: ChildProcess[] = [];
    try {
      const listener = spawn(requireServer("python3"), ["-c", LISTENER, socket], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(listener);
      let heard = "";
      listener.stdout.on("data", (chunk: Buffer) => (heard += chunk.toString()));
      await expect.poll(() => heard).toContain("listening");
      const config = join(folder, "engine.json");
      const listen = { port: await freePort() };
      const links = [{ name: "red", url: `ws://127.0.0.1:${await freePort()}` }];
      const witness = { kind: "none" };
      writeFileSync(
        config,
        JSON.stringify({ pair: "p", label: "a", listen, dataDir: folder, peer: { links }, witness }),
      );
      const engine = spawn(process.execPath, [CLI, "engine", "-c", config], {
        stdio: ["ignore", "ignore", "pipe"],
        env: { PATH: process.env["PATH"], NOTIFY_SOCKET: socket, WATCHDOG_USEC: "400000" },
      });
      children.push(engine);
      const fed = (): number => heard.split("WATCHDOG=1").length - 1;
      await expect.poll(() => heard, { timeout: 60_000 }).toContain("READY=1");
      expect(heard).toContain("STATUS=a of p at http://127.0.0.1");
      await expect.poll(fed, { timeout: 30_000 }).toBeGreaterThan(3);
      engine.kill("SIGSTOP");
      // What was on its way arrives first.
      let before = -1;
      await expect.poll(() => before === (before = fed()), { interval: 1_000, timeout: 30_000 }).toBe(true);
      engine.kill("SIGCONT");
      await expect.poll(fed, { timeout: 30_000 }).toBeGreaterThan(before);
      const gone = once(engine, "exit");
      engine.kill("SIGTERM");
      expect(await gone).toEqual([0, null]);
      await expect.poll(() => heard).toContain("STOPPING=1");
    } finally {
      for (const child of children) child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
