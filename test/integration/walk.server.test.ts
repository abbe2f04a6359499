/**
 * The walk of a new user, with nothing but the packed package, README and docs: install it on two hosts, start a pair with
 * Redis and tokens, replace one engine while the other is on air, restore a backup, move the role. The hosts are network
 * namespaces; every command is one that a page tells to type, with the names of hosts, files and fingerprints filled in.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import type { PairReport } from "../../src/core/outcomes.ts";
import { BARE } from "../support/bare-environment.ts";
import { call } from "../support/http-call.ts";
import { UNMET_NEED } from "../support/left-out-reporter.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { endWithThisProcess } from "../support/server-process.ts";
import { findServer, type ServerName } from "../support/servers.ts";
import { TwoHosts } from "../support/two-hosts.ts";

const LABELS = ["a", "b"] as const;
/** Of the namespaces; no other test has it. */
const NET = 87;
const PATIENCE_MS = 240_000;
const COMES_WITHIN_MS = 60_000;
const SECRETS = {
  PEER_TOKEN: "walk-token-of-the-pair",
  OPS_TOKEN: "walk-token-of-operations",
  CONTROL_PLANE_SECRET: "walk-control-plane-secret",
  WITNESS_PASSWORD: "walk-witness-password",
} as const;
const AS_OPERATOR = { authorization: `Bearer ${SECRETS.OPS_TOKEN}` } as const;

const needs: readonly ServerName[] = ["ip", "iptables", "redis-server"];
const missing = needs.filter((name) => findServer(name) === undefined);
const isLeftOut = (missing.length > 0 || !TwoHosts.able()) && process.env["CI"] !== "true";
const title = "a new user, with README and docs alone";

/** Two hosts with the package installed and configured, and the witness's host. */
class Plant {
  readonly folder = mkdtempSync(join(tmpdir(), "changeover-walk-"));
  readonly #hosts = TwoHosts.open(NET);
  readonly #running: Partial<Record<Label, ChildProcess>> = {};
  #redis: RedisServer | null = null;

  async build(): Promise<void> {
    const redis = await startRedis({ args: settingsOf("docs/deployment-redis.md", this.#hosts.here) });
    this.#redis = redis;
    await giveRights(redis.port);
    install(
      this.folder,
      LABELS.map((label) => this.home(label)),
    );
    for (const label of LABELS) {
      const config = configOf(label, this.#hosts, redis.port);
      writeFileSync(join(this.home(label), `engine-${label}.yaml`), config);
    }
  }

  home(label: Label): string {
    return join(this.folder, label);
  }

  url(label: Label): string {
    return `http://${this.#hosts.address[label]}:7401`;
  }

  /** Types `changeover …` on that host; throws where it does not end well. */
  type(label: Label, ...args: readonly string[]): string {
    const [command = "", ...words] = this.#hosts.on(label, [...this.#program(label), ...args]);
    const env = { ...BARE, ...SECRETS, CHANGEOVER_TOKEN: SECRETS.OPS_TOKEN };
    const { status, stdout, stderr } = spawnSync(command, words, { cwd: this.home(label), env, encoding: "utf8" });
    if (status !== 0) throw new Error(`changeover ${args.join(" ")}: exit ${status}: ${stdout}${stderr}`);
    return stdout + stderr;
  }

  start(label: Label): void {
    const args = [...this.#program(label), "engine", "-c", `engine-${label}.yaml`];
    const [command = "", ...words] = this.#hosts.on(label, args);
    const env = { ...BARE, ...SECRETS };
    const child = spawn(command, words, { cwd: this.home(label), env, stdio: "ignore" });
    endWithThisProcess(child);
    this.#running[label] = child;
  }

  async stop(label: Label): Promise<void> {
    const child = this.#running[label];
    if (child === undefined) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    expect(await gone).toEqual([0, null]);
  }

  loseFolder(label: Label): void {
    rmSync(join(this.home(label), "data"), { recursive: true });
  }

  async says(label: Label, path: "/ready" | "/leader" | "/live"): Promise<boolean> {
    return call("GET", `${this.url(label)}${path}`).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  async ready(label: Label): Promise<void> {
    await until(`${label} is ready`, async () => this.says(label, "/ready"), { withinMs: COMES_WITHIN_MS });
  }

  async leader(): Promise<Label> {
    let found: Label | undefined;
    const isLed = async (): Promise<boolean> => {
      const leads = await Promise.all(LABELS.map(async (label) => this.says(label, "/leader")));
      return (found = LABELS.find((_label, at) => leads[at])) !== undefined;
    };
    await until("somebody leads", isLed, { withinMs: COMES_WITHIN_MS });
    if (found === undefined) throw new Error("nobody leads");
    return found;
  }

  async state(label: Label): Promise<Readonly<Record<string, unknown>>> {
    return (await call("GET", `${this.url(label)}/api/state`, undefined, AS_OPERATOR)).body ?? {};
  }

  /** A panel puts `source` on programme, and both engines show it. */
  async cut(source: string): Promise<void> {
    const url = `${this.url(await this.leader())}/engine/api/switch/cut`;
    expect((await call("POST", url, { source }, AS_OPERATOR)).status).toBe(200);
  }

  async bothShow(source: string): Promise<void> {
    const isSo = async (): Promise<boolean> => {
      const [a, b] = await Promise.all(LABELS.map(async (label) => this.state(label)));
      if (a?.["programSource"] !== source || b?.["programSource"] !== source) return false;
      return a["lastExecutedSeq"] === b["lastExecutedSeq"];
    };
    await until(`both show ${source}`, isSo, { withinMs: COMES_WITHIN_MS });
  }

  pair(label: Label): PairReport {
    return JSON.parse(this.type(label, "pair", "show", "--json", "--url", this.url(label))) as PairReport;
  }

  async close(): Promise<void> {
    for (const child of Object.values(this.#running)) child.kill("SIGKILL");
    await this.#redis?.stop();
    this.#hosts.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #program(label: Label): readonly string[] {
    return [process.execPath, join(this.home(label), "node_modules/changeover/dist/src/cli/main.js")];
  }
}

describe.skipIf(isLeftOut)(isLeftOut ? `${title} — ${UNMET_NEED} root, ${needs.join(", ")}` : title, () => {
  let plant: Plant;
  /** It stays on air while the other one is replaced. */
  let stays: Label;
  let replaced: Label;
  let epoch: unknown;
  beforeAll(async () => {
    plant = new Plant();
    await plant.build();
  }, PATIENCE_MS);
  afterAll(async () => plant.close());

  test(
    "README, deployment.md: a pair is installed, looked at and given commands",
    { timeout: PATIENCE_MS },
    async () => {
      for (const label of LABELS) {
        expect(plant.type(label, "--version")).toMatch(/^\d+\.\d+\.\d+/);
        plant.type(label, "config", "check", `engine-${label}.yaml`);
        plant.start(label);
      }
      for (const label of LABELS) await plant.ready(label);
      stays = await plant.leader();
      replaced = otherLabel(stays);
      await plant.cut("cam2");
      await plant.bothShow("cam2");
      expect(plant.type(stays, "status", "--url", plant.url(stays))).toContain("LEADER");
      expect(plant.type(stays, "doctor", "-c", `engine-${stays}.yaml`)).not.toContain("!!");
      const stranger = await call("POST", `${plant.url(stays)}/engine/api/switch/cut`, { source: "cam9" });
      expect(stranger.status).toBe(401);
      epoch = (await plant.state(stays))["epoch"];
    },
  );

  test(
    "A32, operations.md: an engine whose folder is lost is replaced, the other stays on air",
    { timeout: PATIENCE_MS },
    async () => {
      await plant.stop(replaced);
      plant.loseFolder(replaced);
      plant.start(replaced);
      await until("the new engine answers", async () => plant.says(replaced, "/live"), { withinMs: COMES_WITHIN_MS });
      const fingerprint = plant.pair(replaced).self.fingerprint ?? "";
      const knocks = async (): Promise<boolean> =>
        plant.pair(stays).strangers.some((stranger) => stranger.fingerprint === fingerprint);
      await until("the survivor sees the stranger", knocks, { withinMs: COMES_WITHIN_MS });
      await plant.cut("cam3");
      plant.type(stays, "pair", "adopt", fingerprint, "--yes", "--url", plant.url(stays));
      await plant.ready(replaced);
      await plant.bothShow("cam3");
      expect(await plant.state(stays)).toMatchObject({ role: "leader", epoch });
    },
  );

  test(
    "A33, operations.md: a backup is restored, what came after it is caught up with",
    { timeout: PATIENCE_MS },
    async () => {
      const copy = join(plant.folder, "backup");
      plant.type(replaced, "backup", "--url", plant.url(replaced), "--to", copy);
      await plant.cut("cam4");
      await plant.bothShow("cam4");
      await plant.stop(replaced);
      plant.loseFolder(replaced);
      // A reader is asked; nobody can be asked here.
      plant.type(replaced, "restore", copy, "-c", `engine-${replaced}.yaml`, "--yes");
      plant.start(replaced);
      await plant.ready(replaced);
      await plant.bothShow("cam4");
      expect(await plant.state(stays)).toMatchObject({ role: "leader", epoch });
    },
  );

  test("operations.md: the role is moved", { timeout: PATIENCE_MS }, async () => {
    plant.type(stays, "handover", "--url", plant.url(stays), "--reason", "work on this host");
    expect(await plant.leader()).toBe(replaced);
    await plant.ready(stays);
    await plant.cut("cam5");
    await plant.bothShow("cam5");
    for (const label of LABELS) {
      expect(plant.type(label, "status", "--url", plant.url(label))).toMatch(/witness +redis · (?!UNREACHABLE)/);
    }
    for (const label of [stays, replaced]) await plant.stop(label);
  });
});

/** What deployment.md and deployment-redis.md say, for these addresses. */
function configOf(label: Label, { address, here }: TwoHosts, redisPort: number): string {
  return [
    "pair: studio-1",
    `label: ${label}`,
    `listen: { host: ${address[label]}, port: 7401 }`,
    "dataDir: ./data",
    `peer: { links: [{ name: red, url: "ws://${address[otherLabel(label)]}:7401" }] }`,
    "witness:",
    "  kind: redis",
    `  url: redis://${here}:${redisPort}`,
    "  user: changeover",
    "  password: { env: WITNESS_PASSWORD }",
    "auth:",
    "  tokens:",
    "    - { name: pair, role: peer, env: PEER_TOKEN }",
    "    - { name: ops, role: operator, env: OPS_TOKEN }",
    "  controlPlaneSecret: { env: CONTROL_PLANE_SECRET }",
    "",
  ].join("\n");
}

/** Packs the package once and installs it in each home, with the dependencies that it names and nothing else. */
function install(folder: string, homes: readonly string[]): void {
  if (!existsSync("dist/src/cli/main.js")) throw new Error("dist is not there: npm run build");
  // The scripts would build again, under the feet of other tests.
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const [packed] = JSON.parse(execFileSync("npm", args, { encoding: "utf8" })) as readonly [
    { readonly filename: string },
  ];
  for (const home of homes) {
    const place = join(home, "node_modules/changeover");
    mkdirSync(place, { recursive: true });
    execFileSync("tar", ["-xzf", join(folder, packed.filename), "-C", place, "--strip-components=1"]);
    const { dependencies } = JSON.parse(readFileSync(join(place, "package.json"), "utf8")) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    for (const name of Object.keys(dependencies)) {
      const link = join(home, "node_modules", name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(resolve("node_modules", name), link);
    }
  }
}

/** The block of settings of a page, as words of a command line. */
function settingsOf(page: string, address: string): readonly string[] {
  const block = /## Settings of the server\n+```\n([^`]+)```/.exec(readFileSync(page, "utf8"))?.[1] ?? "";
  const lines = block.trim().split("\n");
  if (lines.length < 3) throw new Error(`${page} has no settings of the server`);
  return lines.flatMap((line) => {
    const [name = "", ...values] = line.split(" ");
    // The users of this server are made by hand, as the page says as well.
    if (name === "aclfile") return [];
    return [`--${name}`, ...values.map((value) => (value === '""' ? "" : value.replace("10.0.0.9", address)))];
  });
}

/** The two lines that deployment-redis.md tells to type. */
async function giveRights(port: number): Promise<void> {
  const lines = readFileSync("docs/deployment-redis.md", "utf8").match(/^ACL SETUSER .*$/gm) ?? [];
  expect(lines.map((line) => line.split(" ")[2])).toEqual(["changeover", "default"]);
  const client = new Redis(port, "127.0.0.1");
  try {
    for (const line of lines) {
      const [command = "", ...words] = line.replace("PASSWORD", SECRETS.WITNESS_PASSWORD).split(" ");
      await client.call(command, ...words);
    }
  } finally {
    client.disconnect();
  }
}
