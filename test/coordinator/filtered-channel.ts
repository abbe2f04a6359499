/** A peer channel on which a test can lose messages of chosen types, and see what was sent. */
import type { Label } from "../../src/core/ids.ts";
import type { Heartbeat, PeerMessage } from "../../src/core/messages.ts";
import type { LinkStatus, PeerChannel } from "../../src/ports/peer-channel.ts";
import { Pair, type PairSettings } from "./pair.ts";

export class FilteredChannel implements PeerChannel {
  readonly #inner: PeerChannel;
  /** What is lost on its way from here. */
  readonly lost = new Set<PeerMessage["type"]>();
  readonly sent: PeerMessage[] = [];

  constructor(inner: PeerChannel) {
    this.#inner = inner;
  }

  open(...asked: Parameters<PeerChannel["open"]>): void {
    this.#inner.open(...asked);
  }

  repin(...asked: Parameters<PeerChannel["repin"]>): void {
    this.#inner.repin(...asked);
  }

  broadcast(heartbeat: Heartbeat): number {
    return this.lost.has("heartbeat") ? 0 : this.#inner.broadcast(heartbeat);
  }

  send(message: PeerMessage): boolean {
    this.sent.push(message);
    return this.lost.has(message.type) || this.#inner.send(message);
  }

  links(): readonly LinkStatus[] {
    return this.#inner.links();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** How many of a type were sent. */
  count(type: PeerMessage["type"]): number {
    return this.sent.filter((message) => message.type === type).length;
  }
}

/** A pair of which both engines speak over channels that the test has in hand. */
export async function filteredPair<Channel extends FilteredChannel>(
  makeChannel: (inner: PeerChannel) => Channel,
  settings: PairSettings = {},
): Promise<{ readonly pair: Pair; readonly channels: Readonly<Record<Label, Channel>> }> {
  const channels: Partial<Record<Label, Channel>> = {};
  const pair = await Pair.started({
    ...settings,
    wrapPorts: (ports, label) => ({ ...ports, peerChannel: (channels[label] = makeChannel(ports.peerChannel)) }),
  });
  const { a, b } = channels;
  if (a === undefined || b === undefined) throw new Error("an engine has no channel");
  return { pair, channels: { a, b } };
}

/** The same pair after a split in which each engine accepted one command; `b` leads it alone. The link is still cut. */
export async function partedPair<Channel extends FilteredChannel>(makeChannel: (inner: PeerChannel) => Channel) {
  const parted = await filteredPair(makeChannel, { failover: { deathProof: "none" }, witness: false });
  const { pair } = parted;
  pair.wire.cut("red");
  await pair.until(() => pair.of("b").mayAct(), 5_000);
  await pair.submit("a", "LOSER");
  await pair.submit("b", "WINNER");
  return parted;
}
