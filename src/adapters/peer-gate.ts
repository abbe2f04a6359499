/**
 * Purpose: who may speak as the peer, and which of its heartbeats count [HB2]. Shared by every peer channel.
 * Keeps true: only the pinned engine of this pair, under its newest incarnation, is let in; an earlier one, or one that
 * has been followed by another, never comes back, however late its greeting arrives; of each heartbeat exactly one copy counts, and none out of order.
 * Does not know: sockets, or how a hello was proven.
 */
import { type EngineId, type IncarnationId, isEarlierStart, type Label } from "../core/ids.ts";
import type { Heartbeat, PeerMessage } from "../core/messages.ts";
import type { PeerHello, PeerRefusal } from "../ports/peer-channel.ts";

/** Someone or something turned away, and why. */
export interface TurnedAway {
  readonly refusal: PeerRefusal;
  readonly detail: string;
}

/** All that an engine says about who it is. */
export interface PeerIdentity extends PeerHello {
  readonly pair: string;
  readonly label: Label;
}

/** Incarnations that are remembered as over. */
const MAX_RETIRED = 256;

export class PeerGate {
  readonly #pair: string;
  readonly #label: Label;
  #pinned: EngineId | null = null;
  #incarnation: IncarnationId | null = null;
  readonly #retired = new Set<IncarnationId>();
  /** Counter of the last heartbeat that counted, and the links on which a copy of it has come. */
  #lastN = 0;
  readonly #lastSeenOn = new Set<string>();

  constructor(init: { readonly pair: string; readonly label: Label }) {
    this.#pair = init.pair;
    this.#label = init.label;
  }

  /** From now on only this engine is let in; `null`: the next that proves itself is asked for. */
  pin(engineId: EngineId | null): void {
    this.#pinned = engineId;
  }

  /** Looks at a hello before it is proven; `null` lets it go on. */
  judge(hello: PeerIdentity): TurnedAway | null {
    if (hello.pair !== this.#pair) return turnedAway("wrong-pair", `it belongs to the pair "${hello.pair}"`);
    if (hello.label === this.#label) return turnedAway("own-label", `it is labelled ${hello.label}, as this engine is`);
    if (this.#pinned !== null && hello.engineId !== this.#pinned) {
      return turnedAway("wrong-engine", `${hello.engineId} is not the pinned ${this.#pinned}`);
    }
    if (this.#isPast(hello.incarnation)) {
      return turnedAway("replayed", `incarnation ${hello.incarnation} has been followed by another`);
    }
    return null;
  }

  /** Lets a proven hello in. `askFirst` is asked when no engine has been pinned yet. */
  admit(hello: PeerIdentity, askFirst: (peer: PeerHello) => boolean): TurnedAway | null {
    const turned = this.judge(hello);
    if (turned !== null) return turned;
    const { engineId, incarnation, version } = hello;
    if (this.#pinned === null) {
      if (!askFirst({ engineId, incarnation, version }))
        return turnedAway("wrong-engine", `${engineId} was not accepted`);
      this.#pinned = engineId;
    }
    if (incarnation !== this.#incarnation) this.#begin(incarnation);
    return null;
  }

  /** What becomes of a message that came from `sender` over `link`. */
  sift(message: PeerMessage, sender: PeerHello, link: string): "deliver" | "duplicate" | TurnedAway {
    if (sender.incarnation !== this.#incarnation) {
      return turnedAway("replayed", `${message.type} of the past incarnation ${sender.incarnation}`);
    }
    return message.type === "heartbeat" ? this.#siftHeartbeat(message, sender, link) : "deliver";
  }

  #siftHeartbeat(heartbeat: Heartbeat, sender: PeerHello, link: string): "deliver" | "duplicate" | TurnedAway {
    if (heartbeat.label === this.#label) return turnedAway("own-label", "a heartbeat with this engine's own label");
    if (heartbeat.engineId !== sender.engineId) {
      return turnedAway("wrong-engine", `a heartbeat of ${heartbeat.engineId} sent by ${sender.engineId}`);
    }
    if (heartbeat.incarnation !== sender.incarnation) {
      return turnedAway("replayed", `a heartbeat of incarnation ${heartbeat.incarnation}`);
    }
    if (heartbeat.n < this.#lastN || (heartbeat.n === this.#lastN && this.#lastSeenOn.has(link))) {
      return turnedAway("replayed", `heartbeat ${heartbeat.n} after ${this.#lastN}`);
    }
    const copy = heartbeat.n === this.#lastN;
    if (!copy) this.#lastSeenOn.clear();
    this.#lastSeenOn.add(link);
    this.#lastN = heartbeat.n;
    return copy ? "duplicate" : "deliver";
  }

  /** A start that says so itself by its number, or one that was followed by another. */
  #isPast(incarnation: IncarnationId): boolean {
    const newest = this.#incarnation;
    return this.#retired.has(incarnation) || (newest !== null && isEarlierStart(incarnation, newest));
  }

  #begin(incarnation: IncarnationId): void {
    if (this.#incarnation !== null) this.#retired.add(this.#incarnation);
    for (const oldest of this.#retired) {
      if (this.#retired.size <= MAX_RETIRED) break;
      this.#retired.delete(oldest);
    }
    this.#incarnation = incarnation;
    this.#lastN = 0;
    this.#lastSeenOn.clear();
  }
}

function turnedAway(refusal: PeerRefusal, detail: string): TurnedAway {
  return { refusal, detail };
}
