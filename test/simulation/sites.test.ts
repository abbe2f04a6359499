/** Sites in the virtual world: what a hostile one and a new one behind an old address come to, as people see it. */
import { describe, expect, it } from "vitest";
import type { PeerStatus } from "../../src/replication/federation-peer.ts";
import { watchInvariants } from "../../src/simulation/invariants/all.ts";
import { settingsOf } from "../../src/simulation/run.ts";
import { simulated } from "../../src/simulation/subject.ts";
import { World } from "../../src/simulation/world/world.ts";

const INTERVAL_MS = 1_000;
const LABELS = ["a", "b"] as const;

/** The pair with two sites, each of which has written something that both engines have. */
async function twoSites(): Promise<World> {
  const site = { mode: "sync", intervalMs: INTERVAL_MS, pageOps: 50 } as const;
  const sites = ["site1", "site2"].map((name) => ({ ...site, name }));
  const world = new World({ factory: simulated }, { ...settingsOf(1, "on-air"), spokes: [], feed: false, sites });
  watchInvariants(world, { boundedGaps: false });
  world.boot();
  await world.run(4_000);
  write(world, 0, 1);
  write(world, 1, 1);
  await until(world, () => LABELS.every((label) => held(world, label) === 2));
  return world;
}

function write(world: World, site: 0 | 1, value: number): void {
  expect(world.sites[site]?.replication?.records.set("macro", `of site ${site}`, value)?.outcome).toBe("written");
}

async function until(world: World, holds: () => boolean): Promise<void> {
  await world.runUntil(world.nowMs + 60_000, holds);
  expect(world.violation).toBeNull();
  expect(holds()).toBe(true);
}

function held(world: World, label: "a" | "b"): number {
  return world.contentOf(label)?.replica.ops.size ?? 0;
}

function peerOf(world: World, label: "a" | "b", name: string): PeerStatus | undefined {
  return world.processes[label].coordinator?.replication.federation.status().peers.find((peer) => peer.name === name);
}

describe("a site", () => {
  it("that offers too many writers is refused whole: its cursor stays, its health says so, the other is unaffected", async () => {
    const world = await twoSites();
    await until(world, () => LABELS.every((label) => peerOf(world, label, "site1")?.state === "idle"));
    const cursors = LABELS.map((label) => peerOf(world, label, "site1")?.cursor);
    Object.assign(world.sites[0] ?? {}, { inflates: true });
    const reason = (label: "a" | "b") => peerOf(world, label, "site1")?.health?.lastError?.reason;
    await until(world, () => LABELS.every((label) => reason(label) === "clock_cap"));
    expect(LABELS.map((label) => peerOf(world, label, "site1")?.cursor)).toEqual(cursors);
    expect(LABELS.map((label) => held(world, label))).toEqual([2, 2]);
    write(world, 1, 2);
    await until(world, () => LABELS.every((label) => held(world, label) === 3));
    expect(peerOf(world, "a", "site2")?.health?.lastError).toBeNull();
    Object.assign(world.sites[0] ?? {}, { inflates: false });
    write(world, 0, 2);
    await until(world, () => LABELS.every((label) => held(world, label) === 4));
  });

  it("with another store behind its address is refused until it is reset, and then taken in", async () => {
    const world = await twoSites();
    world.sites[0]?.replace();
    write(world, 0, 2);
    await until(world, () => LABELS.every((label) => peerOf(world, label, "site1")?.state === "refused"));
    await world.run(10 * INTERVAL_MS);
    expect(LABELS.map((label) => held(world, label))).toEqual([2, 2]);
    for (const label of LABELS) {
      world.processes[label].coordinator?.replication.federation.reset("site1", { keyRotated: false });
      world.watchers.each((watch) => watch.peerReset?.(label, "site1"));
    }
    await until(world, () => LABELS.every((label) => held(world, label) === 3));
  });
});
