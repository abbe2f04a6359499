/**
 * keepalived as its users run it: two of it in network namespaces of their own, joined by a virtual cable, with adverts
 * every 0.2 s. Both processes of the master are killed; the backup tells its state over a FIFO, without starting a script.
 * Keeps true: namespaces, processes and folder end with the call.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findServer } from "../support/servers.ts";
import { waitUntil } from "../support/wait-until.ts";

const ADVERT_SECONDS = 0.2;
const STATE_WITHIN_MS = 15_000;

type Side = "a" | "b";
export type KeepalivedTimes = { readonly tookMs: readonly number[] } | { readonly missing: string };

/** From the call of `kill` to the word of the backup that it is master, ms each. */
export async function keepalivedFailovers(rounds: number): Promise<KeepalivedTimes> {
  const missing = (["keepalived", "ip"] as const).find((name) => findServer(name) === undefined);
  if (missing !== undefined) return { missing: `${missing} is not installed` };
  let pair: KeepalivedPair;
  try {
    pair = await KeepalivedPair.start();
  } catch (error) {
    return { missing: error instanceof Error ? (error.message.split("\n")[0] ?? "") : "keepalived did not start" };
  }
  try {
    const tookMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) tookMs.push(await pair.failOver());
    return { tookMs };
  } finally {
    await pair.close();
  }
}

export class KeepalivedPair {
  readonly #folder = mkdtempSync(join(tmpdir(), "changeover-keepalived-"));
  readonly #state: Record<Side, string> = { a: "", b: "" };
  readonly #processes = new Map<Side, ChildProcess>();
  readonly #fifos: Socket[] = [];
  #onState: (() => void) | null = null;
  /** Times that either became master. */
  masters = 0;

  /** Resolves once one is master and the other backup. Throws where namespaces may not be made. */
  static async start(): Promise<KeepalivedPair> {
    const pair = new KeepalivedPair();
    try {
      pair.#network();
      for (const side of ["a", "b"] as const) pair.#listen(side);
      for (const side of ["a", "b"] as const) pair.#launch(side);
      await pair.#settled();
    } catch (error) {
      await pair.close();
      throw error;
    }
    return pair;
  }

  /** Kills the master; back once the killed one runs again as backup. */
  async failOver(): Promise<number> {
    const master: Side = this.#state.a === "MASTER" ? "a" : "b";
    const backup: Side = master === "a" ? "b" : "a";
    const [parent, vrrp] = ["pid", "vrrp"].map((kind) => Number(readFileSync(this.#path(master, kind), "utf8")));
    this.#state[master] = "";
    const led = this.#becomes(backup, "MASTER");
    const killedMs = performance.now();
    for (const pid of [parent, vrrp]) if (pid !== undefined) process.kill(pid, "SIGKILL");
    const tookMs = (await led) - killedMs;
    this.#launch(master);
    await this.#settled();
    return tookMs;
  }

  async close(): Promise<void> {
    for (const child of this.#processes.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    }
    for (const side of ["a", "b"] as const) {
      try {
        execFileSync("ip", ["netns", "del", namespace(side)], { stdio: "ignore" });
      } catch {
        // It was never made.
      }
    }
    for (const fifo of this.#fifos) fifo.destroy();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #network(): void {
    for (const side of ["a", "b"] as const) ip("netns", "add", namespace(side));
    const [a, b] = [namespace("a"), namespace("b")];
    ip("link", "add", "vrrp0", "netns", a, "type", "veth", "peer", "name", "vrrp0", "netns", b);
    for (const [side, host] of [
      ["a", 1],
      ["b", 2],
    ] as const) {
      ip("-n", namespace(side), "addr", "add", `10.213.7.${host}/24`, "dev", "vrrp0");
      for (const device of ["lo", "vrrp0"]) ip("-n", namespace(side), "link", "set", device, "up");
    }
  }

  #listen(side: Side): void {
    execFileSync("mkfifo", [this.#path(side, "fifo")]);
    // Open for writing too, so that it never ends while keepalived is away.
    const fd = openSync(this.#path(side, "fifo"), constants.O_RDWR | constants.O_NONBLOCK);
    const words = new Socket({ fd, readable: true, writable: false }).setEncoding("utf8");
    words.on("data", (text: string) => {
      for (const [, state = ""] of text.matchAll(/INSTANCE "bench" (\w+)/g)) {
        if (state === "MASTER") this.masters += 1;
        this.#state[side] = state;
        this.#onState?.();
      }
    });
    this.#fifos.push(words);
  }

  #launch(side: Side): void {
    const file = this.#path(side, "conf");
    writeFileSync(file, configuration(this.#path(side, "fifo")));
    const pids = ["-p", this.#path(side, "pid"), "-r", this.#path(side, "vrrp")];
    for (const kind of ["pid", "vrrp"]) rmSync(this.#path(side, kind), { force: true });
    const command = ["netns", "exec", namespace(side), "keepalived", "--vrrp", "-n", "-f", file, ...pids];
    this.#processes.set(side, spawn("ip", command, { stdio: "ignore" }));
  }

  async #settled(): Promise<void> {
    const states = (): string => [this.#state.a, this.#state.b].sort().join();
    await waitUntil(() => states() === "BACKUP,MASTER", STATE_WITHIN_MS);
  }

  #becomes(side: Side, state: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const tooLong = setTimeout(() => reject(new Error("keepalived did not fail over")), STATE_WITHIN_MS);
      this.#onState = () => {
        if (this.#state[side] !== state) return;
        clearTimeout(tooLong);
        this.#onState = null;
        resolve(performance.now());
      };
    });
  }

  #path(side: Side, kind: string): string {
    return join(this.#folder, `${side}.${kind}`);
  }
}

function namespace(side: Side): string {
  return `changeover-bench-${side}`;
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function configuration(fifo: string): string {
  return `global_defs {
  vrrp_version 3
  vrrp_notify_fifo ${fifo}
  vrrp_garp_master_delay 0
}
vrrp_instance bench {
  state BACKUP
  nopreempt
  interface vrrp0
  virtual_router_id 77
  priority 100
  advert_int ${ADVERT_SECONDS}
  virtual_ipaddress {
    10.213.7.9/24
  }
}
`;
}
