/** The native part that closes the sockets of a killed process before its memory is freed, on real processes. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { FastDeath } from "../../src/adapters/fast-death.ts";
import { describeWithServer } from "../support/servers.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROCESS = fileURLToPath(new URL("fast-death-process.ts", import.meta.url));

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly pid: number;
  readonly grownBytes: number;
}

const children: ChildProcess[] = [];

async function start(mebibytes: number, from: "main" | "worker" | "off"): Promise<Started> {
  const child = spawn(process.execPath, [PROCESS, String(mebibytes), from], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { port, fastDeath, grownBytes } = JSON.parse(line) as {
    port: number;
    fastDeath: FastDeath | null;
    grownBytes: number;
  };
  if (from !== "off") expect(fastDeath).toMatchObject({ state: "works" });
  return { child, port, pid: fastDeath?.state === "works" ? fastDeath.pid : 0, grownBytes };
}

/** What the kernel says of a task; nothing once it has ended, although nobody may have asked for its end yet. */
function status(pid: number): Readonly<Record<string, string>> {
  if (!existsSync(`/proc/${pid}/status`)) return {};
  const lines = readFileSync(`/proc/${pid}/status`, "utf8").split("\n");
  const fields = Object.fromEntries(lines.map((line) => line.split(/:\s+/) as [string, string]));
  return fields["State"]?.startsWith("Z") === true ? {} : fields;
}

const hasEnded = (pid: number): Promise<void> => vi.waitFor(() => expect(status(pid)).toEqual({}), { timeout: 10_000 });

/** From SIGKILL to the close of its connection, in ms. */
async function killAndSeeClose({ child, port }: Started): Promise<number> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  await once(socket, "connect");
  const closed = new Promise((resolve) => socket.resume().once("close", resolve));
  const killedMs = performance.now();
  child.kill("SIGKILL");
  await closed;
  return performance.now() - killedMs;
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

describeWithServer("gcc", "fast death", () => {
  beforeAll(() => {
    execFileSync(process.execPath, ["native/install.js"], { cwd: ROOT });
  });

  test("the second task holds no descriptor, no folder and no memory of its own, and none of Node's signals reach it", async () => {
    const { child, pid, grownBytes } = await start(0, "main");
    expect(pid).not.toBe(child.pid);
    expect(readdirSync(`/proc/${pid}/fd`)).toEqual([]);
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe("/");
    expect(status(pid)).toMatchObject({ Name: "fast-death", PPid: String(child.pid), Threads: "1" });
    expect(grownBytes).toBeLessThan(4 * 1_048_576);
    for (const signal of ["SIGINT", "SIGHUP", "SIGUSR1", "SIGTERM"] as const) process.kill(pid, signal);
    // For a moment it looks whether its process is dead.
    await vi.waitFor(() => expect(readdirSync(`/proc/${pid}/fd`)).toEqual([]), { timeout: 10_000 });
    expect(status(pid)).toMatchObject({ Name: "fast-death" });
    expect(child.exitCode).toBeNull();
  });

  test.each(["SIGKILL", "SIGTERM"] as const)("it ends with its process: %s", async (signal) => {
    const { child, pid } = await start(0, "main");
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
    await hasEnded(pid);
  });

  test("it outlives the thread that started it, and ends with the process", async () => {
    const { child, pid } = await start(0, "worker");
    expect(status(pid)).toMatchObject({ Name: "fast-death", PPid: String(child.pid) });
    child.kill("SIGKILL");
    await hasEnded(pid);
  });

  test("[section 6] the sockets of a process that holds 256 MiB close at least twice as early", async () => {
    const best = { main: Infinity, off: Infinity };
    for (let round = 0; round < 3; round += 1) {
      for (const from of ["main", "off"] as const) {
        best[from] = Math.min(best[from], await killAndSeeClose(await start(256, from)));
      }
    }
    expect(best.main).toBeLessThan(best.off / 2);
  });

  test("without a compiler, or with one that fails, the installation goes on and says what is left out", () => {
    const folder = mkdtempSync(join(tmpdir(), "changeover-native-"));
    try {
      for (const file of ["fast-death.c", "install.js"]) copyFileSync(join(ROOT, "native", file), join(folder, file));
      symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
      for (const CC of ["/nowhere/cc", "false"]) {
        const environment = { ...process.env, CC };
        const told = execFileSync(process.execPath, ["install.js"], {
          cwd: folder,
          env: environment,
          encoding: "utf8",
        });
        expect(told).toMatch(/^changeover: failover\.fastDeath is left out, all else works: /);
        expect(readdirSync(folder).sort()).toEqual(["fast-death.c", "install.js", "node_modules"]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
