/** All that is outside a coordinator, in one object: the same coordinator runs in production and in simulation. */
import type { ChangeoverSwitch } from "./changeover-switch.ts";
import type { Clock, ClockSource, Digest, Ids, Logger, Random, Signatures } from "./basics.ts";
import type { Engine } from "./engine.ts";
import type { FederationPeerPort, SyncTransport } from "./sync-transport.ts";
import type { FeedSink } from "./feed-sink.ts";
import type { PeerChannel, PeerProbe } from "./peer-channel.ts";
import type { StallWatch } from "./stall-watch.ts";
import type { Store } from "./store.ts";
import type { Witness } from "./witness.ts";

/** Everything outside that a coordinator needs. `createCoordinator` owns none of it but closes all of it in `stop()`. */
export interface CoordinatorPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly digest: Digest;
  readonly logger: Logger;
  readonly store: Store;
  readonly witness: Witness;
  readonly peerChannel: PeerChannel;
  readonly peerProbe: PeerProbe;
  readonly engine: Engine;
  readonly clockSource: ClockSource | null;
  readonly changeoverSwitches: readonly ChangeoverSwitch[];
  /** The way to the hub that this engine is a spoke of; null or left out: it is none. */
  readonly hub?: SyncTransport | null;
  /** The federation peers of this engine. */
  readonly federation?: readonly FederationPeerPort[];
  /** This engine's key pair; null or left out: it has none. */
  readonly signatures?: Signatures | null;
  /** Where control events are published; null or left out: nowhere, and none is kept. */
  readonly sink?: FeedSink | null;
  /** Watches the event loop; null or left out: a leader whose loop stands still is replaced when its lease runs out. */
  readonly stallWatch?: StallWatch | null;
}
