/**
 * Joins the parts of replication of one engine: its records, what it serves to others, the hub it is a spoke of,
 * and its peer.
 * Does not know: HTTP, and who leads; every engine writes records and serves them.
 */
import { Stamps } from "../actors/stamps.ts";
import type { Epoch } from "../core/epoch.ts";
import type { EngineId } from "../core/ids.ts";
import type { PeerMessage } from "../core/messages.ts";
import { recordOrigin, DEFAULT_PAGE_BYTES, MAX_ORIGINS_PER_TOKEN, MAX_PAGE_OPS } from "../core/operation.ts";
import { counterOf, MAX_CLOCK_ENTRIES, type VectorClock } from "../core/vector-clock.ts";
import type { TimerHandle } from "../ports/basics.ts";
import type { SyncTransport } from "../ports/sync-transport.ts";
import { ClockEvidence } from "./clock-evidence.ts";
import { type Asked, Exchange, type Progress } from "./exchange.ts";
import { Federation, type PeerTrouble } from "./federation.ts";
import { History, type Meeting } from "./history.ts";
import { type FederationMode, Hub, type SyncIdentity } from "./hub.ts";
import { Intake } from "./intake.ts";
import { baseOrigin, OwnOrigin } from "./own-origin.ts";
import { arrivedThrough, Renewal } from "./renewal.ts";
import { OriginBindings } from "./origin-bindings.ts";
import { PairHoldings } from "./pair-holdings.ts";
import { PairLink } from "./pair-link.ts";
import { peerHost, type ReplicationParts } from "./parts.ts";
import { RecordLog, type RecordHooks } from "./record-log.ts";
import { Records } from "./records.ts";
import { Seals, type SignatureMode } from "./seals.ts";
import { SyncPeer, type Exchanged } from "./sync-peer.ts";
import { UseClock } from "./use-clock.ts";

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
  /** Whether a clock source vouches for this engine's wall clock; left out: none does. */
  clockIsRight?(): boolean;
  progress?(progress: Progress): void;
  hubExchanged?(result: Exchanged): void;
  /** How the federation peers stand has changed: those that something is wrong with. */
  federationChanged?(troubles: readonly PeerTrouble[]): void;
}

/** From how many origins on it is told that they run out. */
const NEAR_ORIGINS = Math.floor(MAX_CLOCK_ENTRIES * 0.9);
/** Between two steps of one compaction. */
const COMPACT_STEP_MS = 10;
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
  /** Under which names this engine writes. */
  readonly own: OwnOrigin;
  readonly history: History;
  readonly #evidence: ClockEvidence;
  readonly #renewal: Renewal;
  readonly #seals: Seals;
  readonly #parts: ReplicationParts;
  #timer: TimerHandle | null = null;

  /** Nothing runs before `start()`. */
  constructor(parts: ReplicationParts, init: ReplicationInit, joint: ReplicationJoint = {}) {
    this.#parts = parts;
    const { store } = parts;
    const { engineId, hlc } = store.load();
    const first = recordOrigin(engineId);
    this.own = new OwnOrigin(store.replica.peerState, first);
    const { own } = this;
    const stamps = joint.stamps ?? new Stamps(parts, { origin: engineId, last: hlc });
    stamps.arrivedThrough(arrivedThrough(store.replica));
    const hooks: RecordHooks = {
      ...joint,
      committed: (ops, via) => {
        this.pair.committed(ops, via);
        joint.committed?.(ops, via);
      },
      claimed: (ops) => this.pair.claimed(ops),
    };
    const replica = store.replica;
    const basics = { ...parts, replica, stamps, use: new UseClock({ ...parts, replica }) };
    const log = new RecordLog(basics, hooks);
    this.#seals = new Seals(
      { signatures: parts.signatures ?? null, peerState: store.replica.peerState },
      { mode: init.signatures ?? "off", own },
    );
    const seals = this.#seals;
    const shared = { ...basics, log, hooks, seals, epoch: () => joint.epoch?.() ?? 0 };
    this.#evidence = new ClockEvidence(parts);
    this.#renewal = new Renewal({
      ...{ ...shared, own, evidence: this.#evidence },
      isDisciplined: () => joint.clockIsRight?.() ?? false,
    });
    this.history = new History({ ...shared, own, renewal: this.#renewal });
    const { history } = this;
    this.records = new Records(shared, { own, renewal: this.#renewal });
    this.intake = new Intake(shared, { own });
    const holdings = new PairHoldings(basics, { paired: joint.peerId !== undefined });
    const isReserved = (one: string): boolean => baseOrigin(one) === first || this.#isPeers(baseOrigin(one), joint);
    this.bindings = new OriginBindings(
      { ...parts, peerState: store.replica.peerState },
      { maxPerToken: init.maxOriginsPerToken ?? MAX_ORIGINS_PER_TOKEN, isReserved },
    );
    const { bindings } = this;
    const isSpoke = (parts.hub ?? null) !== null;
    this.hub = new Hub({ ...shared, intake: this.intake, holdings, bindings, history }, { ...init, engineId, isSpoke });
    this.pair = new PairLink(parts, {
      hub: this.hub,
      holdings,
      bindings,
      history,
      met: (identity, asked, transport) => this.#meet(null, identity, { asked, transport }),
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
        met: ({ name, transport }, identity, asked) => this.#meet(name, identity, { asked, transport }),
        strange: ({ transport }, identity, challenge) => this.#meetStranger(identity, challenge, transport),
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

  /** What runs out soon, for an alarm before anything is refused; null: nothing does. */
  quotaNear(): string | null {
    const { maxPerToken } = this.bindings;
    const token = this.bindings.near();
    if (token !== null) return `the token "${token}" has ${this.bindings.countOf(token)} of ${maxPerToken} origins`;
    const origins = Object.keys(this.#parts.store.replica.ops.vector()).length;
    return origins < NEAR_ORIGINS ? null : `${origins} of ${MAX_CLOCK_ENTRIES} origins are used`;
  }

  /** A person lets another token, or the same writer with a new key, write as `origin`. false: it is bound to neither. */
  release(origin: string): boolean {
    const wasBound = this.bindings.release(origin);
    return this.#seals.forget(origin) || wasBound;
  }

  /**
   * The wall clock of the other engine, as its heartbeats show it; null: it is not heard. Called at every heartbeat: where
   * this engine's stamps were ahead and its clock is right again, they are put right.
   */
  peerClock(unixMinusMonoMs: number | null): void {
    if (unixMinusMonoMs === null) this.#evidence.forget("pair");
    else this.#evidence.measured("pair", unixMinusMonoMs);
    this.#healClock({});
  }

  /** The wall clock of a place that called here, as it tells it. */
  callerClock(place: string, unixMs: number): void {
    this.#evidence.called(place, unixMs);
    this.#healClock({});
  }

  /** By how much the stamps of this engine are ahead of every other clock, ms, where nobody can take its records; else null. */
  clockWrongMs(): number | null {
    return this.#renewal.tooFarAheadMs();
  }

  /** What follows from meeting another place: for this engine's stamps, and for its history. `clockName`: null: its clock is known. */
  async #meet(
    clockName: string | null,
    identity: SyncIdentity,
    { asked, transport }: { readonly asked: Asked; readonly transport: SyncTransport },
  ): Promise<Meeting> {
    const { clock = {}, unixMs } = identity;
    if (clockName !== null && unixMs !== undefined) this.#evidence.noted(clockName, unixMs, asked.atMonoMs);
    this.#healClock(clock);
    const meeting = await this.history.meet(identity, transport, asked.held);
    if (meeting.renewed !== null) {
      this.#parts.logger.warn({ ...meeting.renewed }, "history was lost or forked: a new origin begins");
    }
    return meeting;
  }

  /** Where it calls itself this engine and is not, its folder is a copy of this one's [RP2]. */
  async #meetStranger(identity: SyncIdentity, challenge: string, transport: SyncTransport): Promise<void> {
    const isCopy = identity.engineId === this.#parts.store.load().engineId && !this.hub.answered(challenge);
    if (isCopy) await this.history.metCopy(identity, transport);
  }

  /** A folder that was restored from a backup is old: what it would write under its origin may stand elsewhere [RP2]. */
  #beginAfterRestore(): void {
    if (this.own.restoredAtSec === 0) return;
    const { logger, store } = this.#parts;
    const held = counterOf(store.replica.ops.vector(), this.own.current);
    try {
      const renewed = this.#renewal.renewHistory(held, {});
      logger.warn({ ...renewed }, "this folder was restored from a backup: a new origin begins");
    } catch (error) {
      logger.error(
        { err: error },
        "the folder was restored, but a new origin could not be begun; the first meeting begins it",
      );
    }
  }

  /** A disk that refuses leaves the stamps as they are. The next heartbeat tries again. */
  #healClock(known: VectorClock): void {
    const { logger } = this.#parts;
    try {
      const renewed = this.#renewal.healClock(known);
      if (renewed !== null) logger.warn({ ...renewed }, "stamps were ahead of a corrected clock: a new origin begins");
    } catch (error) {
      logger.error({ err: error }, "stamps are ahead of a corrected clock and could not be put right");
    }
  }

  start(): void {
    this.#beginAfterRestore();
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
        clock: this.#parts.clock,
        met: (identity, asked) => this.#meet("hub", identity, { asked, transport }),
        strange: (identity, challenge) => this.#meetStranger(identity, challenge, transport),
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

  /** In small steps with room between them: the leader has other things to do. */
  #compactLater(afterMs = COMPACT_EVERY_MS): void {
    this.#timer = this.#parts.clock.setTimeout(() => {
      let more = false;
      try {
        ({ more } = this.hub.compactStep());
      } catch (error) {
        this.#parts.logger.error({ err: error }, "operations could not be compacted");
      }
      this.#compactLater(more ? COMPACT_STEP_MS : COMPACT_EVERY_MS);
    }, afterMs);
  }
}
