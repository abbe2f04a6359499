/**
 * Purpose: the way to the other engine: one or more links, authenticated, pinned, replay-proof, bounded.
 * Keeps true: a message that reaches `onMessage` was sent by the other engine of this pair, in this incarnation, once.
 */
import type { EngineId, IncarnationId } from "../core/ids.ts";
import type { Heartbeat, PeerMessage } from "../core/messages.ts";

/** Who is at the other end of an open link. */
export interface PeerHello {
  readonly engineId: EngineId;
  readonly incarnation: IncarnationId;
  readonly version: string;
}

/** Why someone or something at the channel was turned away [HB2]. */
export type PeerRefusal =
  "bad-token" | "wrong-engine" | "own-label" | "wrong-pair" | "bad-frame" | "replayed" | "too-large" | "too-many";

export interface PeerChannelEvents {
  /** A link can carry messages now. */
  onLinkUp(link: string, peer: PeerHello): void;
  /** A link has closed. `socketClosed` is false when this engine closed it itself. */
  onLinkDown(link: string, socketClosed: boolean): void;
  onMessage(message: PeerMessage, receipt: { readonly link: string; readonly receivedAtMonoMs: number }): void;
  onRefused(refusal: PeerRefusal, detail: string): void;
  /** The first peer ever met: must be pinned durably before the call returns. `false`: refuse it. */
  onFirstContact(peer: PeerHello): boolean;
}

export interface LinkStatus {
  readonly name: string;
  readonly up: boolean;
  /** Bytes waiting to be sent. */
  readonly bufferedBytes: number;
}

export interface PeerChannel {
  /** Starts to connect and to accept. Called once. `pinned` is the only engine that is accepted; null before first contact. */
  open(events: PeerChannelEvents, self: PeerHello, pinned: EngineId | null): void;
  /** Sends over every open link; how many took it. A link whose buffer is full is skipped. */
  broadcast(heartbeat: Heartbeat): number;
  /** Sends over the best open link, in order; false: no link is open, or its buffer is full, and nothing was sent. */
  send(message: PeerMessage): boolean;
  links(): readonly LinkStatus[];
  close(): Promise<void>;
}
