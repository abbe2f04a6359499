/**
 * Who the peer is, and who came in its place [ID1] [ID2]: the pinned engine with its key, and the strangers that proved a
 * key of their own. A person adopts one of them, or forgets the pin; both work while this engine is on air.
 * The pin is on disk before anything of the peer counts. What strangers cause is bounded: a few are remembered, and of
 * their refusals one line a second is logged.
 */
import { fingerprintOf } from "../core/signature.ts";
import type { EngineId } from "../core/ids.ts";
import type { AdoptPeerOutcome, EngineIdentity, ForgetPeerOutcome, PairReport } from "../core/outcomes.ts";
import type { TimerHandle } from "../ports/basics.ts";
import type { PeerRefusal, PeerStranger, PinnedPeer } from "../ports/peer-channel.ts";
import type { Kit } from "./kit.ts";

/** Strangers that are remembered; the one unseen for longest is forgotten first. */
const MAX_STRANGERS = 16;

/** The alarm clears once nobody was refused for so long. */
const ALARM_CLEARS_AFTER_MS = 600_000;

/** Refusals are logged at most this often; a line tells how many it stands for. */
const LOG_EVERY_MS = 1_000;

interface Remembered {
  readonly stranger: PeerStranger;
  readonly refusal: PeerRefusal;
  readonly lastSeenUnixMs: number;
}

export class PeerIdentities {
  readonly #kit: Kit;
  #pinned: PinnedPeer | null = null;
  /** By fingerprint, last seen last. */
  readonly #strangers = new Map<string, Remembered>();
  #clearing: TimerHandle | null = null;
  #lastLineMonoMs = Number.NEGATIVE_INFINITY;
  #unlogged = 0;
  /** Refused since the start. */
  refused = 0;
  #refusedByPeer = false;

  constructor(kit: Kit) {
    this.#kit = kit;
  }

  /** Of the pinned peer; null: nobody is pinned. */
  get pinnedId(): EngineId | null {
    return this.#pinned?.engineId ?? null;
  }

  /** The pinned peer with its key; null: nobody is pinned. */
  get pinned(): PinnedPeer | null {
    return this.#pinned;
  }

  /** Whether the peer, which has proven its key, has pinned another engine in this one's place, and was not heard since. */
  get refusedByPeer(): boolean {
    return this.#refusedByPeer;
  }

  /** The peer speaks to this engine: it takes it for its own. */
  heardPeer(): void {
    this.#refusedByPeer = false;
    this.#kit.alarms.clear("refused-by-peer");
  }

  restore(pinned: PinnedPeer | null): void {
    this.#pinned = pinned;
  }

  stop(): void {
    if (this.#clearing !== null) this.#kit.ports.clock.clearTimeout(this.#clearing);
    this.#clearing = null;
  }

  /** The first peer, or the first key of one pinned without. False: the disk refused, so it does not count. */
  onFirstContact(peer: PinnedPeer): boolean {
    const failure = this.#pin(peer);
    if (failure !== null) return false;
    this.#kit.ports.logger.info({ ...this.#identityOf(peer) }, "the peer is pinned");
    return true;
  }

  onRefused(refusal: PeerRefusal, detail: string, stranger?: PeerStranger): void {
    const { ports, alarms, counters } = this.#kit;
    this.refused += 1;
    counters.heartbeatsRefused += 1;
    const fingerprint = stranger === undefined ? null : fingerprintOf(ports.digest, stranger.key);
    if (stranger !== undefined && fingerprint !== null) this.#remember(fingerprint, { stranger, refusal });
    const who = fingerprint === null ? "" : `; fingerprint ${fingerprint}`;
    if (refusal === "out-of-reach") alarms.raise("number-out-of-reach", `${detail}${who}; ${REMEDIES[refusal]}`);
    else {
      alarms.raise("peer-refused", `${refusal}: ${detail}${who}; ${REMEDIES[refusal]}`);
      this.#clearLater();
    }
    this.#log(refusal, detail, fingerprint);
  }

  /** The peer refused this engine: it has pinned another one, and a person has to adopt this one there. */
  onRefusedByPeer(detail: string): void {
    this.#refusedByPeer = true;
    const { alarms, ports } = this.#kit;
    const own = ports.signatures?.key;
    const fingerprint = own === undefined ? "" : ` ${fingerprintOf(ports.digest, own)}`;
    alarms.raise(
      "refused-by-peer",
      `the peer refuses this engine (${detail}): it has pinned another one; run "changeover pair adopt${fingerprint}" there`,
    );
  }

  report(connected: boolean): PairReport {
    const { self, ports } = this.#kit;
    const key = ports.signatures?.key ?? null;
    return {
      self: this.#identityOf({ engineId: self.engineId, key }),
      peer: this.#pinned === null ? null : { ...this.#identityOf(this.#pinned), connected },
      strangers: [...this.#strangers].reverse().map(([fingerprint, { stranger, refusal, lastSeenUnixMs }]) => {
        const { engineId, version, remote } = stranger;
        return { engineId, fingerprint, version, remote, refusal, lastSeenUnixMs };
      }),
    };
  }

  /** From now on the stranger with this fingerprint is the peer, and nobody else. */
  adopt(fingerprint: string, by: string, connected: boolean): AdoptPeerOutcome {
    const found = this.#strangers.get(fingerprint);
    if (found === undefined) return { outcome: "unknown-fingerprint", seen: [...this.#strangers.keys()].reverse() };
    if (this.#pinned !== null && connected) return { outcome: "peer-connected", peer: this.#identityOf(this.#pinned) };
    const { engineId, key } = found.stranger;
    const detail = this.#repin({ engineId, key }, by, "a new peer was adopted");
    if (detail !== null) return { outcome: "store-failed", detail };
    return { outcome: "adopted", peer: { engineId, fingerprint } };
  }

  /** Nobody is pinned from now on: the next engine that proves itself is. */
  forget(by: string, connected: boolean): ForgetPeerOutcome {
    const before = this.#pinned;
    if (before !== null && connected) return { outcome: "peer-connected", peer: this.#identityOf(before) };
    const detail = this.#repin(null, by, "the peer was forgotten");
    if (detail !== null) return { outcome: "store-failed", detail };
    return { outcome: "forgotten", peer: before === null ? null : this.#identityOf(before) };
  }

  /** Opens the links again, without what was known of the peer's starts. */
  meetAgain(): void {
    this.#kit.ports.peerChannel.repin(this.#pinned);
  }

  #repin(peer: PinnedPeer | null, by: string, line: string): string | null {
    const failure = this.#pin(peer);
    if (failure !== null) return failure;
    this.#strangers.clear();
    this.heardPeer();
    this.stop();
    this.#kit.alarms.clear("peer-refused");
    this.#kit.ports.logger.warn({ ...(peer === null ? {} : this.#identityOf(peer)), by }, line);
    this.meetAgain();
    return null;
  }

  #pin(peer: PinnedPeer | null): string | null {
    const { store, logger } = this.#kit.ports;
    try {
      store.pinPeer(peer);
    } catch (error) {
      logger.error({ err: error }, "the peer could not be pinned");
      return error instanceof Error ? error.message : String(error);
    }
    this.#pinned = peer;
    return null;
  }

  #identityOf({ engineId, key }: PinnedPeer): EngineIdentity {
    return { engineId, fingerprint: key === null ? null : fingerprintOf(this.#kit.ports.digest, key) };
  }

  #remember(fingerprint: string, seen: Omit<Remembered, "lastSeenUnixMs">): void {
    this.#strangers.delete(fingerprint);
    this.#strangers.set(fingerprint, { ...seen, lastSeenUnixMs: this.#kit.ports.clock.unixMs() });
    const [oldest] = this.#strangers.keys();
    if (this.#strangers.size > MAX_STRANGERS && oldest !== undefined) this.#strangers.delete(oldest);
  }

  #clearLater(): void {
    const { clock } = this.#kit.ports;
    this.stop();
    this.#clearing = clock.setTimeout(() => this.#kit.alarms.clear("peer-refused"), ALARM_CLEARS_AFTER_MS);
  }

  #log(refusal: PeerRefusal, detail: string, fingerprint: string | null): void {
    const now = this.#kit.nowMs();
    this.#unlogged += 1;
    if (now - this.#lastLineMonoMs < LOG_EVERY_MS) return;
    this.#kit.ports.logger.warn(
      { refusal, detail, ...(fingerprint === null ? {} : { fingerprint }), count: this.#unlogged },
      "refused at the peer channel",
    );
    this.#lastLineMonoMs = now;
    this.#unlogged = 0;
  }
}

const ADOPT =
  'if you replaced the engine, compare the fingerprint with "changeover pair show" there, then run "changeover pair adopt"';
const TAMPERED = "nothing changed; look for what connects to this address";

/** What a person does about each. */
const REMEDIES: Readonly<Record<PeerRefusal, string>> = {
  "bad-token": "give both engines the same token of role peer",
  "no-key": "upgrade the engine that has no key",
  "bad-proof": TAMPERED,
  "wrong-key": ADOPT,
  "wrong-engine": ADOPT,
  "own-label": "give one engine the label a, the other b",
  "wrong-pair": "give both engines the same pair, or correct the address of the link",
  "bad-frame": TAMPERED,
  replayed: `${TAMPERED}; if it is the peer, on an older data folder and with its clock behind, set its clock right and run "changeover pair adopt" with its fingerprint here`,
  "out-of-reach":
    'it was not stored; once its cause is gone, run "changeover pair reset-numbers --yes" on both engines',
  "too-large": TAMPERED,
  "too-many": TAMPERED,
};
