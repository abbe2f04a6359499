/** Purpose: a spoke of the pair: it asks whoever leads, as a load balancer leads it, or always one engine. */
import type { Label } from "../../core/ids.ts";
import type { ReplicationInit } from "../../replication/replication.ts";
import type { PlaceParts } from "./place-parts.ts";
import { type PlaceComponents, SimPlace, type TieMaker, type Ties } from "./sim-place.ts";
import type { SimProcess } from "./sim-process.ts";
import type { SyncEnd } from "./sync-ends.ts";

/** Where a spoke's requests go: to whoever leads, as a load balancer does it, or always to one engine. */
export type SpokeRoute = "leader" | Label;

export interface SpokeInit {
  readonly name: string;
  readonly route: SpokeRoute;
  readonly intervalMs: number;
  /** Operations of one page that it is given. */
  readonly pageOps: number;
}

/** One spoke, over all its lives. */
export class SimSpoke extends SimPlace {
  readonly #processes: Readonly<Record<Label, Pick<SimProcess, "mayAct">>>;
  readonly #init: SpokeInit;
  #ledBy: Label = "a";

  constructor(
    components: PlaceComponents & { readonly processes: Readonly<Record<Label, Pick<SimProcess, "mayAct">>> },
    init: SpokeInit,
  ) {
    super(components, { name: init.name, chance: components.ground.chanceOf(`spoke ${init.name}`) });
    this.#processes = components.processes;
    this.#init = init;
  }

  /** A person asks for an exchange now. */
  exchange(): void {
    void this.replication?.spoke?.exchangeNow();
  }

  protected override get settings(): ReplicationInit {
    return { hubId: this.name, version: "0.1.0", mode: "sync", hubIntervalMs: this.#init.intervalMs };
  }

  protected override ties(make: TieMaker): Ties {
    return { hub: make({ pageOps: this.#init.pageOps, route: () => this.#route() }) };
  }

  protected override wrapped(parts: PlaceParts): PlaceParts {
    return this.ground.wrapSpoke(parts);
  }

  #route(): SyncEnd {
    const { route } = this.#init;
    if (route !== "leader") return this.engines[route];
    const led = (["a", "b"] as const).find((label) => this.#processes[label].mayAct());
    this.#ledBy = led ?? this.#ledBy;
    return this.engines[this.#ledBy];
  }
}
