/** TLS with a private authority, and mutual TLS, between real engines: those who belong get through, others do not. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HttpClient } from "../../src/adapters/http-client.ts";
import { HttpSyncTransport } from "../../src/adapters/http-sync-transport.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { reasonOfAnswer } from "../../src/replication/reasons.ts";
import { runCli } from "../cli/run-cli.ts";
import { freePort } from "../support/free-port.ts";
import { type LoneEngine, startLoneEngine } from "../support/lone-engine.ts";
import { PrivateAuthority } from "../support/private-authority.ts";
import { describeWithServer } from "../support/servers.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-tls-"));
const clock = new SystemClock();
const engines: LoneEngine[] = [];

afterAll(async () => {
  await Promise.all(engines.map((engine) => engine.close()));
  rmSync(folder, { recursive: true });
});

const pem = (file: string): string => readFileSync(file, "utf8");

/** One call by somebody who trusts `authority` and shows no certificate. */
async function call(authority: PrivateAuthority, method: string, url: string, value?: unknown) {
  const client = new HttpClient({ clock }, { tls: { ca: pem(authority.ca) } });
  const body = value === undefined ? {} : { body: JSON.stringify({ value }) };
  const answer = await client.call({ method, url, ...body, timeoutMs: 5_000 });
  client.close();
  return answer;
}

/** Two engines of two sites that know each other, and ask certificates of whoever calls `/sync`. */
async function startSites(ours: PrivateAuthority): Promise<{ readonly east: string; readonly west: string }> {
  const [east, west] = [await freePort(), await freePort()];
  const urls = { east: `https://127.0.0.1:${east}`, west: `https://127.0.0.1:${west}` };
  const start = (pair: string, port: number, peer: string, endpoint: string): Promise<LoneEngine> => {
    const own = ours.certify(pair);
    const federation = { intervalMs: 1_000, peers: [{ name: peer, endpoint, ca: ours.ca, ...own }] };
    return startLoneEngine({
      pair,
      port,
      scheme: "https",
      listen: { tls: { ...own, ca: ours.ca } },
      config: { federation },
    });
  };
  engines.push(await start("east", east, "west", urls.west), await start("west", west, "east", urls.east));
  return urls;
}

describeWithServer("openssl", "two sites behind a private authority", () => {
  let ours: PrivateAuthority;
  let others: PrivateAuthority;
  let urls: { readonly east: string; readonly west: string };
  beforeAll(async () => {
    ours = new PrivateAuthority(folder, "ours");
    others = new PrivateAuthority(folder, "others");
    urls = await startSites(ours);
  });

  it("federate: what one writes the other holds, and the command line says that all is well", async () => {
    expect(await call(ours, "PUT", `${urls.east}/api/records/show/title`, "Monday")).toMatchObject({ status: 200 });
    await expect
      .poll(() => call(ours, "GET", `${urls.west}/api/records/show/title`))
      .toMatchObject({ status: 200, body: { value: "Monday" } });
    const args = ["federation", "status", "--url", urls.west];
    const trusting = { NODE_EXTRA_CA_CERTS: ours.ca };
    await expect.poll(async () => (await runCli(args, trusting)).stdout).toMatch(/^east .* 0 {4}good$/m);
  });

  function shown(authority: PrivateAuthority): { cert: string; key: string } {
    const { cert, key } = authority.certify("somebody");
    return { cert: pem(cert), key: pem(key) };
  }

  it.each<[string, () => object, string]>([
    ["no certificate", () => ({ ca: pem(ours.ca) }), "auth"],
    ["a certificate of another authority", () => ({ ca: pem(ours.ca), ...shown(others) }), "auth"],
    ["no trust in our authority", () => shown(ours), "network_tls"],
    ["trust in another authority", () => ({ ca: pem(others.ca), ...shown(ours) }), "network_tls"],
  ])("turn away who calls /sync with %s", async (_what, tls, reason) => {
    const transport = new HttpSyncTransport({ clock }, { url: urls.east, token: null, origin: "rec_x", tls: tls() });
    const answer = await transport.identity();
    transport.close();
    expect(answer.outcome === "answered" ? "answered" : reasonOfAnswer(answer)).toBe(reason);
  });

  it("ask no certificate of people, probes and scrapers", async () => {
    for (const path of ["/api/state", "/ready", "/live", "/metrics", "/api/peers"]) {
      const answer = await call(ours, "GET", urls.east + path);
      expect(answer.outcome === "answered" && [200, 503].includes(answer.status), path).toBe(true);
    }
  });
});

describeWithServer("openssl", "an engine behind a private authority", () => {
  let ours: PrivateAuthority;
  beforeAll(() => {
    ours = new PrivateAuthority(folder, "of-the-pair");
  });

  it("makes a pair with another one over wss:", async () => {
    const [a, b] = [await freePort(), await freePort()];
    const witness = { kind: "sqlite", file: join(folder, "witness.db") };
    const start = (label: "a" | "b", port: number, peerPort: number): Promise<LoneEngine> => {
      const peer = { links: [{ name: "red", url: `wss://127.0.0.1:${peerPort}` }], ca: ours.ca };
      const listen = { tls: ours.certify(`pair-${label}`) };
      return startLoneEngine({ pair: "secure", label, port, scheme: "https", listen, config: { peer, witness } });
    };
    engines.push(...(await Promise.all([start("a", a, b), start("b", b, a)])));
    const ready = { body: { syncState: "ready", peer: { syncState: "ready" } } };
    for (const port of [a, b]) {
      await expect.poll(() => call(ours, "GET", `https://127.0.0.1:${port}/api/state`)).toMatchObject(ready);
    }
  });

  it.each<[string, (own: { cert: string; key: string }) => object, RegExp]>([
    [
      "a file that is not there",
      (own) => ({ ...own, key: "/nowhere.key" }),
      /listen\.tls\.key is "\/nowhere\.key": must be a file/,
    ],
    [
      "a key of another certificate",
      (own) => ({ ...own, key: ours.certify("other").key }),
      /listen\.tls is .*: its files must be PEM/,
    ],
  ])("does not start with %s", async (_what, spoil, told) => {
    const listen = { tls: spoil(ours.certify("spoiled")) };
    await expect(startLoneEngine({ pair: "spoiled", listen })).rejects.toThrow(told);
  });
});
