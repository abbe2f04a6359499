/** A real nginx with the shipped example, on a free port before the engines of a test. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Label } from "../../src/core/ids.ts";
import { freePort } from "./free-port.ts";
import { endWithThisProcess } from "./server-process.ts";
import { requireServer } from "./servers.ts";
import { waitUntil } from "./wait-until.ts";

export interface Nginx {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param engines addresses of the engines, `http://host:port` */
export async function startNginx(engines: Readonly<Record<Label, string>>): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), "changeover-nginx-"));
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  const text = readFileSync("examples/nginx/nginx.conf", "utf8")
    .replace("127.0.0.1:7480", `127.0.0.1:${port}`)
    .replace("http://127.0.0.1:7401", engines.a)
    .replace("http://127.0.0.1:7402", engines.b);
  writeFileSync(file, text);
  const child = spawn(requireServer("nginx"), ["-p", folder, "-c", file, "-g", "daemon off;"], { stdio: "ignore" });
  const end = endWithThisProcess(child);
  const stop = async (): Promise<void> => {
    await end();
    rmSync(folder, { recursive: true, force: true });
  };
  let answers = false;
  await waitUntil(() => {
    const socket = connect(port, "127.0.0.1")
      .on("connect", () => {
        answers = true;
        socket.destroy();
      })
      .on("error", () => undefined);
    return answers;
  });
  return { url: `http://127.0.0.1:${port}`, stop };
}
