/**
 * Purpose: the places that can be asked over `/sync`, as whoever asks sees them: a way there, and what answers at its end.
 * Does not know: what is asked, and how an answer comes back (`sim-sync-transport.ts`).
 */
import type { Hub } from "../../replication/hub.ts";
import type { Path } from "../ground/network.ts";
import type { Life } from "../ground/scheduler.ts";
import type { SimProcess } from "./sim-process.ts";

/** There and back between one who asks and one who is asked. */
export interface SyncWay {
  readonly there: Path;
  readonly back: Path;
}

/** What serves at a place. */
export type Served = Pick<Hub, "serves" | "identity" | "compare" | "pull" | "push">;

/** What is at the end of a way: `dark`: nothing at all; `closed`: a machine on which nobody listens. */
export type Reached = { readonly hub: Served; readonly life: Life } | "closed" | "dark";

/** One place that can be asked. */
export interface SyncEnd {
  readonly name: string;
  readonly way: SyncWay;
  /** What is there now. */
  reach(): Reached;
}

/** An engine of the pair at the end of `way`. */
export function engineEnd(engine: SimProcess, way: SyncWay): SyncEnd {
  return {
    name: engine.label,
    way,
    reach: () => {
      const { coordinator, life, serving, machine } = engine;
      if (!machine.powered) return "dark";
      return coordinator === null || life === null || !serving ? "closed" : { hub: coordinator.replication.hub, life };
    },
  };
}
