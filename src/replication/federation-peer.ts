/**
 * One federation peer: joins its pin, its exchange and its health, and keeps all of them in the one table.
 * Keeps true: nothing of it is stored before it is known to be the one; what goes wrong with it touches no other peer.
 * Does not know: the other peers (`federation.ts`).
 */
import { ChangeoverError } from "../core/errors.ts";
import type { EngineId } from "../core/ids.ts";
import { isoTime } from "../core/iso-time.ts";
import { recordOrigin, DEFAULT_PAGE_BYTES, MAX_PAGE_OPS } from "../core/operation.ts";
import { counterOf, mergeClocksCapped, parseClock, type VectorClock } from "../core/vector-clock.ts";
import type { FederationPeerPort } from "../ports/sync-transport.ts";
import type { Ids } from "../ports/basics.ts";
import { readCursor } from "./cursor.ts";
import { type Asked, Exchange } from "./exchange.ts";
import type { Meeting } from "./history.ts";
import type { SyncIdentity } from "./hub.ts";
import type { Intake } from "./intake.ts";
import type { PeerHost } from "./parts.ts";
import { afterExchange, NO_HEALTH, parseHealth, type PeerHealth, withVersion } from "./peer-health.ts";
import { CLOCK_KEY, keptKeys, peerKey, type PeerFact, MODE_FACT } from "./peer-keys.ts";
import { PeerPin } from "./peer-pin.ts";
import { HINTS, reasonOfError, type PeerReason } from "./reasons.ts";
import type { ReplicationBasics } from "./record-log.ts";
import type { Seals } from "./seals.ts";
import { SyncPeer, type Exchanged } from "./sync-peer.ts";

/** One peer as people are shown it. */
export interface PeerStatus {
  readonly name: string;
  readonly endpoint: string;
  /** `paused` by the configuration or by a person. */
  readonly mode: "sync" | "paused";
  /** Where its statechart stands. */
  readonly state: string;
  /** The engine that is let in there; null before the first handshake. */
  readonly id: string | null;
  /** Of the key that is let in there; null: it has shown none. */
  readonly fingerprint: string | null;
  readonly version: string | null;
  /** Whether it runs another version than this engine. */
  readonly versionSkew: boolean;
  /** When it last answered as the one that it is. */
  readonly lastSeen: string | null;
  /** Through here everything of its log was taken. */
  readonly cursor: string | null;
  /** Operations that it is known to hold and this engine does not; null before it told. */
  readonly lag: number | null;
  readonly health: PeerHealth | null;
  /** What a person can do about the last error. */
  readonly hint: string | null;
  /** What is kept of it, and would go with a reset. */
  readonly keys: readonly string[];
}

export interface FederationPeerParts extends ReplicationBasics {
  readonly host: PeerHost;
  readonly intake: Intake;
  readonly seals: Seals;
  readonly ids: Ids;
  /** Something about its health or standing has changed. */
  readonly changed: () => void;
  /** See `ExchangeParts.met`; `name` is that of the peer. */
  readonly met: (port: FederationPeerPort, identity: SyncIdentity, asked: Asked) => Promise<Meeting>;
  /** See `ExchangeParts.strange`. */
  readonly strange: (port: FederationPeerPort, identity: SyncIdentity, challenge: string) => Promise<void>;
}

export interface FederationPeerInit {
  readonly own: EngineId;
  readonly version: string;
  readonly intervalMs: number;
  /** The other peers of this engine. */
  readonly others: readonly FederationPeerPort[];
}

export class FederationPeer {
  readonly #parts: FederationPeerParts;
  readonly #port: FederationPeerPort;
  readonly #init: FederationPeerInit;
  readonly #pin: PeerPin;
  readonly #sync: SyncPeer;
  #started = false;

  constructor(parts: FederationPeerParts, port: FederationPeerPort, init: FederationPeerInit) {
    this.#parts = parts;
    this.#port = port;
    this.#init = init;
    const { replica, intake, seals, ids, host } = parts;
    const { name, transport } = port;
    this.#pin = new PeerPin(
      { ...parts, peerState: replica.peerState },
      { ...port, own: init.own, others: init.others },
    );
    const exchange = new Exchange(
      {
        replica,
        intake,
        seals,
        transport,
        challenge: () => ids.next("request"),
        clock: parts.clock,
        accept: (identity, challenge) => this.#accept(identity, challenge),
        met: (identity, asked) => parts.met(port, identity, asked),
        strange: (identity, challenge) => parts.strange(port, identity, challenge),
        replayed: () => replica.peerState.set(CLOCK_KEY, JSON.stringify(replica.ops.vector())),
      },
      { name, limit: MAX_PAGE_OPS, maxBytes: DEFAULT_PAGE_BYTES, pushes: false },
    );
    const hooks = { exchanged: (result: Exchanged) => this.#exchanged(result) };
    this.#sync = new SyncPeer({ host, exchange, hooks }, { name, intervalMs: init.intervalMs, pushes: false });
  }

  get name(): string {
    return this.#port.name;
  }

  /** The engine that is let in there; null before the first handshake. */
  get id(): string | null {
    return this.#pin.id;
  }

  /** Another one answers there than the one that is let in. */
  get refused(): boolean {
    return this.#sync.machineValue === "refused";
  }

  get health(): PeerHealth | null {
    return parseHealth(this.#state.get(peerKey(this.name, "health")));
  }

  start(): void {
    this.#started = true;
    const mode = this.#state.get(peerKey(this.name, MODE_FACT)) ?? this.#port.mode;
    if (mode === "paused") this.#sync.pause();
    else this.#sync.start();
  }

  pause(): void {
    this.#state.set(peerKey(this.name, MODE_FACT), "paused");
    this.#sync.pause();
    this.#parts.changed();
  }

  resume(): void {
    this.#state.set(peerKey(this.name, MODE_FACT), "sync");
    this.#sync.resume();
    this.#parts.changed();
  }

  /** Forgets what is kept of it, or `facts` of that, and begins again. What was kept. */
  reset(facts: readonly PeerFact[]): readonly string[] {
    const kept = keptKeys(this.#state, this.name);
    const gone = facts.map((fact) => peerKey(this.name, fact)).filter((key) => kept.includes(key));
    const { id } = this.#pin;
    this.#parts.replica.transaction(() => {
      for (const key of gone) this.#state.delete(key);
      if (id !== null && facts.includes("key")) this.#parts.seals.forget(recordOrigin(id as EngineId));
    });
    // Only now: where the store refuses that, nothing has changed.
    const wasPaused = this.#sync.machineValue === "paused";
    if (this.#started) this.#sync.pause();
    this.#sync.reset();
    if (!wasPaused && this.#started) this.#sync.resume();
    this.#parts.changed();
    return gone;
  }

  status(): PeerStatus {
    const { name, endpoint } = this.#port;
    const { health } = this;
    const version = health?.version ?? null;
    const { machineValue } = this.#sync;
    return {
      name,
      endpoint,
      mode: machineValue === "paused" ? "paused" : "sync",
      state: machineValue,
      id: this.#pin.id,
      fingerprint: this.#pin.fingerprint,
      version,
      versionSkew: version !== null && version !== this.#init.version,
      lastSeen: this.#state.get(peerKey(name, "seen")),
      cursor: readCursor(this.#state, name)?.cursor || null,
      lag: this.#lag(),
      health,
      hint: health?.lastError ? HINTS[health.lastError.reason] : null,
      keys: keptKeys(this.#state, name),
    };
  }

  /** Idempotent. */
  stop(): void {
    this.#sync.stop();
    this.#port.transport.close();
  }

  get #state() {
    return this.#parts.replica.peerState;
  }

  get #now(): string {
    return isoTime(this.#parts.clock.unixMs());
  }

  /** Lets it in, or says why not; then nothing of it is kept. */
  #accept(identity: SyncIdentity, challenge: string): PeerReason | null {
    if (!this.#pin.admits(identity, challenge)) return "identity_mismatch";
    const { name } = this.#port;
    try {
      const clock = this.#heldBy(identity);
      this.#parts.replica.transaction(() => {
        this.#pin.keep(identity);
        this.#state.set(peerKey(name, "seen"), this.#now);
        if (clock !== null) this.#state.set(peerKey(name, "clock"), JSON.stringify(clock));
        this.#keepHealth(withVersion(this.health ?? NO_HEALTH, identity.version, this.#now));
      });
      return null;
    } catch (error) {
      this.#parts.seals.reread();
      if (error instanceof ChangeoverError) return reasonOfError(error);
      throw error;
    }
  }

  /** What it holds, by its own word; what it held once it still holds, in one life of its log. */
  #heldBy({ clock, hubId, generation }: SyncIdentity): VectorClock | null {
    if (clock === undefined) return null;
    const at = readCursor(this.#state, this.name);
    const isSameLog = at !== null && at.hubId === hubId && at.generation === generation;
    return mergeClocksCapped(isSameLog ? (this.#toldClock() ?? {}) : {}, clock);
  }

  #toldClock(): VectorClock | null {
    const kept = this.#state.get(peerKey(this.name, "clock"));
    return kept === null ? null : parseClock(JSON.parse(kept));
  }

  #lag(): number | null {
    let told: VectorClock | null = null;
    try {
      told = this.#toldClock();
    } catch {
      // A corrupt clock ends every exchange; it must not keep people from seeing that.
    }
    if (told === null) return null;
    const clock = told;
    const held = this.#parts.replica.ops.vector();
    const behind = (origin: string): number => Math.max(0, counterOf(clock, origin) - counterOf(held, origin));
    return Object.keys(clock).reduce((sum, origin) => sum + behind(origin), 0);
  }

  #exchanged(result: Exchanged): void {
    try {
      this.#keepHealth(afterExchange(this.health ?? NO_HEALTH, result, this.#now));
      this.#parts.changed();
    } catch (error) {
      this.#parts.host.logger.error({ err: error, peer: this.name }, "the health of a peer could not be kept");
    }
  }

  #keepHealth(health: PeerHealth): void {
    this.#state.set(peerKey(this.name, "health"), JSON.stringify(health));
  }
}
