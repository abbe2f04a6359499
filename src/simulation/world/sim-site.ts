/**
 * A second site: one engine elsewhere that federates with both engines of the pair, each asking the other.
 * Keeps true: it serves only what it holds, but for the time in which it makes up writers (`inflates`).
 */
import type { Label } from "../../core/ids.ts";
import type { FederationPeerPort } from "../../ports/sync-transport.ts";
import type { FederationMode } from "../../replication/hub.ts";
import type { ReplicationInit } from "../../replication/replication.ts";
import { inflated } from "./inflation.ts";
import type { PlaceParts } from "./place-parts.ts";
import { type PlaceComponents, SimPlace, type TieMaker, type Ties } from "./sim-place.ts";
import type { Served, SyncEnd } from "./sync-ends.ts";

export interface SiteInit {
  readonly name: string;
  readonly mode: FederationMode;
  /** Between two exchanges with one peer, on both sides. */
  readonly intervalMs: number;
  /** Operations of one page, on both sides. */
  readonly pageOps: number;
}

/** One site, over all its lives. */
export class SimSite extends SimPlace {
  readonly init: SiteInit;
  /** Whether it offers operations of more writers than a clock takes. */
  inflates = false;
  /** Whether another store stands behind its address, and people have been told. */
  rebuilt = false;

  constructor(components: PlaceComponents, init: SiteInit) {
    super(components, { name: init.name, chance: components.ground.chanceOf(`site ${init.name}`) });
    this.init = init;
  }

  /** It as an engine of the pair sees it. */
  endFrom(label: Label): SyncEnd {
    const { there, back } = this.ways[label];
    return {
      name: this.name,
      way: { there: back, back: there },
      reach: () => {
        const { life, served } = this;
        return life === null || served === null ? "closed" : { hub: served, life };
      },
    };
  }

  /** Its store is lost, and a new one begins behind the same address; nobody has been told. */
  replace(): void {
    this.kill();
    this.takeNewDisk();
    this.rebuilt = false;
    this.ground.watchers.each((watch) => watch.replaced?.(this.name));
    this.boot();
  }

  /** What answers there now; null while it is dead. */
  get served(): Served | null {
    const hub = this.replication?.hub ?? null;
    return hub !== null && this.inflates ? inflated(hub) : hub;
  }

  protected override get settings(): ReplicationInit {
    const { mode, intervalMs } = this.init;
    return { hubId: this.name, version: "0.1.0", mode, hubIntervalMs: intervalMs, federationIntervalMs: intervalMs };
  }

  protected override ties(make: TieMaker): Ties {
    const { pageOps } = this.init;
    const peer = (label: Label): FederationPeerPort => {
      const end = this.engines[label];
      return peerPort(end, make({ pageOps, route: () => end }));
    };
    return { federation: [peer("a"), peer("b")] };
  }

  protected override wrapped(parts: PlaceParts): PlaceParts {
    return this.ground.wrapSite(parts);
  }
}

/** A peer that is called as the place is, and pinned at first sight. */
export function peerPort({ name }: SyncEnd, transport: FederationPeerPort["transport"]): FederationPeerPort {
  return { name, endpoint: `http://${name}.simulated`, mode: "sync", pinnedId: null, pinnedKey: null, transport };
}
