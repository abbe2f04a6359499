/** The room that turns a configuration into a running engine, as an embedding program uses it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { HttpEngine } from "../../src/adapters/http-engine.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { resolveConfig } from "../../src/config/load.ts";
import { withPassword, httpAddress, listenAddress, peerAddress } from "../../src/host/adapters.ts";
import { packageVersion } from "../../src/host/package-root.ts";
import { type Host, startHost } from "../../src/host/start-host.ts";
import { ReferenceEngine } from "../../src/reference-engine/reference-engine.ts";
import { commandAt } from "../support/commands.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-host-"));
const hosts: Host[] = [];

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  rmSync(folder, { recursive: true, force: true });
});

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function config(more: object = {}) {
  return resolveConfig({
    pair: "studio-1",
    label: "a",
    listen: { port: 0 },
    dataDir: join(folder, "a"),
    peer: { links: [{ name: "red", url: "ws://127.0.0.1:9" }] },
    witness: { kind: "none" },
    ...more,
  });
}

test("takes any free port, answers there, and closes for good", async () => {
  const host = await startHost(config(), { logger: silent });
  const health = await fetch(`${host.url}/api/peer/health`);
  expect(await health.json()).toMatchObject({ engineLabel: "a", role: "follower", status: "ok" });
  await Promise.all([host.close(), host.close()]);
  await expect(fetch(`${host.url}/live`)).rejects.toThrow("fetch failed");
});

test("an engine that is brought along stands in for the configured one", async () => {
  class Jukebox extends ReferenceEngine {
    override programSource(): string {
      return "jukebox";
    }
  }
  const host = await startHost(config(), { logger: silent, engine: new Jukebox({ clock: new SystemClock() }) });
  hosts.push(host);
  expect(host.coordinator.peerHealth().programSource).toBe("jukebox");
});

test("a start that fails leaves nothing open: the same folder can be used at once", async () => {
  const first = await startHost(config(), { logger: silent });
  const { port } = new URL(first.url);
  const second = config({ dataDir: join(folder, "second"), listen: { port: Number(port) } });
  await expect(startHost(second, { logger: silent })).rejects.toMatchObject({ code: "address_in_use" });
  await first.close();
  hosts.push(await startHost(second, { logger: silent }));
});

test("an engine keeps its identity across starts, and its folder is marked", async () => {
  const once = await startHost(config(), { logger: silent });
  const { engineId } = once.coordinator.state();
  await once.close();
  const again = await startHost(config(), { logger: silent });
  hosts.push(again);
  expect(again.coordinator.state().engineId).toBe(engineId);
  expect(readdirSync(join(folder, "a"))).toContain("engine.json");
  const otherPair = config({ pair: "studio-2" });
  await expect(startHost(otherPair, { logger: silent })).rejects.toMatchObject({ code: "wrong_pair" });
});

test("the password of Redis goes into every form of its URL", () => {
  expect(withPassword("redis://h:1/0", "p@ss")).toBe("redis://:p%40ss@h:1/0");
  expect(withPassword("rediss://user@h", "x")).toBe("rediss://user:x@h");
  expect(withPassword("redis+sentinel://user:old@h1,h2/main", "new")).toBe("redis+sentinel://user:new@h1,h2/main");
  expect(withPassword("redis://h", null)).toBe("redis://h");
});

test("addresses follow from the configuration", () => {
  expect(httpAddress("wss://b.example:7402/x")).toBe("https://b.example:7402");
  expect(listenAddress("::1", 7401)).toBe("http://[::1]:7401");
  expect(peerAddress(config())).toBe("http://127.0.0.1:9");
  const links = [{ name: "red", url: "ws://10.0.0.2:7402" }];
  expect(peerAddress(config({ peer: { links, url: "https://b.example" } }))).toBe("https://b.example");
});

test("the version is the package's", () => {
  expect(packageVersion()).toBe((JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version);
});

test("EN3 EN11: an engine.baseUrl that leads to another coordinator is named, and no command counts as executed there", async () => {
  const other = await startHost(config({ label: "b", dataDir: join(folder, "b") }), { logger: silent });
  hosts.push(other);
  const engine = { kind: "http", baseUrl: other.url, healthIntervalMs: 20, retryDelayMs: 1 };
  const host = await startHost(config({ engine }), { logger: silent });
  hosts.push(host);
  const alarm = () => host.coordinator.state().alarms.find(({ code }) => code === "engine-foreign")?.detail;
  await expect.poll(alarm, { timeout: 10_000 }).toMatch(/engine\.baseUrl: .* answers as coordinator b/);
  await expect.poll(() => host.coordinator.readiness()).toMatchObject({ ready: false, reasons: ["engine-failed"] });
  const adapter = new HttpEngine({ clock: new SystemClock() }, { ...engine });
  const outcome = await adapter.execute(commandAt(1, "POST /api/switch/cut", { source: "cam2" }));
  expect(outcome).toMatchObject({ ok: false, gaveUp: true });
  await adapter.close();
});
