/**
 * Whether the one who answers as a federation peer is the one that it was, or is configured to be.
 * Keeps true: the first verified handshake pins the id and, where there is one, the key; afterwards only the same ones are
 * let in. What is configured goes before what was seen. A key counts only when its holder has signed a fresh challenge.
 */
import type { EngineId } from "../core/ids.ts";
import { recordOrigin } from "../core/operation.ts";
import { fingerprintOf, identityText } from "../core/signature.ts";
import type { Digest } from "../ports/basics.ts";
import type { FederationPeerPort } from "../ports/sync-transport.ts";
import type { PeerState } from "../ports/replica.ts";
import type { SyncIdentity } from "./hub.ts";
import { peerKey } from "./peer-keys.ts";
import type { Seals } from "./seals.ts";

export interface PeerPinInit {
  readonly name: string;
  /** This engine's own id: it is nobody's peer. */
  readonly own: EngineId;
  readonly pinnedId: string | null;
  readonly pinnedKey: string | null;
  /** The other peers: who is one of them is not this one. */
  readonly others: readonly Pick<FederationPeerPort, "name" | "pinnedId">[];
}

export class PeerPin {
  readonly #state: PeerState;
  readonly #seals: Seals;
  readonly #digest: Digest;
  readonly #init: PeerPinInit;

  constructor(
    parts: { readonly peerState: PeerState; readonly seals: Seals; readonly digest: Digest },
    init: PeerPinInit,
  ) {
    this.#state = parts.peerState;
    this.#seals = parts.seals;
    this.#digest = parts.digest;
    this.#init = init;
  }

  /** The id that is let in; null before the first handshake. */
  get id(): string | null {
    return this.#init.pinnedId ?? this.#state.get(peerKey(this.#init.name, "id"));
  }

  /** Fingerprint of the key that is let in; null: none yet. */
  get fingerprint(): string | null {
    const kept = this.#state.get(peerKey(this.#init.name, "key"));
    return this.#init.pinnedKey ?? (kept === null ? null : fingerprintOf(this.#digest, kept));
  }

  /** Whether it is the one. */
  admits(identity: SyncIdentity, challenge: string): boolean {
    const { id } = this;
    if (this.#isAnother(identity.engineId) || (id !== null && identity.engineId !== id)) return false;
    // Who has no key cannot look at one: then the id decides, and a configured key lets nobody in.
    if (this.#seals.key === null) return this.#init.pinnedKey === null;
    const { key, proof } = identity;
    if (key !== undefined && !this.#seals.holds(key, identityText(identity, challenge), proof ?? "")) return false;
    const { fingerprint } = this;
    return fingerprint === null || (key !== undefined && fingerprintOf(this.#digest, key) === fingerprint);
  }

  /** This engine itself, or one of its other peers: a liar could else take over what their writers are known by. */
  #isAnother(engineId: string): boolean {
    const { own, others } = this.#init;
    const known = others.map(({ name, pinnedId }) => pinnedId ?? this.#state.get(peerKey(name, "id")));
    return engineId === own || known.includes(engineId);
  }

  /** Keeps who was let in; inside a transaction. From now on its operations bear this key and no other. */
  keep({ engineId, key }: SyncIdentity): void {
    const { name } = this.#init;
    this.#state.set(peerKey(name, "id"), engineId);
    if (key === undefined || this.#seals.key === null) return;
    this.#state.set(peerKey(name, "key"), key);
    this.#seals.bind(recordOrigin(engineId as EngineId), key);
  }
}
