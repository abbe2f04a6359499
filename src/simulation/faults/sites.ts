/**
 * Purpose: faults of the sites, of the ways between them and the pair, and of those who answer there.
 * `target` is the engine that one is about; which site it is follows from the amount.
 */
import type { Federation } from "../../replication/federation.ts";
import { type FaultWork, nothingToEnd, type PlannedFault, scaled, secondAmount, unlessRefused } from "./fault.ts";
import { compact, setDiskFull } from "./spokes.ts";
import type { Path } from "../ground/network.ts";
import type { SimSite } from "../world/sim-site.ts";
import type { World } from "../world/world.ts";

/** Cuts that leave the way to the other engine. */
const ONE_WAY_SHARE = 0.6;
/** Pauses that the pair's engine makes, not the site. */
const PAIR_PAUSES_SHARE = 0.5;
const COMES_AGAIN_MS = 500;

export const siteFaults = {
  "site-cut": {
    weight: 5,
    lastsMs: [200, 12_000],
    begin: (world, fault) => pathsOf(world, fault).forEach((path) => path.cutOff()),
    end: (world, fault) => pathsOf(world, fault).forEach((path) => path.heal()),
  },
  "site-answers-lost": {
    weight: 3,
    lastsMs: [200, 5_000],
    begin: (world, fault) => siteOf(world, fault)?.ways[fault.target].back.cutOff(),
    end: (world, fault) => siteOf(world, fault)?.ways[fault.target].back.heal(),
  },
  "site-kill": {
    weight: 5,
    lastsMs: [50, 5_000],
    begin: (world, fault) => siteOf(world, fault)?.kill(),
    end: (world, fault) => siteOf(world, fault)?.boot(),
  },
  "site-clock-step": {
    weight: 2,
    lastsMs: [0, 0],
    begin: (world, fault) => siteOf(world, fault)?.stepClock(scaled(fault, -6_000, 6_000)),
    end: nothingToEnd,
  },
  "site-disk-full": {
    weight: 2,
    lastsMs: [200, 4_000],
    begin: (world, fault) => setDiskFull(siteOf(world, fault), true),
    end: (world, fault) => setDiskFull(siteOf(world, fault), false),
  },
  "site-replaced": {
    weight: 4,
    lastsMs: [500, 8_000],
    begin: (world, fault) => siteOf(world, fault)?.replace(),
    // People are told, and let the new one in.
    end: (world, fault) => void Object.assign(siteOf(world, fault) ?? {}, { rebuilt: true }),
  },
  "site-inflation": {
    weight: 4,
    lastsMs: [1_000, 6_000],
    begin: (world, fault) => void Object.assign(siteOf(world, fault) ?? {}, { inflates: true }),
    end: (world, fault) => void Object.assign(siteOf(world, fault) ?? {}, { inflates: false }),
  },
  "site-compaction": {
    weight: 3,
    lastsMs: [0, 0],
    begin: (world, fault) => compact(world, fault.target, siteOf(world, fault)),
    end: nothingToEnd,
  },
  "peer-pause": {
    weight: 4,
    lastsMs: [500, 6_000],
    begin: (world, fault) => void asPerson(world, fault, (federation, peer) => federation.pause(peer)),
    end: resumeSoon,
  },
} satisfies Record<string, FaultWork>;

function siteOf(world: World, fault: PlannedFault): SimSite | undefined {
  return world.sites[Math.floor(secondAmount(fault) * world.sites.length)];
}

function pathsOf(world: World, fault: PlannedFault): Path[] {
  const ways = siteOf(world, fault)?.ways;
  if (ways === undefined) return [];
  const cut = fault.amount < ONE_WAY_SHARE ? [ways[fault.target]] : [ways.a, ways.b];
  return cut.flatMap(({ there, back }) => [there, back]);
}

/** A person turns to an engine of the pair about a site, or to a site about an engine. Whether it was done. */
function asPerson(world: World, fault: PlannedFault, wish: (federation: Federation, peer: string) => unknown): boolean {
  const site = siteOf(world, fault);
  const { running, coordinator } = world.processes[fault.target];
  const atPair = fault.amount < PAIR_PAUSES_SHARE;
  const federation = atPair ? running && coordinator?.replication.federation : site?.replication?.federation;
  if (site === undefined || !federation) return false;
  return unlessRefused(() => wish(federation, atPair ? site.name : fault.target));
}

/** Who paused it comes again until it is resumed: a frozen engine answers nobody, a full disk refuses. */
function resumeSoon(world: World, fault: PlannedFault): void {
  if (asPerson(world, fault, (federation, peer) => federation.resume(peer))) return;
  world.scheduler.after(COMES_AGAIN_MS, () => resumeSoon(world, fault));
}
