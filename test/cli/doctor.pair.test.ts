/** `changeover doctor` against a real pair: it finds each fault, names the remedy, and ends with code 1 [D1]. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveConfig } from "../../src/config/load.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { REMEDIES } from "../../src/core/remedies.ts";
import { nativePart } from "../../src/host/package-root.ts";
import { type Host, startHost } from "../../src/host/start-host.ts";
import { freePort } from "../support/free-port.ts";
import { waitUntil } from "../support/wait-until.ts";
import { runCli } from "./run-cli.ts";

const SECRETS = {
  PEER_TOKEN: "the-peer-token-of-the-pair",
  OPS_TOKEN: "the-operator-token-of-it",
  CONTROL_PLANE_SECRET: "the-control-plane-secret",
};
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Finding {
  readonly name: string;
  readonly state: "good" | "doubtful" | "bad";
  readonly detail: string;
  readonly remedy: string;
}

let folder: string;
let hosts: Host[];
let ports: Record<Label, number>;

function keys(label: Label): Record<string, unknown> {
  return {
    pair: "doctors",
    label,
    listen: { port: ports[label] },
    dataDir: join(folder, label),
    peer: { links: [{ name: "red", url: `ws://127.0.0.1:${ports[otherLabel(label)]}` }] },
    witness: { kind: "sqlite", file: join(folder, "witness.db") },
    auth: {
      tokens: [
        { name: "pair", role: "peer", env: "PEER_TOKEN" },
        { name: "ops", role: "operator", env: "OPS_TOKEN" },
      ],
      controlPlaneSecret: { env: "CONTROL_PLANE_SECRET" },
    },
  };
}

/** What doctor says of engine a with `changes` in its configuration, and its exit code. */
async function examine(
  changes: Record<string, unknown> = {},
  secrets: Record<string, string> = {},
): Promise<{ code: number | null; findings: Finding[]; wrong: string[] }> {
  const file = join(folder, "examined.json");
  writeFileSync(file, JSON.stringify({ ...keys("a"), ...changes }));
  const { code, stdout, stderr } = await runCli(["doctor", "-c", file, "--json"], { ...SECRETS, ...secrets });
  expect(stderr).toBe("");
  const findings = JSON.parse(stdout) as Finding[];
  for (const { state, remedy } of findings) expect(remedy !== "", JSON.stringify(findings)).toBe(state !== "good");
  return { code, findings, wrong: findings.filter(({ state }) => state === "bad").map(({ name }) => name) };
}

const found = (findings: readonly Finding[], name: string): Finding => {
  const finding = findings.find((one) => one.name === name);
  if (finding === undefined) throw new Error(`no finding ${name} in ${JSON.stringify(findings)}`);
  return finding;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "changeover-doctor-"));
  ports = { a: await freePort(), b: await freePort() };
  hosts = await Promise.all(
    (["a", "b"] as const).map((label) =>
      startHost(resolveConfig(keys(label), SECRETS), { environment: SECRETS, logger: silent }),
    ),
  );
  const isSound = ({ coordinator }: Host): boolean => coordinator.ready() && coordinator.state().alarms.length === 0;
  await waitUntil(() => hosts.every(isSound), 30_000);
});
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.close()));
  rmSync(folder, { recursive: true, force: true });
});

test("a sound pair: nothing is wrong, exit code 0", async () => {
  const { code, wrong, findings } = await examine();
  expect(wrong).toEqual([]);
  expect(code).toBe(0);
  expect(found(findings, "engine").detail).toContain("doctors engine a");
  // Where there is no compiler, npm install leaves this part out.
  expect(found(findings, "fast death").state).toBe(existsSync(nativePart()) ? "good" : "doubtful");
});

test("failover.fastDeath: off is no fault; any other word is", async () => {
  const off = await examine({ failover: { fastDeath: "off" } });
  expect(found(off.findings, "fast death").detail).toBe("failover.fastDeath is off");
  const { wrong, findings } = await examine({ failover: { fastDeath: true } });
  expect(wrong).toEqual(["configuration"]);
  expect(found(findings, "configuration").detail).toContain("failover.fastDeath is true: must be one of auto, off");
});

test("D1: a wrong PEER_TOKEN is found, although it is a good secret", async () => {
  const { code, findings } = await examine({}, { PEER_TOKEN: "another-token-than-theirs" });
  expect(code).toBe(1);
  expect(found(findings, "peer")).toMatchObject({
    state: "bad",
    detail: 'the peer refuses the token "pair" (401)',
    remedy: "give both engines the same token of role peer, then: changeover reload",
  });
});

test("D1: tokens that the running engine does not know are found", async () => {
  const { code, wrong } = await examine({}, { OPS_TOKEN: "another-token-than-theirs" });
  expect([code, wrong]).toEqual([1, ["tokens"]]);
  const none = await examine({ auth: { tokens: [] } });
  expect(none.code).toBe(1);
  expect(found(none.findings, "peer").detail).toContain("wants a token");
});

test("D1, C2: a data folder that is a file, is in /proc, or is another engine's", async () => {
  for (const [dataDir, told] of [
    ["/etc/passwd", "is not a folder"],
    ["/etc/passwd/below", "is not a folder"],
    ["/proc/x", "/proc/x"],
    [join(folder, "b"), "belongs to engine b"],
  ] as const) {
    const { code, findings } = await examine({ dataDir });
    expect(code, dataDir).toBe(1);
    expect(found(findings, "disk").detail).toContain(told);
    expect(found(findings, "disk").remedy).toContain("dataDir");
  }
});

test("C1, C3, C4: a configuration that cannot be used, with the key and the rule", async () => {
  const links = [{ name: "red", url: "ws://127.0.0.1:99999" }];
  const address = await examine({ peer: { links } });
  expect(address).toMatchObject({ code: 1, wrong: ["configuration"] });
  expect(found(address.findings, "configuration").detail).toMatch(/peer\.links\[0\]\.url.*99999/);
  const secret = await examine({}, { OPS_TOKEN: "with-an-umlaut-ü-in-it" });
  expect(found(secret.findings, "secrets").detail).toMatch(/auth\.tokens\[1\].*printable ASCII/);
  const open = await examine({ listen: { host: "0.0.0.0", port: ports.a }, auth: { tokens: [] } });
  expect(found(open.findings, "configuration").detail).toContain("listen.host");
});

test("links that lead nowhere, to the wrong engine, or to another pair", async () => {
  const dead = await freePort();
  const red = { name: "red", url: `ws://127.0.0.1:${ports.b}` };
  const at = (port: number, name = "red") => ({ name, url: `ws://127.0.0.1:${port}` });
  const peerOf = async (links: object[], changes: object = {}) =>
    found((await examine({ peer: { links }, ...changes })).findings, "peer");
  expect((await peerOf([at(dead)])).detail).toContain("no engine answers over red");
  expect(await peerOf([red, at(dead, "blue")])).toMatchObject({ state: "bad", remedy: REMEDIES["peer-link-lost"] });
  expect((await peerOf([at(ports.b)], { label: "b", listen: { port: dead } })).detail).toContain(
    "leads to an engine b too",
  );
  expect((await peerOf([red], { pair: "other" })).detail).toContain('the pair "doctors"');
});

test("a listener, a witness, a hub, an engine and a program that cannot be had", async () => {
  const dead = await freePort();
  const away = `http://127.0.0.1:${dead}`;
  mkdirSync(join(folder, "scripts"), { recursive: true });
  const script = join(folder, "scripts", "route.sh");
  writeFileSync(script, "#!/bin/sh\n");
  chmodSync(script, 0o644);
  const changes = {
    listen: { port: ports.b },
    peer: { links: [{ name: "red", url: `ws://127.0.0.1:${ports.a}` }] },
    witness: { kind: "redis", url: `redis://127.0.0.1:${dead}` },
    replication: { hub: { url: away } },
    engine: { kind: "http", baseUrl: away },
    changeover: [{ name: "router", kind: "exec", command: [script] }],
  };
  const { code, wrong, findings } = await examine(changes);
  expect(code).toBe(1);
  expect(wrong).toEqual(["witness", "peer", "hub", "engine hooks", "router", "listener"]);
  expect(found(findings, "listener").detail).toContain("taken by another program");
  expect(found(findings, "router").remedy).toContain("chmod +x");
});

test("what the running engine alarms, with the runbook's words; maintenance that was forgotten", async () => {
  const [a, b] = hosts as [Host, Host];
  b.coordinator.setMaintenance({ on: true, reason: "cabling", by: "ops" });
  await expect.poll(() => a.coordinator.state().maintenance?.on).toBe(true);
  const held = await examine();
  expect(held.code).toBe(0);
  expect(found(held.findings, "maintenance")).toMatchObject({
    state: "doubtful",
    detail: expect.stringContaining("cabling") as string,
  });
  b.coordinator.setMaintenance({ on: false, reason: "", by: "ops" });
  await b.close();
  await expect.poll(() => a.coordinator.state().alarms.map(({ code }) => code)).toContain("peer-unreachable");
  const { code, findings } = await examine();
  expect(code).toBe(1);
  expect(found(findings, "alarm peer-unreachable")).toMatchObject({
    state: "bad",
    remedy: REMEDIES["peer-unreachable"],
  });
  const shown = await runCli(["doctor", "--url", a.url], { CHANGEOVER_TOKEN: SECRETS.OPS_TOKEN });
  expect(shown.code).toBe(1);
  expect(shown.stdout).toContain(`→ ${REMEDIES["peer-unreachable"]}`);
  // An engine that refuses the token runs: nobody is told to start it.
  const strange = await runCli(["doctor", "--url", a.url], { CHANGEOVER_TOKEN: "not-the-token-of-anybody" });
  expect(strange.code).toBe(1);
  expect(strange.stdout).toContain("→ it runs: look at --url, and at the token");
  const status = await runCli(["status", "--url", a.url], { CHANGEOVER_TOKEN: SECRETS.OPS_TOKEN });
  expect(status.stdout).toContain(`→ ${REMEDIES["peer-unreachable"]}`);
});
