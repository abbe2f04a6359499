/**
 * Purpose: joins the parts of replication of one engine: its records, what it serves to others, the hub it is a spoke of,
 * and its peer.
 * Does not know: HTTP, and who leads; every engine writes records and serves them.
 */
import { Stamps } from "../actors/stamps.ts";
import type { Epoch } from "../core/epoch.ts";
import type { EngineId } from "../core/ids.ts";
import type { PeerMessage } from "../core/messages.ts";
import { recordOrigin } from "../core/operation.ts";
import type { TimerHandle } from "../ports/clock.ts";
import type { SyncTransport } from "../ports/sync-transport.ts";
import { Exchange, type Progress } from "./exchange.ts";
import { DEFAULT_PAGE_BYTES, MAX_ORIGINS_PER_TOKEN, MAX_PAGE_OPS } from "../core/sync-bounds.ts";
import { Federation, type PeerTrouble } from "./federation.ts";
import { type FederationMode, Hub } from "./hub.ts";
import { Intake } from "./intake.ts";
import { OriginBindings } from "./origin-bindings.ts";
import { PairHoldings } from "./pair-holdings.ts";
import { PairLink } from "./pair-link.ts";
import { peerHost, type ReplicationParts } from "./parts.ts";
import { RecordLog, type RecordHooks } from "./record-log.ts";
import { Records } from "./records.ts";
import { Seals, type SignatureMode } from "./seals.ts";
import { SyncPeer, type Exchanged } from "./sync-peer.ts";

export interface ReplicationInit {
  /** What this place is called: the pair's name. */
  readonly hubId: string;
  readonly version: string;
  readonly mode: FederationMode;
  /** Between two exchanges with the hub. */
  readonly hubIntervalMs: number;
  /** Between two exchanges with one federation peer; left out: 30 s. */
  readonly federationIntervalMs?: number;
  /** Left out: `off`. */
  readonly signatures?: SignatureMode;
  /** Origins that one token of role `spoke` may write as; left out: 8. */
  readonly maxOriginsPerToken?: number;
}

/** How the coordinator takes part. Left out, this engine is alone. */
export interface ReplicationJoint extends RecordHooks {
  /** The engine's one clock. */
  readonly stamps?: Stamps;
  epoch?(): Epoch;
  send?(message: PeerMessage): boolean;
  /** The other engine of the pair; null before it was heard. */
  peerId?(): EngineId | null;
  progress?(progress: Progress): void;
  hubExchanged?(result: Exchanged): void;
  /** How the federation peers stand has changed: those that something is wrong with. */
  federationChanged?(troubles: readonly PeerTrouble[]): void;
}

/** Between two compactions. */
const COMPACT_EVERY_MS = 60_000;
/** Between two exchanges with one federation peer, unless set. */
const FEDERATION_INTERVAL_MS = 30_000;

export class Replication {
  readonly records: Records;
  readonly hub: Hub;
  readonly intake: Intake;
  readonly pair: PairLink;
  /** The exchange with the hub; null when this engine is no spoke. */
  readonly spoke: SyncPeer | null;
  readonly federation: Federation;
  readonly bindings: OriginBindings;
  readonly #seals: Seals;
  readonly #parts: ReplicationParts;
  #timer: TimerHandle | null = null;

  /** Nothing runs before `start()`. */
  constructor(parts: ReplicationParts, init: ReplicationInit, joint: ReplicationJoint = {}) {
    this.#parts = parts;
    const { store } = parts;
    const { engineId, hlc } = store.load();
    const origin = recordOrigin(engineId);
    const stamps = joint.stamps ?? new Stamps(parts, { origin: engineId, last: hlc });
    const hooks: RecordHooks = {
      ...joint,
      committed: (ops, via) => {
        this.pair.committed(ops, via);
        joint.committed?.(ops, via);
      },
    };
    const basics = { ...parts, replica: store.replica, stamps };
    const log = new RecordLog(basics, hooks);
    this.#seals = new Seals(
      { signatures: parts.signatures ?? null, peerState: store.replica.peerState },
      { mode: init.signatures ?? "off", origin },
    );
    const seals = this.#seals;
    const shared = { ...basics, log, hooks, seals, epoch: () => joint.epoch?.() ?? 0 };
    this.records = new Records(shared, { origin });
    this.intake = new Intake(shared, { origin });
    const holdings = new PairHoldings(basics, { paired: joint.peerId !== undefined });
    const isReserved = (one: string): boolean => one === origin || this.#isPeers(one, joint);
    this.bindings = new OriginBindings(
      { ...parts, peerState: store.replica.peerState },
      { maxPerToken: init.maxOriginsPerToken ?? MAX_ORIGINS_PER_TOKEN, isReserved },
    );
    const { bindings } = this;
    const isSpoke = (parts.hub ?? null) !== null;
    this.hub = new Hub({ ...shared, intake: this.intake, holdings, bindings }, { ...init, engineId, isSpoke });
    this.pair = new PairLink(parts, {
      hub: this.hub,
      holdings,
      bindings,
      intake: this.intake,
      seals,
      send: (message) => joint.send?.(message) ?? false,
      peerId: () => joint.peerId?.() ?? null,
    });
    this.spoke = parts.hub === null || parts.hub === undefined ? null : this.#spokeOf(parts.hub, init, joint);
    this.federation = new Federation(
      {
        ...shared,
        host: peerHost(parts),
        intake: this.intake,
        changed: (troubles) => joint.federationChanged?.(troubles),
      },
      parts.federation ?? [],
      {
        ...init,
        name: init.hubId,
        own: engineId,
        intervalMs: init.federationIntervalMs ?? FEDERATION_INTERVAL_MS,
      },
    );
  }

  /** Whether the other engine of the pair, or a federation peer, writes as `origin`. */
  #isPeers(origin: string, joint: ReplicationJoint): boolean {
    const peerId = joint.peerId?.() ?? null;
    return (peerId !== null && recordOrigin(peerId) === origin) || this.federation.writers().includes(origin);
  }

  /** A person lets another token, or the same writer with a new key, write as `origin`. false: it is bound to neither. */
  release(origin: string): boolean {
    const wasBound = this.bindings.release(origin);
    return this.#seals.forget(origin) || wasBound;
  }

  start(): void {
    this.spoke?.start();
    this.federation.start();
    this.#compactLater();
  }

  /** Idempotent. */
  stop(): void {
    this.spoke?.stop();
    this.federation.stop();
    this.pair.stop();
    this.#parts.hub?.close();
    if (this.#timer !== null) this.#parts.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #spokeOf(transport: SyncTransport, init: ReplicationInit, joint: ReplicationJoint): SyncPeer {
    const { store } = this.#parts;
    const own = store.load().engineId;
    const exchange = new Exchange(
      {
        replica: store.replica,
        intake: this.intake,
        seals: this.#seals,
        transport,
        challenge: () => this.#parts.ids.next("request"),
        accept: ({ engineId }) => (engineId === own ? "identity_mismatch" : null),
      },
      { name: "hub", limit: MAX_PAGE_OPS, maxBytes: DEFAULT_PAGE_BYTES, pushes: true },
    );
    const hooks = {
      progress: (progress: Progress) => joint.progress?.(progress),
      exchanged: (result: Exchanged) => joint.hubExchanged?.(result),
    };
    const host = peerHost(this.#parts);
    return new SyncPeer({ host, exchange, hooks }, { name: "hub", intervalMs: init.hubIntervalMs, pushes: true });
  }

  #compactLater(): void {
    this.#timer = this.#parts.clock.setTimeout(() => {
      try {
        this.hub.compact();
      } catch (error) {
        this.#parts.logger.error({ err: error }, "operations could not be compacted");
      }
      this.#compactLater();
    }, COMPACT_EVERY_MS);
  }
}
