/**
 * Hostile federation peers against one real engine: it refuses each with its reason, stays within its memory, and goes on
 * with the good one.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FederationReport } from "../../src/http/routes/peers.ts";
import { type HubServer, startHub } from "../replication/hub-server.ts";
import { floodingPeer, honestOps, type HostilePeer, lyingPeer } from "../support/hostile-peer.ts";
import { type LoneEngine, startLoneEngine } from "../support/lone-engine.ts";
import { altered } from "../support/replication-node.ts";

const YEAR_MS = 365 * 86_400_000;
const MEGABYTE = 1_048_576;
/** What an engine may grow by while it is flooded over and over: pages that it drops, before they are collected. */
const MAX_GROWTH_MB = 150;

const closing: (HostilePeer | HubServer)[] = [];
const kept = <Thing extends HostilePeer | HubServer>(thing: Thing): Thing => {
  closing.push(thing);
  return thing;
};

let engine: LoneEngine;
let good: HubServer;
beforeAll(async () => {
  good = kept(await startHub({ name: "good" }));
  good.place.clock.nowMs = Date.now();
  const ops = honestOps("replayed", 3);
  const [early, altogether] = [honestOps("early", 1), honestOps("twice", 2)];
  const year = (Date.now() + YEAR_MS).toString(16).padStart(12, "0");
  const vectors = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`o${n}`, 1]));
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const origins = Array.from({ length: 600 }, (_, n) => honestOps(`made-up-${n}`, 1)[0]);
  const endpoints = {
    flood: kept(await floodingPeer(100 * MEGABYTE)),
    inflated: kept(await lyingPeer({ identity: { clock: vectors } })),
    ahead: kept(await lyingPeer({ ops: early.map((op) => altered(op, { hlc: `${year}0000-eng_early` })) })),
    replays: kept(await lyingPeer({ ops: [...ops, ...ops, ...ops] })),
    forges: kept(await lyingPeer({ ops: [...altogether, altered(altogether[1]!, { payload: "another" })] })),
    endless: kept(await lyingPeer({ page: { hasMore: true } })),
    malformed: kept(await lyingPeer({ page: { nextCursor: 7 } })),
    shifty: kept(await lyingPeer({ page: { hubId: "somebody-else" } })),
    noisy: kept(await lyingPeer({ ops: [null, 7, "x", []] })),
    deep: kept(
      await lyingPeer({
        ops: honestOps("deep", 1).map((op) => ({ ...op, payload: "@" })),
        text: (json) => json.replace('"@"', deep),
      }),
    ),
    crowd: kept(await lyingPeer({ ops: origins })),
  };
  const peers = Object.entries({ good, ...endpoints }).map(([name, { url }]) => ({ name, endpoint: url }));
  engine = await startLoneEngine({
    pair: "here",
    config: { federation: { intervalMs: 1_000, timeoutMs: 5_000, peers } },
  });
});
afterAll(async () => {
  await engine.close();
  await Promise.all(closing.map((one) => one.close()));
});

const get = async <T>(path: string): Promise<T> => (await (await fetch(engine.url + path)).json()) as T;
const peerOf = async (name: string) =>
  (await get<FederationReport>("/api/peers")).peers.find((one) => one.name === name);
const reasonOf = async (name: string) => (await peerOf(name))?.health?.lastError?.reason;
const residentMb = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${engine.process.pid}/status`, "utf8"))?.[1]) / 1_024;

describe("a hostile peer", () => {
  it.each([
    ["flood", "other"],
    ["inflated", "clock_cap"],
    ["ahead", "clock_drift"],
    ["endless", "other"],
    ["malformed", "other"],
    ["shifty", "identity_mismatch"],
    ["noisy", "invalid_trace_id"],
    ["deep", "other"],
    ["crowd", "clock_cap"],
  ])("%s is refused: %s", async (name, reason) => {
    await expect.poll(() => reasonOf(name)).toBe(reason);
  });

  it("that only repeats itself changes nothing, and one that forges its own past is kept in quarantine", async () => {
    await expect.poll(async () => (await peerOf("replays"))?.health?.lastSuccess).toBeTruthy();
    const { quarantined } = await get<{ quarantined: { via: string; originSeq: number }[] }>("/api/ops/aside");
    expect(quarantined).toMatchObject([{ originSeq: 2 }]);
    const { records } = await get<{ records: { field: string; value: unknown }[] }>("/api/records?entity=from");
    expect(records.find(({ field }) => field === "replayed")?.value).toBe(3);
    expect(records.find(({ field }) => field === "twice")?.value).toBe(2);
    expect(records.map(({ field }) => field)).not.toContain("early");
  });

  it("advances nothing that it should not: no clock, no pin beyond its own", async () => {
    expect((await peerOf("inflated"))?.keys).toEqual(["peer:inflated:health"]);
    const made = (await get<{ records: { field: string }[] }>("/api/records?entity=from&limit=1000")).records;
    expect(made.filter(({ field }) => field.startsWith("made-up"))).toEqual([]);
  });
});

it("the good peer goes on as ever, and memory stays bounded", { timeout: 60_000 }, async () => {
  const before = residentMb();
  let peak = 0;
  for (const round of [1, 2, 3]) {
    good.place.clock.nowMs = Date.now();
    good.place.replication.records.set("show", "round", round);
    await expect
      .poll(async () => {
        peak = Math.max(peak, residentMb());
        return (await get<{ value?: unknown }>("/api/records/show/round")).value;
      })
      .toBe(round);
  }
  expect(await peerOf("good")).toMatchObject({ lag: 0, health: { lastError: null, consecutiveFailures: 0 } });
  expect((await peerOf("flood"))?.health?.consecutiveFailures).toBeGreaterThan(0);
  expect(peak - before).toBeLessThan(MAX_GROWTH_MB);
  const health = await get<{ status: string }>("/api/peer/health");
  expect(health.status).toBe("ok");
});
