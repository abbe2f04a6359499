/** One end of a peer channel under test: what it has been told, in lists. */
import { type Label, makeId } from "../../src/core/ids.ts";
import type { Heartbeat, PeerMessage } from "../../src/core/messages.ts";
import type {
  PeerChannel,
  PeerChannelEvents,
  PeerHello,
  PeerRefusal,
  PeerStranger,
  PinnedPeer,
} from "../../src/ports/peer-channel.ts";
import { sampleHeartbeat } from "../core/sample-messages.ts";

/** An engine's hello by its short name and the number of its start. */
export function hello(name: string, start = 1): PeerHello {
  return { engineId: makeId("engine", name), incarnation: makeId("incarnation", `${name}-${start}`), version: "0.1.0" };
}

/** A channel, and all that its events told. */
export class PeerEnd {
  readonly channel: PeerChannel;
  readonly label: Label;
  readonly self: PeerHello;
  readonly messages: { readonly message: PeerMessage; readonly link: string; readonly receivedAtMonoMs: number }[] = [];
  readonly refusals: { readonly refusal: PeerRefusal; readonly detail: string; readonly stranger?: PeerStranger }[] =
    [];
  readonly ups: { readonly link: string; readonly peer: PeerHello }[] = [];
  readonly downs: { readonly link: string; readonly socketClosed: boolean; readonly atMonoMs: number }[] = [];
  readonly contacts: PinnedPeer[] = [];
  readonly refusedByPeer: string[] = [];
  #acceptsFirst = true;

  constructor(channel: PeerChannel, label: Label, self: PeerHello) {
    this.channel = channel;
    this.label = label;
    this.self = self;
  }

  /** Opens it; `first` is what it answers when it meets its first peer. */
  open(pinned: PinnedPeer | null = null, first = true): this {
    this.#acceptsFirst = first;
    const events: PeerChannelEvents = {
      onLinkUp: (link, peer) => void this.ups.push({ link, peer }),
      onLinkDown: (link, socketClosed) => void this.downs.push({ link, socketClosed, atMonoMs: performance.now() }),
      onMessage: (message, receipt) => void this.messages.push({ message, ...receipt }),
      onRefused: (refusal, detail, stranger) =>
        void this.refusals.push({ refusal, detail, ...(stranger === undefined ? {} : { stranger }) }),
      onRefusedByPeer: (detail) => void this.refusedByPeer.push(detail),
      onFirstContact: (peer) => {
        this.contacts.push(peer);
        return this.#acceptsFirst;
      },
    };
    this.channel.open(events, this.self, pinned);
    return this;
  }

  get up(): boolean {
    return this.channel.links().every((link) => link.up);
  }

  /** The counters of the heartbeats that came. */
  get beats(): number[] {
    return this.messages.flatMap(({ message }) => (message.type === "heartbeat" ? [message.n] : []));
  }

  /** Its own heartbeat with counter `n`, `change`d. */
  heartbeat(n: number, change: Partial<Heartbeat> = {}): Heartbeat {
    const { engineId, incarnation } = this.self;
    return { ...sampleHeartbeat, engineId, incarnation, label: this.label, n, ...change };
  }
}
