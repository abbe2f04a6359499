/**
 * Purpose: one configured way to the peer: the sockets that are open on it, and the dialling while none is.
 * Keeps true: at most one dial under way, and at most one open socket per dialling side (each side dials only while it
 * sees no open socket, so a second one from the same side means that it gave the first up); a peer that comes back is
 * dialled within 250 ms.
 */
import { backoffMs } from "../../core/backoff.ts";
import type { Clock, TimerHandle } from "../../ports/clock.ts";
import type { LinkStatus } from "../../ports/peer-channel.ts";
import type { Random } from "../../ports/random.ts";
import type { PeerSocket } from "./peer-socket.ts";

/** Wait before a dial: this, and a back-off with full jitter on top. */
const LEAST_REDIAL_MS = 20;
const REDIAL = { baseMs: 60, capMs: 230 } as const;

/** Wait after someone was turned away: nothing changes until a person mends it. */
const REDIAL_AFTER_REFUSAL_MS = 1_000;

/** A socket on which nothing has come for so long is not trusted with messages while another is fresh. */
const STALE_MS = 500;

export class PeerLink {
  readonly name: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #dial: (link: PeerLink) => PeerSocket;
  /** Oldest first. */
  #sockets: PeerSocket[] = [];
  #dialling: PeerSocket | null = null;
  #timer: TimerHandle | null = null;
  #attempt = 0;
  #refused = false;
  #stopped = false;

  constructor(
    components: { readonly clock: Clock; readonly random: Random; readonly dial: (link: PeerLink) => PeerSocket },
    init: { readonly name: string },
  ) {
    this.#clock = components.clock;
    this.#random = components.random;
    this.#dial = components.dial;
    this.name = init.name;
  }

  get sockets(): readonly PeerSocket[] {
    return this.#sockets;
  }

  get up(): boolean {
    return this.#sockets.length > 0;
  }

  status(): LinkStatus {
    const bufferedBytes = this.#sockets.reduce((bytes, socket) => bytes + socket.bufferedBytes, 0);
    return { name: this.name, up: this.up, bufferedBytes };
  }

  /** Dials now unless something is open or under way. */
  dial(): void {
    if (this.#stopped || this.up || this.#dialling !== null) return;
    this.#cancelTimer();
    this.#dialling = this.#dial(this);
  }

  /** Dials within the shortest wait: something has changed that may let it succeed. */
  dialSoon(): void {
    this.#attempt = 0;
    this.#refused = false;
    this.#cancelTimer();
    this.#redialLater();
  }

  /** Takes a proven socket; the one that it replaces, if any, is given back to be dropped. */
  add(socket: PeerSocket): PeerSocket | null {
    if (socket === this.#dialling) this.#dialling = null;
    this.#cancelTimer();
    this.#attempt = 0;
    this.#refused = false;
    const replaced = this.#sockets.find(({ side }) => side === socket.side) ?? null;
    this.#sockets.push(socket);
    return replaced;
  }

  /** Forgets a socket that has ended, and sees to the next dial. */
  remove(socket: PeerSocket): void {
    if (socket === this.#dialling) this.#dialling = null;
    this.#sockets = this.#sockets.filter((other) => other !== socket);
    this.#redialLater();
  }

  /** Whoever was dialled was turned away, or turned this engine away. */
  noteRefusal(): void {
    this.#refused = true;
  }

  /** Stops dialling. Its sockets are ended by their owner. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
  }

  #redialLater(): void {
    if (this.#stopped || this.up || this.#dialling !== null || this.#timer !== null) return;
    const jitterMs = backoffMs(this.#attempt++, this.#random.next(), REDIAL);
    const waitMs = this.#refused ? REDIAL_AFTER_REFUSAL_MS : LEAST_REDIAL_MS + jitterMs;
    this.#refused = false;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.dial();
    }, waitMs);
  }

  #cancelTimer(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** The socket to send on: the oldest of those heard lately, so that order holds; with none, the one heard last. */
export function bestSocket(sockets: Iterable<PeerSocket>, nowMonoMs: number): PeerSocket | null {
  let best: PeerSocket | null = null;
  for (const socket of sockets) if (best === null || isBetter(socket, best, nowMonoMs)) best = socket;
  return best;
}

function isBetter(socket: PeerSocket, than: PeerSocket, nowMonoMs: number): boolean {
  const fresh = nowMonoMs - socket.lastHeardMonoMs <= STALE_MS;
  const otherFresh = nowMonoMs - than.lastHeardMonoMs <= STALE_MS;
  if (fresh !== otherFresh) return fresh;
  return fresh ? socket.openSinceMonoMs < than.openSinceMonoMs : socket.lastHeardMonoMs > than.lastHeardMonoMs;
}
