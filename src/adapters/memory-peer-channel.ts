/**
 * A peer channel between two engines in one process, for tests and embedding.
 * The same contract as the WebSocket channel, proven by the same suite: messages go through the codec, the gate refuses who
 * does not belong, and they arrive in a later turn of the loop, in order.
 * It knows no tokens and proves no keys: who holds the wire is trusted. An engine's id stands for its key.
 */
import { assert } from "../core/errors.ts";
import type { Label } from "../core/ids.ts";
import { decodeMessage, encodeMessage } from "./peer-messages.ts";
import type { Heartbeat, PeerMessage } from "../core/messages.ts";
import type { Clock } from "../ports/basics.ts";
import type { LinkStatus, PeerChannel, PeerChannelEvents, PeerHello, PinnedPeer } from "../ports/peer-channel.ts";
import { PeerGate, type PeerIdentity, type TurnedAway } from "./peer-gate.ts";
import { MAX_FRAME_BYTES } from "../ports/link.ts";

/** As on the real channel. */
const MAX_BUFFERED_BYTES = 4_194_304;

/** What joins two ends: a number of named links, each of which can be cut. */
export class MemoryPeerWire {
  readonly links: readonly string[];
  readonly #clock: Clock;
  readonly #cut = new Set<string>();
  readonly #ends: [MemoryPeerChannel | null, MemoryPeerChannel | null] = [null, null];

  constructor(components: { readonly clock: Clock }, init: { readonly links: readonly string[] }) {
    this.#clock = components.clock;
    this.links = init.links;
  }

  /** A new end on the left (0) or right (1) side; the end that was there before must have been closed. */
  end(side: 0 | 1, init: { readonly pair: string; readonly label: Label }): MemoryPeerChannel {
    assert(this.#ends[side] === null, "one end a side");
    const end = new MemoryPeerChannel({ clock: this.#clock, wire: this }, init);
    this.#ends[side] = end;
    return end;
  }

  /** Drops everything on a link from now on, and tells nobody, as a cut cable does. */
  cut(link: string): void {
    this.#cut.add(link);
  }

  mend(link: string): void {
    this.#cut.delete(link);
  }

  /** Called by an end that has opened: once both have, they meet on every link. */
  opened(): void {
    const [left, right] = this.#ends;
    if (!left?.identity || !right?.identity) return;
    for (const link of this.links) this.#clock.soon(() => this.#meet(left, right, link));
  }

  /** Called by an end that has closed. */
  closed(end: MemoryPeerChannel): void {
    const other = this.#across(end);
    this.#ends[this.#ends[0] === end ? 0 : 1] = null;
    if (other !== null) this.#clock.soon(() => other.lost(true));
  }

  /** Called by an end that has another pin: both ends lose every link, and meet again. */
  parted(end: MemoryPeerChannel): void {
    end.lost(false);
    this.#across(end)?.lost(true);
    this.opened();
  }

  /** Carries a text to the other end in a later turn of the loop. */
  carry(from: MemoryPeerChannel, link: string, text: string, done: () => void): void {
    const to = this.#across(from);
    this.#clock.soon(() => {
      done();
      if (to !== null && this.#across(from) === to && !this.#cut.has(link)) to.receive(text, link);
    });
  }

  #across(end: MemoryPeerChannel): MemoryPeerChannel | null {
    return this.#ends[0] === end ? this.#ends[1] : this.#ends[0];
  }

  #meet(left: MemoryPeerChannel, right: MemoryPeerChannel, link: string): void {
    const fromLeft = left.identity;
    const fromRight = right.identity;
    if (fromLeft === null || fromRight === null || left.isUp(link)) return;
    const leftAdmits = left.admit(fromRight);
    const rightAdmits = right.admit(fromLeft);
    if (leftAdmits && !rightAdmits) left.refused();
    if (rightAdmits && !leftAdmits) right.refused();
    if (!leftAdmits || !rightAdmits) return;
    left.up(link, fromRight);
    right.up(link, fromLeft);
  }
}

/** One end of a wire. */
class MemoryPeerChannel implements PeerChannel {
  readonly #clock: Clock;
  readonly #wire: MemoryPeerWire;
  readonly #init: { readonly pair: string; readonly label: Label };
  readonly #gate: PeerGate;
  readonly #up = new Set<string>();
  #events: PeerChannelEvents | null = null;
  #self: PeerHello | null = null;
  #peer: PeerHello | null = null;
  #bufferedBytes = 0;
  #closed = false;

  constructor(
    components: { readonly clock: Clock; readonly wire: MemoryPeerWire },
    init: { readonly pair: string; readonly label: Label },
  ) {
    this.#clock = components.clock;
    this.#wire = components.wire;
    this.#init = init;
    this.#gate = new PeerGate(init);
  }

  /** Who this end says it is; null before it opens and once it is closed. */
  get identity(): PeerIdentity | null {
    if (this.#self === null || this.#closed) return null;
    const { pair, label } = this.#init;
    return { ...this.#self, pair, label, link: "", key: this.#self.engineId };
  }

  open(events: PeerChannelEvents, self: PeerHello, pinned: PinnedPeer | null): void {
    assert(this.#self === null, "a peer channel is opened once");
    this.#events = events;
    this.#self = self;
    this.#gate.pin(pinned);
    this.#wire.opened();
  }

  repin(pinned: PinnedPeer | null): void {
    this.#gate.pin(pinned);
    this.#wire.parted(this);
  }

  broadcast(heartbeat: Heartbeat): number {
    const text = encodeMessage(heartbeat);
    for (const link of this.#up) this.#carry(link, text);
    return this.#up.size;
  }

  send(message: PeerMessage): boolean {
    const [link] = this.#up;
    if (link === undefined) return false;
    const text = encodeMessage(message);
    if (text.length > MAX_FRAME_BYTES) {
      this.#turnedAway({ refusal: "too-large", detail: `own ${message.type} of ${text.length} characters` });
      return false;
    }
    if (this.#bufferedBytes + text.length > MAX_BUFFERED_BYTES) return false;
    this.#carry(link, text);
    return true;
  }

  links(): readonly LinkStatus[] {
    return this.#wire.links.map((name) => ({ name, up: this.#up.has(name), bufferedBytes: this.#bufferedBytes }));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#events = null;
    this.#up.clear();
    this.#wire.closed(this);
  }

  isUp(link: string): boolean {
    return this.#up.has(link);
  }

  /** Called by the wire: whether the other end is let in. */
  admit(peer: PeerIdentity): boolean {
    const turned = this.#gate.admit(peer, (hello) => this.#events?.onFirstContact(hello) ?? false);
    if (turned !== null) this.#turnedAway(turned);
    return turned === null;
  }

  /** Called by the wire: the other end, which was let in here, has pinned another engine. */
  refused(): void {
    this.#events?.onRefusedByPeer("wrong-engine");
  }

  /** Called by the wire: the other end has been met on `link`. */
  up(link: string, peer: PeerIdentity): void {
    const { engineId, incarnation, version } = peer;
    this.#peer = { engineId, incarnation, version };
    this.#up.add(link);
    this.#events?.onLinkUp(link, this.#peer);
  }

  /** Called by the wire: the other end is gone. */
  lost(socketClosed: boolean): void {
    for (const link of [...this.#up]) {
      this.#up.delete(link);
      this.#events?.onLinkDown(link, socketClosed);
    }
  }

  /** Called by the wire: something arrives. */
  receive(text: string, link: string): void {
    const receivedAtMonoMs = this.#clock.monoMs();
    if (this.#peer === null) return;
    const decoded = decodeMessage(text);
    if (decoded.outcome === "refused")
      return this.#turnedAway({ refusal: decoded.outOfReach ? "out-of-reach" : "bad-frame", detail: decoded.reason });
    const sifted = this.#gate.sift(decoded.value, this.#peer);
    if (sifted === "deliver") this.#events?.onMessage(decoded.value, { link, receivedAtMonoMs });
    else if (sifted !== "duplicate") this.#turnedAway(sifted);
  }

  #carry(link: string, text: string): void {
    this.#bufferedBytes += text.length;
    this.#wire.carry(this, link, text, () => (this.#bufferedBytes -= text.length));
  }

  #turnedAway(turned: TurnedAway): void {
    this.#events?.onRefused(turned.refusal, turned.detail);
  }
}
