/** What holds for every command: exit codes, one plain line for an error, and no secret on the command line. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { runCli } from "./run-cli.ts";

describe("exit codes", () => {
  test("0 for help and version", async () => {
    expect((await runCli(["--help"])).code).toBe(0);
    const version = await runCli(["--version"]);
    expect(version).toMatchObject({ code: 0, stdout: `${packageVersion()}\n` });
  });

  test.each([
    ["an unknown command", ["bogus"]],
    ["an unknown option", ["status", "--colour"]],
    ["a missing argument", ["config", "check"]],
    ["a choice that there is not", ["maintenance", "maybe"]],
    ["a number out of bounds", ["history", "--limit", "0"]],
    ["an address that is none", ["status", "--url", "studio"]],
    ["a token file that is not there", ["status", "--token-file", "/nowhere/token"]],
    ["no secret for force-leader", ["force-leader"]],
    ["a federation command without a peer", ["federation", "reset-peer"]],
    ["a folder without a name", ["sync", "--hub", "http://127.0.0.1:1", "--once", "--data-dir", ""]],
  ])("2 for wrong use: %s", async (_what, args) => {
    const end = await runCli(args);
    expect(end).toMatchObject({ code: 2, stdout: "" });
    expect(end.stderr).not.toMatch(/\n\s+at /);
  });

  test.each([
    ["status", []],
    ["history", []],
    ["handover", []],
    ["maintenance", ["on"]],
    ["conflicts", ["list"]],
    ["outbox", ["status"]],
    ["ops", ["tail"]],
    ["federation", ["status"]],
    ["watch", []],
  ])("3 where no engine answers: %s", async (command, args) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const end = await runCli([command, ...args, "--url", url]);
    expect(end).toMatchObject({ code: 3, stdout: "" });
    expect(end.stderr).toBe(
      `changeover: cannot reach ${url}: connection refused; is the engine running? ` +
        "Say where it is with --url or CHANGEOVER_URL\n",
    );
  });

  test.each([
    ["--url", ["status", "--url", "http://ops:hush@127.0.0.1:7401"]],
    ["--hub", ["sync", "--once", "--hub", "http://ops:hush@127.0.0.1:7401"]],
  ])("2 for a password in %s, which is not shown", async (option, args) => {
    const end = await runCli(args);
    expect(end).toMatchObject({ code: 2, stdout: "" });
    expect(end.stderr).toContain(`${option}: must have no user or password in it`);
    expect(end.stderr).not.toContain("hush");
  });

  test("a wrong address is told by the name of where it stands; an empty variable is none", async () => {
    const wrong = await runCli(["status"], { CHANGEOVER_URL: "engine-a" });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('CHANGEOVER_URL is "engine-a": must be')]);
    expect((await runCli(["status", "--url", "engine-b"])).stderr).toContain('--url is "engine-b": must be');
    expect((await runCli(["status"], { CHANGEOVER_URL: "" })).stderr).not.toContain("must be an address");
  });

  test("the address comes from CHANGEOVER_URL too", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect((await runCli(["status"], { CHANGEOVER_URL: url })).stderr).toContain(url);
  });
});

describe("config check", () => {
  test("0 and the essentials for a good file", async () => {
    const end = await runCli(["config", "check", "config/engine-a.yaml"]);
    expect(end).toMatchObject({ code: 0, stderr: "" });
    expect(end.stdout).toContain("engine a of studio-1, 127.0.0.1:7401, on-air");
  });

  test("--json shows everything but secrets", async () => {
    const environment = {
      CHANGEOVER_WITNESS_KIND: "redis",
      CHANGEOVER_WITNESS_URL: "redis://:hush@127.0.0.1:6379",
      CONTROL_PLANE_SECRET: "quiet-0123456789abcdef",
    };
    const end = await runCli(["config", "check", "config/engine-a.yaml", "--json"], environment);
    expect(JSON.parse(end.stdout)).toMatchObject({ failover: { leaseMs: 600 }, dataDir: "./var/a" });
    expect(end.stdout).not.toMatch(/hush|quiet/);
  });

  test("1 and one line for a bad one", async () => {
    const end = await runCli(["config", "check", "config/engine-a.yaml"], { CHANGEOVER_FAILOVER_LEASE_MS: "100" });
    expect(end).toMatchObject({ code: 1, stdout: "" });
    expect(end.stderr).toBe(
      "changeover: config/engine-a.yaml: failover.leaseMs is 100: must be >= 600 (heartbeatMs * missLimit): " +
        "a leader would lose its vote before its peer is silent (set by CHANGEOVER_FAILOVER_LEASE_MS)\n",
    );
  });

  test("1 for files of TLS that are not there or hold something else, all of them named", async () => {
    const folder = mkdtempSync(join(tmpdir(), "changeover-check-"));
    const file = join(folder, "engine.yaml");
    const none = join(folder, "none.pem");
    writeFileSync(
      file,
      JSON.stringify({
        pair: "studio-1",
        label: "a",
        peer: { links: [{ name: "red", url: "wss://10.0.0.2:7401" }], ca: none },
        listen: { tls: { cert: none, key: folder } },
        witness: { kind: "redis", url: "rediss://10.0.0.3", tls: { caFile: file } },
        outbox: { sink: "nats", url: "tls://10.0.0.3", ca: none },
        replication: { hub: { url: "https://hub:7401", ca: none } },
        federation: { peers: [{ name: "west", endpoint: "https://west:7401", cert: none, key: none }] },
      }),
    );
    const { code, stdout, stderr } = await runCli(["config", "check", file]);
    rmSync(folder, { recursive: true });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    const unreadable = ["listen.tls.cert", "peer.ca", "outbox.ca", "replication.hub.ca", "federation.peers[0].key"];
    for (const key of unreadable)
      expect(stderr).toContain(`${key} is "${none}": must be a file that this user can read (ENOENT)`);
    expect(stderr).toContain(`listen.tls.key is "${folder}": must be a file that this user can read (EISDIR)`);
    expect(stderr).toMatch(/witness\.tls is \{"caFile":".*engine\.yaml"\}: its files must be PEM/);
  });
});

describe("machines", () => {
  test("list names every chart of the catalogue", async () => {
    const end = await runCli(["machines", "list", "--json"]);
    const names = (JSON.parse(end.stdout) as { name: string }[]).map(({ name }) => name);
    const files = readdirSync("machines").filter((file) => file.endsWith(".machine.ts"));
    expect(names.sort()).toEqual(files.map((file) => file.replace(".machine.ts", "")).sort());
  });

  test("export writes one file a machine", async () => {
    const folder = mkdtempSync(join(tmpdir(), "changeover-machines-"));
    const end = await runCli(["machines", "export", "--format", "mermaid", "--out", folder]);
    expect(end.code).toBe(0);
    const text = readFileSync(join(folder, "peer-link.mmd"), "utf8");
    expect(text).toContain("stateDiagram-v2\n  [*] --> peer_link_connecting\n");
    expect(text).toContain("  peer_link_alive --> peer_link_suspect : after untilSuspect [isAwake]\n");
    rmSync(folder, { recursive: true });
  });

  test("export as SVG without a name is one drawing of all", async () => {
    const { code, stdout } = await runCli(["machines", "export", "--format", "svg"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<svg [^>]*viewBox="0 0 \d{3,} \d{4,}"/);
    const drawn = [...stdout.matchAll(/<svg y="(\d+)" [^>]*data-machine="/g)].map(([, y]) => Number(y));
    expect(drawn).toHaveLength(readdirSync("machines").filter((file) => file.endsWith(".machine.ts")).length);
    expect(drawn).toEqual([...new Set(drawn)].sort((one, other) => one - other));
  });

  test("CH7 the actor tree: each chart below the one that starts it, with its delays and steps", async () => {
    const { code, stdout } = await runCli(["machines", "export", "--format", "tree"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^( *)leadership\n[^]*^\1 {2}campaign\n\1 {4}step askForVote +in askingForVote\n/m);
    expect(stdout).toMatch(/^ +after quarantine +in follower\.quarantined$/m);
  });

  test.each([
    [["leadership", "--format", "tree"], "--format tree shows all charts: leave out the name of one machine"],
    [["--running", "--out", "x"], "--running shows all charts: leave out --out"],
    [["--running", "--format", "svg"], "--running is told as --format tree or json, not as svg"],
  ])("export %j is refused", async (args, reason) => {
    const end = await runCli(["machines", "export", ...args]);
    expect([end.code, end.stdout]).toEqual([2, ""]);
    expect(end.stderr).toContain(reason);
  });

  test("export as JSON is the definition itself", async () => {
    const { stdout } = await runCli(["machines", "export", "leadership"]);
    expect(JSON.parse(stdout)).toMatchObject({ id: "leadership" });
  });
});

function packageVersion(): string {
  return (JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version;
}
