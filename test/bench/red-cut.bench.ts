/** A pair with a red and a blue network: the leader is killed while red is silently cut. Needs root, `ip`, `iptables`. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { CoordinatorState } from "../../src/coordinator/types.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { call } from "../support/http-call.ts";
import { startRedis } from "../support/redis-server.ts";
import { findServer, requireServer } from "../support/servers.ts";
import { TwoHosts } from "../support/two-hosts.ts";
import { benchFloor } from "./floor.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const NAME = "coordinator killed while red of two networks is cut → the other leads";
const GOAL = "≤ 2 × floor";
const PORT = 7401;
const LABELS = ["a", "b"] as const;
const OPERATOR = { authorization: "Bearer token-of-an-operator" };
const SETTLED_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;
const HEARTBEAT_MS = 200;

export async function benchRedCut(scale: Scale): Promise<BenchResult[]> {
  const missing = (["redis-server", "ip", "iptables"] as const).find((name) => findServer(name) === undefined);
  if (missing !== undefined) return [{ name: NAME, missing: `${missing} is not installed`, goal: GOAL }];
  if (!TwoHosts.able()) return [{ name: NAME, missing: "this user may not make network namespaces", goal: GOAL }];
  const rounds = amount(scale, 20, 3);
  const plant = await Plant.open();
  try {
    await plant.settled();
    plant.cutRed();
    const samples: number[] = [];
    for (let round = 0; round < rounds; round += 1) samples.push(await plant.killLeader());
    const floor = { name: "floor: close, refused, one swap", samples: await benchFloor(plant.redisUrl, rounds) };
    return [benchRow({ name: NAME, unit: "ms", samples, yardstick: floor, goal: GOAL })];
  } finally {
    await plant.close();
  }
}

class Plant {
  readonly redisUrl: string;
  readonly #net: number;
  readonly #hosts: TwoHosts;
  readonly #redis: Awaited<ReturnType<typeof startRedis>>;
  readonly #folder = mkdtempSync(join(tmpdir(), "changeover-red-"));
  readonly #children: Partial<Record<Label, ChildProcess>> = {};

  private constructor(net: number, hosts: TwoHosts, redis: Awaited<ReturnType<typeof startRedis>>) {
    this.#net = net;
    this.#hosts = hosts;
    this.#redis = redis;
    this.redisUrl = `redis://${hosts.here}:${redis.port}`;
  }

  static async open(): Promise<Plant> {
    const net = (process.pid % 240) + 5;
    const hosts = TwoHosts.open(net);
    const redis = await startRedis({ args: ["--bind", `${hosts.here} 127.0.0.1`, "--protected-mode", "no"] });
    const plant = new Plant(net, hosts, redis);
    for (const label of LABELS) {
      plant.#on(label, requireServer("ip"), "addr", "add", `${plant.#red(label)}/24`, "dev", "eth0");
    }
    for (const label of LABELS) plant.#launch(label);
    return plant;
  }

  /** Packets to the red addresses vanish. */
  cutRed(): void {
    for (const label of LABELS) {
      this.#on(label, requireServer("iptables"), "-A", "INPUT", "-d", this.#red(label), "-j", "DROP");
    }
  }

  async settled(): Promise<Label> {
    const endMs = performance.now() + SETTLED_WITHIN_MS;
    while (performance.now() < endMs) {
      const states = await Promise.all(LABELS.map(async (label) => this.#state(label)));
      const leader = states.find((state) => state?.mayAct === true);
      const ready = states.every((state) => state?.syncState === "ready" && state.peer.syncState === "ready");
      const idle = states.every((state) => state?.role === "leader" || state?.waiting.reasons.join() === "peer-leads");
      if (leader && ready && idle) return leader.engineLabel;
      await delay(LOOK_EVERY_MS);
    }
    throw new Error(`the pair has not settled within ${SETTLED_WITHIN_MS} ms`);
  }

  /** From the kill to the first 200 of the other's `/leader`, ms; then the killed one is started again. */
  async killLeader(): Promise<number> {
    const leader = await this.settled();
    const child = this.#children[leader];
    if (child === undefined) throw new Error("no child");
    await delay(HEARTBEAT_MS * (0.5 + Math.random()));
    const url = `http://${this.#hosts.address[otherLabel(leader)]}:${PORT}/leader`;
    const killedMs = performance.now();
    child.kill("SIGKILL");
    while ((await fetch(url)).status !== 200);
    const tookMs = performance.now() - killedMs;
    if (child.signalCode === null) await once(child, "exit");
    this.#launch(leader);
    return tookMs;
  }

  async close(): Promise<void> {
    for (const child of Object.values(this.#children)) {
      if (child.signalCode !== null || child.exitCode !== null) continue;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
    await this.#redis.stop();
    this.#hosts.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #red(label: Label): string {
    return `10.213.${this.#net}.${label === "a" ? 12 : 13}`;
  }

  #on(label: Label, ...command: string[]): void {
    const [program = "", ...args] = this.#hosts.on(label, command);
    execFileSync(program, args);
  }

  async #state(label: Label): Promise<CoordinatorState | null> {
    return call("GET", `http://${this.#hosts.address[label]}:${PORT}/api/state`, undefined, OPERATOR)
      .then(({ body }) => body as unknown as CoordinatorState)
      .catch(() => null);
  }

  #launch(label: Label): void {
    const token = (name: string, role: string): object => {
      const file = join(this.#folder, name);
      writeFileSync(file, `token-of-${name}`);
      return { name, role, file };
    };
    const other = otherLabel(label);
    const file = join(this.#folder, `${label}.json`);
    const config = {
      pair: "red-cut",
      label,
      listen: { host: "0.0.0.0", port: PORT },
      dataDir: join(this.#folder, label),
      peer: {
        links: [
          { name: "red", url: `ws://${this.#red(other)}:${PORT}` },
          { name: "blue", url: `ws://${this.#hosts.address[other]}:${PORT}` },
        ],
      },
      witness: { kind: "redis", url: this.redisUrl },
      failover: { maxAutomaticFailovers: 1_000 },
      auth: { tokens: [token("the-pair", "peer"), token("an-operator", "operator")] },
      log: { level: "error" },
    };
    writeFileSync(file, JSON.stringify(config));
    const [program = "", ...args] = this.#hosts.on(label, [process.execPath, CLI, "engine", "-c", file]);
    this.#children[label] = spawn(program, args, { env: { PATH: process.env["PATH"] }, stdio: "ignore" });
  }
}
