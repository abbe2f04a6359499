/**
 * The federation of this engine: every peer that it pulls from, and what a person does with one of them.
 * Keeps true: who only publishes pulls from nobody. A peer that fails, lies or floods is its own trouble: the others are
 * exchanged with as ever.
 */
import type { EngineId } from "../core/ids.ts";
import type { FederationPeerPort } from "../ports/sync-transport.ts";
import { FederationPeer, type FederationPeerParts, type PeerStatus } from "./federation-peer.ts";
import type { FederationMode } from "./hub.ts";
import { recordOrigin } from "../core/operation.ts";
import { PEER_FACTS } from "./peer-keys.ts";
import { fingerprintOf } from "../core/signature.ts";
import { isSchemaWidening, type PeerReason } from "./reasons.ts";
import type { SignatureMode } from "./seals.ts";

export interface FederationInit {
  /** What this place is called. */
  readonly name: string;
  readonly own: EngineId;
  readonly version: string;
  readonly mode: FederationMode;
  /** Between two exchanges with one peer. */
  readonly intervalMs: number;
}

/** `GET /api/peers`, but for who may call. */
export interface FederationStatus {
  readonly name: string;
  readonly engineId: string;
  readonly version: string;
  readonly mode: FederationMode;
  readonly signatures: SignatureMode;
  /** Of this engine's own key, for others to pin; null: it has none. */
  readonly fingerprint: string | null;
  readonly peers: readonly PeerStatus[];
}

/** What became of a person's wish about one peer. */
export type PeerOutcome =
  | { readonly outcome: "done"; readonly peer: PeerStatus; readonly removed: readonly string[] }
  | { readonly outcome: "not-found" }
  /** This engine only publishes: there is nothing to pause or resume. */
  | { readonly outcome: "not-pulling" };

/** A peer that something is wrong with. */
export interface PeerTrouble {
  readonly name: string;
  readonly reason: PeerReason;
  readonly failures: number;
  /** Another one answers there: a person must look. */
  readonly refused: boolean;
}

export class Federation {
  readonly #parts: Omit<FederationPeerParts, "changed">;
  readonly #init: FederationInit;
  readonly #peers: ReadonlyMap<string, FederationPeer>;

  constructor(
    parts: Omit<FederationPeerParts, "changed"> & { readonly changed: (troubles: readonly PeerTrouble[]) => void },
    ports: readonly FederationPeerPort[],
    init: FederationInit,
  ) {
    this.#parts = parts;
    this.#init = init;
    const shared = { ...parts, changed: () => parts.changed(this.troubles()) };
    const peerFor = (port: FederationPeerPort): FederationPeer =>
      new FederationPeer(shared, port, { ...init, others: ports.filter((other) => other !== port) });
    this.#peers = new Map(ports.map((port) => [port.name, peerFor(port)]));
  }

  start(): void {
    if (this.#pulls) for (const peer of this.#peers.values()) peer.start();
  }

  /** Idempotent. */
  stop(): void {
    for (const peer of this.#peers.values()) peer.stop();
  }

  status(): FederationStatus {
    const { name, own, version, mode } = this.#init;
    const { seals, digest } = this.#parts;
    return {
      name,
      engineId: own,
      version,
      mode,
      signatures: seals.mode,
      fingerprint: seals.key === null ? null : fingerprintOf(digest, seals.key),
      peers: [...this.#peers.values()].map((peer) => peer.status()),
    };
  }

  /** The origins as which the pinned peers write. */
  writers(): readonly string[] {
    return [...this.#peers.values()].flatMap(({ id }) => (id === null ? [] : [recordOrigin(id as EngineId)]));
  }

  troubles(): readonly PeerTrouble[] {
    return [...this.#peers.values()].flatMap(({ name, health, refused }) => {
      const error = health?.lastError ?? null;
      if (health === null || error === null) return [];
      return [{ name, reason: error.reason, failures: health.consecutiveFailures, refused }];
    });
  }

  /** Stops asking it, until a person resumes it. Stands over a restart. */
  pause(name: string): PeerOutcome {
    return this.#with(name, (peer) => peer.pause());
  }

  resume(name: string): PeerOutcome {
    return this.#with(name, (peer) => peer.resume());
  }

  /**
   * Forgets all that is kept of a peer, so that it is met as a new peer: the one that answers there now is pinned, and its log is read
   * from the start. `keyRotated`: forgets its key alone, and the keys that were learnt through it.
   */
  reset(name: string, { keyRotated }: { readonly keyRotated: boolean }): PeerOutcome {
    const peer = this.#peers.get(name);
    if (peer === undefined) return { outcome: "not-found" };
    const removed = peer.reset(keyRotated ? ["key"] : PEER_FACTS);
    return { outcome: "done", peer: peer.status(), removed };
  }

  get #pulls(): boolean {
    return this.#init.mode !== "publish";
  }

  #with(name: string, work: (peer: FederationPeer) => void): PeerOutcome {
    const peer = this.#peers.get(name);
    if (peer === undefined) return { outcome: "not-found" };
    if (!this.#pulls) return { outcome: "not-pulling" };
    work(peer);
    return { outcome: "done", peer: peer.status(), removed: [] };
  }
}

/** What a person is told of peers in trouble. */
export function toldTroubles(troubles: readonly PeerTrouble[]): string {
  const told = ({ name, reason }: PeerTrouble): string =>
    `${name}: ${reason}${isSchemaWidening(reason) ? " (upgrade this peer)" : ""}`;
  return troubles.map(told).join("; ");
}
