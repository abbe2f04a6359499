/**
 * Three hosts on two networks, on one machine: network namespaces for engine a, engine b and the witness, joined by a
 * red and a blue bridge. The campaign itself is outside: at `here`, reachable whatever is cut between the hosts.
 *
 * Needs root, `ip` and `iptables`. Everything it makes goes with `close`, or with the process.
 */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Label } from "../../src/core/ids.ts";
import { endWithThisProcess } from "../support/server-process.ts";
import { requireServer } from "../support/servers.ts";

export type Color = "red" | "blue";
export type HostName = Label | "witness";

const COLORS = ["red", "blue"] as const;
const HOSTS = ["a", "b", "witness"] as const;
const LAST_BYTE: Readonly<Record<HostName | "here", number>> = { here: 1, a: 2, b: 3, witness: 4 };
const SECOND_BYTE: Readonly<Record<Color, number>> = { red: 215, blue: 216 };
const MOST_NETS = 250;
const LOCKS = join(tmpdir(), "changeover-campaign-nets");

/** Ends what a fault began. Safe to call twice. */
export type Undo = () => Promise<void>;

/** The same, done at most once; who asks again waits for the first time. */
export function onlyOnce(undo: Undo): Undo {
  let done: Promise<void> | null = null;
  return async () => (done ??= undo());
}

export class PlantNetwork {
  readonly #net: number;
  readonly #shells = new Map<HostName, Shell>();
  readonly #closeAtExit = (): void => this.#remove();

  private constructor(net: number) {
    this.#net = net;
  }

  /** Takes the first set of addresses that no other campaign of this machine uses. */
  static open(): PlantNetwork {
    const network = new PlantNetwork(takeNet());
    process.once("exit", network.#closeAtExit);
    network.#remove({ keepLock: true });
    for (const color of COLORS) {
      ip("link", "add", network.#bridge(color), "type", "bridge");
      ip("addr", "add", `${network.address("here", color)}/24`, "dev", network.#bridge(color));
      ip("link", "set", network.#bridge(color), "up");
    }
    for (const host of HOSTS) network.#join(host);
    return network;
  }

  address(host: HostName | "here", color: Color): string {
    return `10.${SECOND_BYTE[color]}.${this.#net}.${LAST_BYTE[host]}`;
  }

  /** Program and arguments that run `command` on that host; the process id stays the command's. */
  on(host: HostName, command: readonly string[]): readonly [string, ...string[]] {
    return [requireServer("ip"), "netns", "exec", this.#namespace(host), ...command];
  }

  /** What `from` sends on this network no longer reaches `to`. */
  async drop(from: HostName, to: HostName, color: Color): Promise<Undo> {
    const rule = `INPUT -s ${this.address(from, color)} -d ${this.address(to, color)} -j DROP`;
    const shell = this.#shell(to);
    await shell.run(`iptables -w -A ${rule}`);
    return onlyOnce(async () => shell.run(`iptables -w -D ${rule}`));
  }

  async close(): Promise<void> {
    process.off("exit", this.#closeAtExit);
    await Promise.all([...this.#shells.values()].map((shell) => shell.close()));
    this.#remove();
  }

  #join(host: HostName): void {
    ip("netns", "add", this.#namespace(host));
    ip("-n", this.#namespace(host), "link", "set", "lo", "up");
    for (const color of COLORS) {
      const [outside, inside] = [this.#cable(host, color), `to-${color}`];
      ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", this.#namespace(host));
      ip("link", "set", outside, "master", this.#bridge(color));
      ip("link", "set", outside, "up");
      ip("-n", this.#namespace(host), "addr", "add", `${this.address(host, color)}/24`, "dev", inside);
      ip("-n", this.#namespace(host), "link", "set", inside, "up");
    }
  }

  #shell(host: HostName): Shell {
    const known = this.#shells.get(host);
    if (known !== undefined) return known;
    const shell = new Shell(this.on(host, ["/bin/sh"]));
    this.#shells.set(host, shell);
    return shell;
  }

  #remove({ keepLock = false }: { keepLock?: boolean } = {}): void {
    const quietly = (...args: readonly string[]) => spawnSync(requireServer("ip"), args);
    for (const host of HOSTS) {
      for (const color of COLORS) quietly("link", "del", this.#cable(host, color));
      quietly("netns", "del", this.#namespace(host));
    }
    for (const color of COLORS) quietly("link", "del", this.#bridge(color));
    if (!keepLock) rmSync(lockFile(this.#net), { force: true });
  }

  #bridge(color: Color): string {
    return `cm${color[0]}${this.#net}`;
  }

  #cable(host: HostName, color: Color): string {
    return `cm${color[0]}${this.#net}${host[0]}`;
  }

  #namespace(host: HostName): string {
    return `campaign-${this.#net}-${host}`;
  }
}

/** A shell that stays open on a host, so that a cut takes a few milliseconds and does not block this process. */
class Shell {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #end: () => Promise<void>;
  readonly #waiting: ((line: string) => void)[] = [];
  #said = "";

  constructor([program, ...args]: readonly [string, ...string[]]) {
    const path = `/usr/local/sbin:/usr/sbin:/sbin:${process.env["PATH"] ?? ""}`;
    this.#child = spawn(program, args, { stdio: "pipe", env: { ...process.env, PATH: path } });
    this.#end = endWithThisProcess(this.#child);
    this.#child.stderr.on("data", (chunk: Buffer) => (this.#said += chunk.toString()));
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#lines.on("line", (line) => this.#waiting.shift()?.(line));
  }

  async run(command: string): Promise<void> {
    const status = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin.write(`${command} >&2; echo $?\n`);
    });
    if (status !== "0") throw new Error(`${command}: ${this.#said.trim().split("\n").at(-1) ?? status}`);
  }

  async close(): Promise<void> {
    this.#lines.close();
    await this.#end();
  }
}

/** The number of a set of addresses, held by a file with our process id until we end. */
function takeNet(): number {
  mkdirSync(LOCKS, { recursive: true });
  for (let net = 1; net <= MOST_NETS; net += 1) {
    try {
      writeFileSync(lockFile(net), String(process.pid), { flag: "wx" });
      return net;
    } catch {
      const holder = Number(readFileSync(lockFile(net), { encoding: "utf8", flag: "a+" }));
      if (isRunning(holder)) continue;
      writeFileSync(lockFile(net), String(process.pid));
      return net;
    }
  }
  throw new Error(`${MOST_NETS} campaigns run on this machine; remove ${LOCKS} if that is not so`);
}

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

function lockFile(net: number): string {
  return join(LOCKS, String(net));
}

function ip(...args: readonly string[]): void {
  execFileSync(requireServer("ip"), args);
}
