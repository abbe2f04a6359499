/**
 * Who may speak as the peer, and which of its heartbeats count [ID1] [HB2]. Shared by every peer channel.
 * Only the holder of the pinned key, under its newest incarnation, is let in. An earlier incarnation, or one that has been
 * followed by another, never comes back, however late its greeting arrives. Of each heartbeat exactly one copy counts, and
 * none out of order. How a hello was proven, and sockets, are the channel's business.
 */
import { type IncarnationId, isEarlierStart, type Label, startOf } from "../core/ids.ts";
import type { Heartbeat, PeerMessage } from "../core/messages.ts";
import { isReachable, outOfReach } from "../core/epoch.ts";
import type { PeerHello, PeerRefusal, PinnedPeer } from "../ports/peer-channel.ts";

/** Someone or something refused, and why. */
export interface TurnedAway {
  readonly refusal: PeerRefusal;
  readonly detail: string;
}

/** All that an engine says about who it is. */
export interface PeerIdentity extends PeerHello {
  readonly pair: string;
  readonly label: Label;
  /** The link that the dialer meant; empty from the acceptor. */
  readonly link: string;
  /** Its public key; null: it is of a version that has none. */
  readonly key: string | null;
}

/** The decisions of ID1, so that the simulator can put a wrong one in place of each and must notice. */
export interface IdentityRules {
  isPinnedKey(pinned: string, hello: Pick<PeerIdentity, "key" | "link">): boolean;
  /** What of a handshake is signed. */
  signedText(text: string): string;
  /** Whether one who has only said hello may already replace a living connection. */
  displacesUnproven: boolean;
}

export const trueIdentityRules: IdentityRules = {
  isPinnedKey: (pinned, { key }) => key === pinned,
  signedText: (text) => text,
  displacesUnproven: false,
};

/** Incarnations that are remembered as over. */
const MAX_RETIRED = 256;

export class PeerGate {
  readonly #pair: string;
  readonly #label: Label;
  readonly #rules: IdentityRules;
  #pinned: PinnedPeer | null = null;
  #incarnation: IncarnationId | null = null;
  readonly #retired = new Set<IncarnationId>();
  /** Counter of the last heartbeat that counted. */
  #lastN = 0;

  constructor(init: { readonly pair: string; readonly label: Label }, rules: IdentityRules = trueIdentityRules) {
    this.#rules = rules;
    this.#pair = init.pair;
    this.#label = init.label;
  }

  /** From now on only this engine is let in; `null`: the next that proves itself is asked for. Forgets what it knew of starts. */
  pin(peer: PinnedPeer | null): void {
    this.#pinned = peer;
    this.#incarnation = null;
    this.#retired.clear();
    this.#lastN = 0;
  }

  /** Refuses what no proof could change; `null` lets the handshake go on. Nothing here is proven yet, so nothing changes. */
  judge(hello: PeerIdentity): TurnedAway | null {
    if (hello.pair !== this.#pair) return turnedAway("wrong-pair", `it belongs to the pair "${hello.pair}"`);
    if (hello.label === this.#label) return turnedAway("own-label", `it is labelled ${hello.label}, as this engine is`);
    // Only a peer pinned by a version that had no keys may still do without, until it shows one.
    if (hello.key === null && this.#pinned?.key !== null) {
      return turnedAway("no-key", `${hello.engineId} (version ${hello.version}) showed no key; upgrade that engine`);
    }
    return null;
  }

  /** Lets in a hello whose key and token were proven on this very connection. `askFirst` is asked when no engine, or no key, has been pinned yet. */
  admit(hello: PeerIdentity, askFirst: (peer: PinnedPeer) => boolean): TurnedAway | null {
    const turned = this.judge(hello) ?? this.#judgeProven(hello);
    if (turned !== null) return turned;
    const { engineId, incarnation, key } = hello;
    if (this.#pinned === null || this.#pinned.key === null) {
      if (!askFirst({ engineId, key })) return turnedAway("wrong-engine", `${engineId} was not accepted`);
      this.#pinned = { engineId, key };
    }
    if (incarnation !== this.#incarnation) this.#begin(incarnation);
    return null;
  }

  /** What becomes of a message that came from `sender`. */
  sift(message: PeerMessage, sender: PeerHello): "deliver" | "duplicate" | TurnedAway {
    if (sender.incarnation !== this.#incarnation) {
      return turnedAway("replayed", `${message.type} of the past incarnation ${sender.incarnation}`);
    }
    return message.type === "heartbeat" ? this.#siftHeartbeat(message, sender) : "deliver";
  }

  #siftHeartbeat(heartbeat: Heartbeat, sender: PeerHello): "deliver" | "duplicate" | TurnedAway {
    if (heartbeat.label === this.#label) return turnedAway("own-label", "a heartbeat with this engine's own label");
    if (heartbeat.engineId !== sender.engineId) {
      return turnedAway("wrong-engine", `a heartbeat of ${heartbeat.engineId} sent by ${sender.engineId}`);
    }
    if (heartbeat.incarnation !== sender.incarnation) {
      return turnedAway("replayed", `a heartbeat of incarnation ${heartbeat.incarnation}`);
    }
    // A copy, or overtaken over a faster link or a newer connection: no fault of anybody [HB4].
    if (heartbeat.n <= this.#lastN) return "duplicate";
    this.#lastN = heartbeat.n;
    return "deliver";
  }

  #judgeProven(hello: PeerIdentity): TurnedAway | null {
    const { engineId, incarnation } = hello;
    const pinned = this.#pinned;
    if (pinned !== null && engineId !== pinned.engineId) {
      return turnedAway("wrong-engine", `${engineId} is not the pinned ${pinned.engineId}`);
    }
    if (pinned !== null && pinned.key !== null && !this.#rules.isPinnedKey(pinned.key, hello)) {
      return turnedAway("wrong-key", `it calls itself ${engineId}, but its key is not the pinned one`);
    }
    const start = startOf(incarnation);
    if (start !== null && !isReachable(start)) {
      return turnedAway("out-of-reach", outOfReach(`the start number of ${engineId}`, start));
    }
    if (this.#isPast(incarnation)) {
      return turnedAway("replayed", `incarnation ${incarnation} has been followed by another`);
    }
    return null;
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
  }
}

function turnedAway(refusal: PeerRefusal, detail: string): TurnedAway {
  return { refusal, detail };
}
