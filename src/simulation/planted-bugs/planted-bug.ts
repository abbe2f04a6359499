/** Purpose: what a planted bug is: one wrong rule or lying part, and the invariants that must notice it. */
import type { Rules } from "../../actors/rules.ts";
import type { IdentityRules } from "../../adapters/peer-gate.ts";
import type { CoordinatorPorts } from "../../coordinator/types.ts";
import type { Policy } from "../../core/settings.ts";
import type { Fault } from "../faults/catalogue.ts";
import type { PlaceParts } from "../world/place-parts.ts";

/** One planted bug. */
export interface PlantedBug {
  readonly name: string;
  /** The rule of protocol.md that it breaks, or the invariant of records. */
  readonly rule: string;
  /** Invariants of which at least one must be seen broken. */
  readonly bites: readonly string[];
  readonly policy: Policy;
  readonly rules?: Partial<Rules>;
  readonly identityRules?: Partial<IdentityRules>;
  readonly wrapPorts?: (ports: CoordinatorPorts) => CoordinatorPorts;
  readonly wrapSpoke?: (parts: PlaceParts) => PlaceParts;
  /** Spokes around the pair; none unless it says so. */
  readonly spokes?: number;
  readonly wrapSite?: (parts: PlaceParts) => PlaceParts;
  /** Sites that federate with the pair; none unless it says so. */
  readonly sites?: number;
  /** The schedule under which it shows, instead of the faults that each seed plans. */
  readonly faults?: readonly Fault[];
  /** Whether the pair has a witness; as the seed says unless it says so. */
  readonly witness?: boolean;
  /** Whether changes are published; not unless it says so. */
  readonly feed?: boolean;
}
