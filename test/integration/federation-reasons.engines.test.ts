/**
 * Every word for what goes wrong with a federation peer, provoked for real: one engine process, one address for each
 * fault, and what `changeover federation status` says of it.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FederationReport } from "../../src/http/routes/peers.ts";
import { HINTS, type PeerReason } from "../../src/replication/reasons.ts";
import { runCli } from "../cli/run-cli.ts";
import { SECRETS } from "../http/rig.ts";
import { type HubServer, startHub } from "../replication/hub-server.ts";
import { freePort } from "../support/free-port.ts";
import { honestOps, type HostilePeer, httpPeer, lyingPeer, rawPeer } from "../support/hostile-peer.ts";
import { type LoneEngine, startLoneEngine } from "../support/lone-engine.ts";
import { altered } from "../support/replication-node.ts";

interface Fault {
  readonly reason: PeerReason;
  readonly endpoint: string;
  readonly more?: object;
  /** Whether an operation stands in the way. */
  readonly atOp?: boolean;
}

const closing: (HostilePeer | HubServer)[] = [];
const kept = <Thing extends HostilePeer | HubServer>(thing: Thing): Thing => {
  closing.push(thing);
  return thing;
};

/** Where nobody listens, nobody answers, nobody is known, or who answers hangs up. */
async function networkFaults(): Promise<Fault[]> {
  const plain = kept(await httpPeer((_request, response) => response.end()));
  const mute = kept(await rawPeer(() => undefined));
  const resets = kept(await rawPeer((socket) => socket.once("data", () => socket.resetAndDestroy())));
  const ends = kept(await rawPeer((socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-le"))));
  return [
    { reason: "network_refused", endpoint: `http://127.0.0.1:${await freePort()}` },
    { reason: "network_timeout", endpoint: mute.url },
    { reason: "network_dns", endpoint: "http://nowhere.invalid:7401" },
    { reason: "network_tls", endpoint: plain.url.replace("http:", "https:") },
    { reason: "network_reset", endpoint: resets.url },
    { reason: "network_eof", endpoint: ends.url },
  ];
}

async function identityFaults(): Promise<Fault[]> {
  const guarded = kept(await startHub({ name: "guarded" }, 0, SECRETS));
  const other = kept(await startHub({ name: "other" }));
  const nobody = kept(await httpPeer((_request, response) => response.end("{}")));
  const full = kept(
    await httpPeer((_request, response) => {
      response.statusCode = 403;
      response.setHeader("content-type", "application/problem+json");
      response.end(JSON.stringify({ status: 403, code: "quota", detail: "no room for another origin" }));
    }),
  );
  return [
    { reason: "auth", endpoint: guarded.url },
    { reason: "identity_mismatch", endpoint: other.url, more: { pin: { id: "eng_expected" } } },
    { reason: "identity_missing", endpoint: nobody.url },
    { reason: "quota", endpoint: full.url },
  ];
}

/** The first part of an HLC, a year ahead. */
function inAYear(): string {
  return (Date.now() + 365 * 86_400_000).toString(16).padStart(12, "0");
}

async function operationFaults(): Promise<Fault[]> {
  const inflated = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`o${n}`, 1]));
  const poison: readonly [PeerReason, (op: ReturnType<typeof honestOps>[number]) => unknown][] = [
    ["clock_cap", (op) => ({ ...op, clock: { ...inflated, ...op.clock } })],
    ["unknown_action", (op) => altered(op, { kind: "explode" })],
    ["unknown_type", (op) => ({ ...altered(op, {}), colour: "red" })],
    ["invalid_trace_id", (op) => ({ ...op, originSeq: 0 })],
    ["invalid_frontmatter", (op) => altered(op, { entity: "" })],
    ["clock_drift", (op) => altered(op, { hlc: `${inAYear()}0000-${op.origin}` })],
    ["other", (op) => ({ ...op, payload: "altered on the way" })],
  ];
  return Promise.all(
    poison.map(async ([reason, spoil]) => {
      const [op] = honestOps(reason.replace("_", "-"), 1);
      if (op === undefined) throw new Error("one was made");
      return { reason, endpoint: kept(await lyingPeer({ ops: [spoil(op)] })).url, atOp: true };
    }),
  );
}

let engine: LoneEngine;
let faults: readonly Fault[];
beforeAll(async () => {
  faults = [...(await networkFaults()), ...(await identityFaults()), ...(await operationFaults())];
  const peers = faults.map(({ reason, endpoint, more }) => ({ name: reason.replaceAll("_", "-"), endpoint, ...more }));
  engine = await startLoneEngine({
    pair: "here",
    config: { federation: { intervalMs: 1_000, timeoutMs: 1_500, peers } },
  });
});
afterAll(async () => {
  await engine.close();
  await Promise.all(closing.map((one) => one.close()));
});

const status = (...more: string[]) => runCli(["federation", "status", "--url", engine.url, ...more]);
const report = async () => JSON.parse((await status("--json")).stdout) as FederationReport;
const nameOf = (reason: PeerReason): string => reason.replaceAll("_", "-");

describe("changeover federation status", () => {
  it("shows every word of a peer's health, each with what to do about it", async () => {
    // A fork shows between two places that have met: `test/replication/history.test.ts`.
    const words = [...faults.map(({ reason }) => reason), "history_forked"];
    expect(words.sort()).toEqual(Object.keys(HINTS).sort());
    const wanted = Object.fromEntries(faults.map(({ reason }) => [nameOf(reason), reason]));
    let text = "";
    const told = async (): Promise<object> => {
      text = (await status()).stdout;
      const lines = [...text.matchAll(/^([a-z-]+): ([a-z_]+)(?: at \S+)?: (.+)$/gm)];
      return Object.fromEntries(lines.map(([, name, reason]) => [name, reason])) as object;
    };
    await expect.poll(told).toEqual(wanted);
    for (const { reason } of faults) expect(text).toContain(HINTS[reason]);
    expect(text).toMatch(new RegExp(`^${faults.length} of ${faults.length} peers fail$`, "m"));
    for (const more of [[], ["--json"]]) expect(await status(...more)).toMatchObject({ code: 1, stderr: "" });
    expect(text).toMatch(/^here · eng_\S+ · version /);
    expect(text).toMatch(/^access open, own key sha256:[0-9a-f]{32}$/m);
  });

  it("says at which operation it stands, and under which request the peer's log says more", async () => {
    const { peers } = await report();
    const at = (reason: PeerReason) => peers.find(({ name }) => name === nameOf(reason));
    for (const { reason } of faults.filter(({ atOp }) => atOp)) {
      expect(at(reason)?.health?.lastError?.eventId, reason).toMatch(/^rec_\S+\/[01]$/);
    }
    expect(at("auth")?.health?.lastError?.traceId).toMatch(/^req_/);
    expect(at("identity_mismatch")).toMatchObject({ state: "refused", keys: ["peer:identity-mismatch:health"] });
  });

  it("is what the metrics and the alarms say too", async () => {
    const metrics = await (await fetch(`${engine.url}/metrics`)).text();
    expect(metrics).toMatch(/changeover_federation_error\{peer="network-dns",reason="network_dns",.*\} 1/);
    expect(metrics).toMatch(/changeover_federation_healthy\{peer="auth",.*\} 0/);
    const state = (await (await fetch(`${engine.url}/api/state`)).json()) as { alarms: { code: string }[] };
    expect(state.alarms.map(({ code }) => code)).toContain("federation-refused");
  });
});

describe("a person at the command line", () => {
  const cli = (...args: string[]) => runCli(["federation", ...args, "--url", engine.url]);

  it("pauses and resumes, and resets only when every name is known", async () => {
    expect(await cli("pause", "auth", "network-dns")).toMatchObject({
      code: 0,
      stdout: "auth: paused\nnetwork-dns: paused\n",
    });
    expect((await report()).peers.filter(({ mode }) => mode === "paused").map(({ name }) => name)).toEqual([
      "network-dns",
      "auth",
    ]);
    expect(await cli("resume", "auth", "network-dns")).toMatchObject({ code: 0 });
    const unknown = await cli("reset-peer", "auth", "nobody", "--yes");
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toContain("no peer is called nobody; there are: network-refused");
  });

  it("is shown what will go, and asked; where nobody can be asked --yes is needed", async () => {
    const asked = await cli("reset-peer", "unknown-type");
    expect(asked).toMatchObject({ code: 2, stdout: expect.stringContaining("peer:unknown-type:cursor") as string });
    expect(asked.stderr).toContain("give --yes");
    const done = await cli("reset-peer", "unknown-type", "--yes");
    expect(done).toMatchObject({ code: 0, stderr: "" });
    expect(done.stdout).toMatch(/unknown-type: 4 forgotten; it is met anew\n$/);
    const keyOnly = await cli("reset-peer", "unknown-action", "--key-rotated", "--yes", "--json");
    expect(JSON.parse(keyOnly.stdout)).toMatchObject([{ removed: [] }]);
  });

  it("finds no secret key anywhere", () => {
    expect(engine.log()).not.toContain("PRIVATE");
  });
});
