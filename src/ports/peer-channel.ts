/**
 * The way to the other engine: one or more links, authenticated, pinned, replay-proof, bounded.
 * A message that reaches `onMessage` was sent by the holder of the pinned key, in this incarnation, once [ID1].
 */
import type { EngineId, IncarnationId } from "../core/ids.ts";
import type { Heartbeat, PeerMessage } from "../core/messages.ts";

/** Who is at the other end of an open link. */
export interface PeerHello {
  readonly engineId: EngineId;
  readonly incarnation: IncarnationId;
  readonly version: string;
}

/** The engine that counts as the peer: its id, and the Ed25519 key that proves it [ID1]. */
export interface PinnedPeer {
  readonly engineId: EngineId;
  /** 43 characters of base64url; null: it was pinned by a version that had no keys. Its key is pinned when it first shows one. */
  readonly key: string | null;
}

/** Why someone or something at the channel was refused [HB2]. */
export type PeerRefusal =
  | "bad-token"
  | "no-key"
  | "bad-proof"
  | "wrong-key"
  | "wrong-engine"
  | "own-label"
  | "wrong-pair"
  | "bad-frame"
  | "replayed"
  | "out-of-reach"
  | "too-large"
  | "too-many";

/** An engine that proved that it holds `key`, and is not the pinned peer [ID2]. */
export interface PeerStranger extends PinnedPeer {
  readonly key: string;
  readonly version: string;
  /** The address it came from or was reached at. */
  readonly remote: string;
}

export interface PeerChannelEvents {
  /** A link can carry messages now. */
  onLinkUp(link: string, peer: PeerHello): void;
  /** A link has closed. `socketClosed` is false when this engine closed it itself. */
  onLinkDown(link: string, socketClosed: boolean): void;
  onMessage(message: PeerMessage, receipt: { readonly link: string; readonly receivedAtMonoMs: number }): void;
  /** `stranger` is given when the refused engine proved its key: a person may adopt it. */
  onRefused(refusal: PeerRefusal, detail: string, stranger?: PeerStranger): void;
  /** The first peer ever met, or the first key of one pinned without: must be pinned durably before the call returns. `false`: refuse it. */
  onFirstContact(peer: PinnedPeer): boolean;
  /** The engine at the other end proved that it is the pinned peer, and refused this one: it has pinned another. */
  onRefusedByPeer(detail: string): void;
}

export interface LinkStatus {
  readonly name: string;
  readonly up: boolean;
  /** Bytes waiting to be sent. */
  readonly bufferedBytes: number;
}

export interface PeerChannel {
  /** Starts to connect and to accept. Called once. `pinned` is the only engine that is accepted; null before first contact. */
  open(events: PeerChannelEvents, self: PeerHello, pinned: PinnedPeer | null): void;
  /** From now on only `pinned` is accepted (null: the next that proves itself). What was known of starts is forgotten; links of another engine close. */
  repin(pinned: PinnedPeer | null): void;
  /** Sends over every open link; how many took it. A link whose buffer is full is skipped. */
  broadcast(heartbeat: Heartbeat): number;
  /** Sends over the best open link, in order; false: no link is open, or its buffer is full, and nothing was sent. */
  send(message: PeerMessage): boolean;
  links(): readonly LinkStatus[];
  close(): Promise<void>;
}

// Proof that the peer's process is gone [DP1].

/**
 * How long addresses that neither accept nor refuse may hold up a proof, ms. An address of a living process accepts within
 * a round trip; one whose cable is cut never answers.
 */
export const PROOF_GRACE_MS = 5;

/**
 * `refused`: nothing listens any more, at any address, or at one whose socket the other side has just closed while no other
 * address accepts: the process is dead [DP1, DP2].
 * `alive`: something answered. `unknown`: time ran out, or an address cannot be reached: proves nothing.
 */
export type ProbeResult = "refused" | "alive" | "unknown";

export interface PeerProbe {
  /**
   * Probes every known address of the peer at once, for at most `budgetMs`. `closed`: the links whose established socket
   * the other side closed. Never rejects.
   */
  probe(budgetMs: number, closed?: ReadonlySet<string>): Promise<ProbeResult>;
}
