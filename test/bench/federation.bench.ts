/** What an engine costs that federates with fifty peers while nothing is new at any of them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { FederationReport } from "../../src/http/routes/peers.ts";
import { type HubServer, startHub } from "../replication/hub-server.ts";
import { freePort } from "../support/free-port.ts";
import { Child } from "./child.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const PEERS = 50;
const INTERVAL_MS = 30_000;
const SECOND_MS = 1_000;
const WARM_UP_MS = 5_000;
const MET_WITHIN_MS = 60_000;

/** Share of a core in per cent, one sample a second. */
export async function benchFederation(scale: Scale): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "changeover-bench-"));
  const hubs: HubServer[] = [];
  try {
    for (let n = 0; n < PEERS; n += 1) hubs.push(await startHub({ name: `hub-${n}` }));
    const peers = hubs.map(({ url }, n) => ({ name: `peer-${n}`, endpoint: url }));
    const seconds = amount(scale, 120, 35);
    const alone = await shareOf(folder, "alone", [], seconds);
    const federating = await shareOf(folder, "federating", peers, seconds);
    return [
      benchRow({
        name: `engine with ${PEERS} federation peers, idle, a core of the machine`,
        unit: "%",
        samples: federating,
        yardstick: { name: "the same engine without peers", samples: alone },
        goal: "< 5 %",
      }),
    ];
  } finally {
    await Promise.all(hubs.map((hub) => hub.close()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs one engine without a pair, waits until it has met every peer, and measures it. */
async function shareOf(folder: string, pair: string, peers: readonly object[], seconds: number): Promise<number[]> {
  const port = await freePort();
  const file = join(folder, `${pair}.json`);
  const config = {
    pair,
    label: "a",
    listen: { port },
    dataDir: join(folder, pair),
    peer: { links: [{ name: "red", url: `ws://127.0.0.1:${await freePort()}` }] },
    witness: { kind: "sqlite", file: join(folder, `${pair}.db`) },
    federation: { intervalMs: INTERVAL_MS, peers },
    log: { level: "error" },
  };
  writeFileSync(file, JSON.stringify(config));
  const engine = new Child([CLI, "engine", "-c", file]);
  try {
    await engine.line();
    await allMet(`http://127.0.0.1:${port}`);
    await delay(WARM_UP_MS);
    const shares: number[] = [];
    for (let second = 0; second < seconds; second += 1) {
      const before = engine.cpuMs();
      const startMs = performance.now();
      await delay(SECOND_MS);
      shares.push((100 * (engine.cpuMs() - before)) / (performance.now() - startMs));
    }
    return shares;
  } finally {
    await engine.stop();
  }
}

/** Every peer was exchanged with once, and well. */
async function allMet(url: string): Promise<void> {
  const endMs = performance.now() + MET_WITHIN_MS;
  while (performance.now() < endMs) {
    const { peers } = (await (await fetch(`${url}/api/peers`)).json()) as FederationReport;
    if (peers.every(({ health }) => health?.lastSuccess)) return;
    await delay(100);
  }
  throw new Error(`not every peer was met within ${MET_WITHIN_MS} ms`);
}
