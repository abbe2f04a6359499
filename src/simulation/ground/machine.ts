/**
 * Purpose: one simulated machine of the pair as the network sees it: whether it has power, whether a process listens on
 * it, and which channel answers there.
 * Does not know: the coordinator inside the process.
 */
import type { Label } from "../../core/ids.ts";
import type { HostClock } from "./host-clock.ts";
import type { Life } from "./scheduler.ts";

/** What an arriving packet finds. `closing`: the process is dead, but its sockets are not closed yet. */
export type Presence = "listening" | "frozen" | "closing" | "refusing" | "gone";

/** One machine; `Channel` is what answers on it. */
export class Machine<Channel> {
  readonly label: Label;
  readonly clock: HostClock;
  #powered = true;
  #life: Life | null = null;
  #channel: Channel | null = null;
  #closing = false;

  constructor(label: Label, clock: HostClock) {
    this.label = label;
    this.clock = clock;
  }

  get life(): Life | null {
    return this.#life;
  }

  get channel(): Channel | null {
    return this.#channel;
  }

  get powered(): boolean {
    return this.#powered;
  }

  presence(): Presence {
    if (!this.#powered) return "gone";
    if (this.#closing) return "closing";
    if (this.#life === null || !this.#life.alive || this.#channel === null) return "refusing";
    return this.#life.paused ? "frozen" : "listening";
  }

  /** A process began to listen. */
  booted(life: Life, channel: Channel): void {
    this.#powered = true;
    this.#closing = false;
    this.#life = life;
    this.#channel = channel;
  }

  /** The process is dead; the kernel still holds its sockets. */
  died(): void {
    this.#closing = true;
  }

  /** The kernel has closed the dead process's sockets, or the process closed them itself. */
  socketsClosed(): void {
    this.#closing = false;
    this.#life = null;
    this.#channel = null;
  }

  /** Power is gone: nothing is closed, nothing refused, nothing answered. */
  lostPower(): void {
    this.socketsClosed();
    this.#powered = false;
  }
}
