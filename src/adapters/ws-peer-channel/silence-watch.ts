/**
 * Purpose: ends sockets on which nothing comes any more. A cut cable closes nothing, and TCP may take minutes to find
 * its way back through an old connection; a fresh one is there at once.
 * Keeps true: a pause of this very process is not mistaken for silence of the other; one timer, whatever the number of
 * sockets.
 */
import type { Clock, TimerHandle } from "../../ports/clock.ts";
import type { PeerSocket } from "./peer-socket.ts";

const LOOK_EVERY_MS = 1_000;
/** Silence after which the other side is asked for a sign of life: a socket may be spare, and silent for that. */
const ASK_AFTER_MS = 900;
/** Silence after which a socket is given up. */
const GIVE_UP_AFTER_MS = 2_000;

export class SilenceWatch {
  readonly #clock: Clock;
  readonly #sockets: () => Iterable<PeerSocket>;
  #timer: TimerHandle | null = null;
  #lastLookMonoMs = 0;

  constructor(components: { readonly clock: Clock; readonly sockets: () => Iterable<PeerSocket> }) {
    this.#clock = components.clock;
    this.#sockets = components.sockets;
  }

  start(): void {
    this.#lastLookMonoMs = this.#clock.monoMs();
    this.#timer = this.#clock.setTimeout(() => this.#look(), LOOK_EVERY_MS);
  }

  close(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const nowMonoMs = this.#clock.monoMs();
    const paused = nowMonoMs - this.#lastLookMonoMs > 2 * LOOK_EVERY_MS;
    for (const socket of [...this.#sockets()]) {
      // What came during the pause is still unread: it gets its chance first.
      if (paused) socket.lastHeardMonoMs = nowMonoMs;
      const silentMs = nowMonoMs - socket.lastHeardMonoMs;
      if (silentMs > GIVE_UP_AFTER_MS) socket.drop();
      else if (silentMs > ASK_AFTER_MS) socket.ping();
    }
    this.start();
  }
}
