/**
 * Cables that are really pulled: two engines on two hosts, which are network namespaces, and packets that are dropped.
 * The matrix itself is in `links.suite.ts`; this shows that a silent network does what a silent proxy does there.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync, openSync, closeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { CoordinatorState } from "../../src/coordinator/types.ts";
import { leads, until } from "../../src/cli/demo/observe.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { BARE } from "../support/bare-environment.ts";
import { call } from "../support/http-call.ts";
import { UNMET_NEED } from "../support/left-out-reporter.ts";
import { Recorder } from "../support/recorder.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { describeWithServer, findServer } from "../support/servers.ts";
import { TwoHosts } from "../support/two-hosts.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const PORT = 7401;
const LABELS = ["a", "b"] as const;
const OPERATOR = { authorization: "Bearer token-of-an-operator" };
const WATCHED_MS = 2_000;
const able = findServer("ip") !== undefined && (TwoHosts.able() || process.env["CI"] === "true");
const NEED = `${UNMET_NEED} the right to make network namespaces (run as root)`;

class Plant {
  readonly hosts: TwoHosts;
  readonly redis: RedisServer;
  readonly engines: Readonly<Record<Label, { readonly url: string }>>;
  readonly #folder = mkdtempSync(join(tmpdir(), "changeover-hosts-"));
  readonly #children: ChildProcess[] = [];

  private constructor(hosts: TwoHosts, redis: RedisServer) {
    this.hosts = hosts;
    this.redis = redis;
    const at = (label: Label) => ({ url: `http://${hosts.address[label]}:${PORT}` });
    this.engines = { a: at("a"), b: at("b") };
  }

  static async start(net: number, policy: string): Promise<Plant> {
    const hosts = TwoHosts.open(net);
    const redis = await startRedis({ args: ["--bind", `${hosts.here} 127.0.0.1`, "--protected-mode", "no"] });
    const plant = new Plant(hosts, redis);
    try {
      for (const label of LABELS) plant.#launch(label, policy);
      await until("both are ready", async () =>
        (await Promise.all(LABELS.map((label) => plant.isReady(label)))).every(Boolean),
      );
      return plant;
    } catch (error) {
      const words = plant.lastWords();
      await plant.close();
      throw new Error(words, { cause: error });
    }
  }

  async isReady(label: Label): Promise<boolean> {
    const state = await this.state(label).catch(() => null);
    return state?.syncState === "ready" && state.peer.syncState === "ready" && state.leader !== null;
  }

  async state(label: Label): Promise<CoordinatorState> {
    const { body } = await call("GET", `${this.engines[label].url}/api/state`, undefined, OPERATOR);
    return body as unknown as CoordinatorState;
  }

  async acting(): Promise<readonly Label[]> {
    const acts = await Promise.all(LABELS.map(async (label) => leads(this.engines[label].url)));
    return LABELS.filter((_label, at) => acts[at]);
  }

  /** Gives a command to one side; what it said of it. */
  async submit(label: Label, source: string): Promise<Readonly<Record<string, unknown>> | null> {
    const command = { kind: "POST /api/switch/cut", payload: { source } };
    return (await call("POST", `${this.engines[label].url}/api/commands`, command, OPERATOR)).body;
  }

  async checksum(label: Label): Promise<unknown> {
    const url = `${this.engines[label].url}/api/sync/state-snapshot`;
    return (await call("GET", url, undefined, OPERATOR)).body?.["checksum"];
  }

  lastWords(): string {
    return LABELS.map((label) => readFileSync(join(this.#folder, `${label}.log`), "utf8").slice(-3_000)).join(
      "\n---\n",
    );
  }

  async close(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await this.redis.stop();
    this.hosts.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #launch(label: Label, policy: string): void {
    const file = join(this.#folder, `${label}.yaml`);
    const token = (name: string, role: string) => {
      writeFileSync(join(this.#folder, name), `token-of-${name}`);
      return { name, role, file: join(this.#folder, name) };
    };
    const config = {
      pair: "two-hosts",
      label,
      listen: { host: this.hosts.address[label], port: PORT },
      dataDir: join(this.#folder, `data-${label}`),
      peer: { links: [{ name: "red", url: `ws://${this.hosts.address[otherLabel(label)]}:${PORT}` }] },
      witness: { kind: "redis", url: `redis://${this.hosts.here}:${this.redis.port}` },
      failover: { policy },
      auth: { tokens: [token("the-pair", "peer"), token("an-operator", "operator")] },
    };
    writeFileSync(file, JSON.stringify(config));
    const log = openSync(join(this.#folder, `${label}.log`), "a");
    const [command = "", ...args] = this.hosts.on(label, [process.execPath, CLI, "engine", "-c", file]);
    const child = spawn(command, args, { env: BARE, stdio: ["ignore", "ignore", log] });
    closeSync(log);
    process.once("exit", () => child.kill("SIGKILL"));
    this.#children.push(child);
  }
}

const CABLES = [
  {
    name: "between the engines",
    pull: ({ hosts }: Plant) => hosts.dropLink(),
    acting: { "on-air": "leader", consistency: "leader" },
  },
  {
    name: "one way, from leader to follower",
    pull: ({ hosts }: Plant, leader: Label) => hosts.drop(leader, otherLabel(leader)),
    acting: { "on-air": "leader", consistency: "leader" },
  },
  {
    name: "of the leader's host",
    pull: ({ hosts, redis }: Plant, leader: Label) => (hosts.dropLink(), hosts.dropWitness(leader, redis.port)),
    acting: { "on-air": "both", consistency: "follower" },
  },
] as const;

describeWithServer(["redis-server", "ip", "iptables"], "cables", () => {
  const cases = CABLES.flatMap((cable) => (["on-air", "consistency"] as const).map((policy) => ({ ...cable, policy })));
  const numbered = cases.map((one, at) => ({ ...one, net: ((process.pid * cases.length + at) % 250) + 1 }));

  describe.skipIf(!able)(able ? "pulled" : `pulled — ${NEED}`, () => {
    test.each(numbered)("[A2] [I6] $policy: the cable $name", async ({ net, policy, pull, acting }) => {
      const plant = await Plant.start(net, policy);
      const recorder = Recorder.watch(plant);
      try {
        const leader = (await plant.acting())[0] ?? "a";
        expect(await plant.submit(leader, "cam2")).toMatchObject({ durability: "pair" });
        pull(plant, leader);
        const other = otherLabel(leader);
        const wanted = { leader: [leader], follower: [other], both: LABELS }[acting[policy]];
        await until(`${wanted.join(" and ")} may act`, async () => String(await plant.acting()) === String(wanted));
        const endMs = performance.now() + WATCHED_MS;
        while (performance.now() < endMs) {
          expect((await plant.acting()).filter((label) => !wanted.includes(label))).toEqual([]);
        }
        for (const label of wanted) expect(await plant.submit(label, "cam3")).toMatchObject({ durability: "local" });
        plant.hosts.mend();
        const winner = wanted.includes(other) ? other : leader;
        await until(
          "healed and equal",
          async () => {
            if (!(await plant.isReady("a")) || !(await plant.isReady("b"))) return false;
            return (
              String(await plant.acting()) === winner && (await plant.checksum("a")) === (await plant.checksum("b"))
            );
          },
          { withinMs: 30_000 },
        );
        if (acting[policy] !== "both") expect(recorder.overtaken).toEqual([]);
      } catch (error) {
        if (error instanceof Error) error.message += `\n${plant.lastWords()}`;
        throw error;
      } finally {
        await recorder.stop();
        await plant.close();
      }
    });
  });
});
