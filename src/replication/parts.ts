/** What replication of one engine is made of. */
import type { MachineHost } from "../actors/kit.ts";
import type { CoordinatorOptions } from "../actors/options.ts";
import type { Clock, Digest, Ids, Logger, Random, Signatures } from "../ports/basics.ts";
import type { FederationPeerPort, SyncTransport } from "../ports/sync-transport.ts";
import type { Store } from "../ports/store.ts";

/** The ports of replication. None is closed with it but `hub` and the transports of `federation`. */
export interface ReplicationParts {
  readonly store: Pick<Store, "replica" | "load">;
  readonly clock: Clock;
  readonly digest: Digest;
  readonly ids: Ids;
  readonly random: Random;
  readonly logger: Logger;
  /** The way to the hub that this engine is a spoke of; null or left out: it is none. */
  readonly hub?: SyncTransport | null;
  /** The federation peers of this engine; each one's transport is closed with replication. */
  readonly federation?: readonly FederationPeerPort[];
  /** This engine's key pair; null or left out: it has none, and signatures are neither made nor looked at. */
  readonly signatures?: Signatures | null;
  readonly inspect?: NonNullable<CoordinatorOptions["inspect"]>;
  readonly rules?: MachineHost["rules"];
  readonly root?: MachineHost["root"];
}

/** What a `SyncPeer` runs on. */
export type PeerHost = MachineHost & Pick<ReplicationParts, "random" | "logger">;

export function peerHost(parts: ReplicationParts): PeerHost {
  const { random, logger, inspect, rules, root } = parts;
  return { random, logger, rules, root, ports: parts, options: inspect === undefined ? {} : { inspect } };
}
