/** What everything in the virtual world stands on: time, chance, the network, the witness, the onlookers. */
import type { CoordinatorOptions, CoordinatorPorts, Coordinator } from "../../coordinator/types.ts";
import type { Rules } from "../../actors/rules.ts";
import type { IdentityRules } from "../../adapters/peer-gate.ts";
import type { Label } from "../../core/ids.ts";
import type { FederationPeerPort } from "../../ports/sync-transport.ts";
import type { ProcessClock } from "../ground/host-clock.ts";
import type { Machine } from "../ground/machine.ts";
import type { SimPeerChannel } from "../ports/sim-peer-channel.ts";
import type { Link } from "../ground/network.ts";
import type { Prng } from "../ground/prng.ts";
import type { Life, Scheduler } from "../ground/scheduler.ts";
import type { Pasts } from "../ports/sim-engine.ts";
import type { EngineProcess } from "../ports/sim-engine-process.ts";
import type { SimFeed } from "../ports/sim-feed.ts";
import type { SimIds } from "../ports/sim-ids.ts";
import type { SimRouter, SimScriptTarget } from "../ports/sim-switch.ts";
import type { PlaceParts } from "./place-parts.ts";
import type { WitnessWay } from "../ports/sim-witness.ts";
import type { Trace } from "../ground/trace.ts";
import type { Watchers } from "./watch.ts";
import type { WitnessHost } from "../ground/witness-host.ts";

/** Makes the thing under test. `rules` replaces safety decisions by wrong ones. */
export type CoordinatorFactory = (
  ports: CoordinatorPorts,
  options: CoordinatorOptions,
  rules: Partial<Rules>,
) => Coordinator;

/** What belongs to one life of a process. */
export interface Lifetime {
  readonly life: Life;
  readonly clock: ProcessClock;
}

/** The ground of one world. */
export interface WorldGround {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly watchers: Watchers;
  readonly links: readonly Link[];
  readonly machines: Readonly<Record<Label, Machine<SimPeerChannel>>>;
  readonly ids: Readonly<Record<Label, SimIds>>;
  readonly pasts: Pasts;
  /** The engines beside the coordinators; null: they are inside of them. */
  readonly engines: Readonly<Record<Label, EngineProcess>> | null;
  /** `null`: the pair has no witness. */
  readonly witness: WitnessHost | null;
  readonly witnessWays: Readonly<Record<Label, WitnessWay>>;
  /** `null`: nobody is told of changes. */
  readonly feed: SimFeed | null;
  /** The changeover switch in front of the pair. */
  readonly router: SimRouter;
  /** The device that a script of each engine sets. */
  readonly scriptTarget: SimScriptTarget;
  readonly factory: CoordinatorFactory;
  readonly rules: Partial<Rules>;
  readonly identityRules: IdentityRules;
  /** Those on this ground are at the address of one of the pair, and are not the pair's. Only onlookers ask. */
  readonly isImpostor: boolean;
  /** Replaces ports by lying ones, for planted bugs; the ports themselves otherwise. */
  readonly wrapPorts: (ports: CoordinatorPorts, label: Label) => CoordinatorPorts;
  /** The same for what a spoke runs on. */
  readonly wrapSpoke: (parts: PlaceParts) => PlaceParts;
  /** The same for what a site runs on. */
  readonly wrapSite: (parts: PlaceParts) => PlaceParts;
  /** The sites that an engine asks, in one of its lives, under the name `origin`. */
  peersOf(label: Label, origin: string, lifetime: Lifetime): readonly FederationPeerPort[];
  optionsOf(label: Label): CoordinatorOptions;
  chanceOf(concern: string): Prng;
  violate(invariant: string, detail: string): void;
}
