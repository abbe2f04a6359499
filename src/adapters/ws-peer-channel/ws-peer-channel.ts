/**
 * The peer channel over links: WebSockets, and whatever else implements the port Link. Every engine dials every link and
 * accepts what comes (WebSockets from the HTTP layer), so that a way that works in one direction only is still a way.
 * It keeps what the port promises: both ends prove the peer token and their key [ID1], frames are sealed per session, one
 * incarnation at a time. Every buffer and the number of sockets are bounded, also of those that prove nothing: when too
 * many shake hands, the oldest of the address that holds most of them goes, so the pinned peer always gets its turn.
 * What messages mean, and HTTP, are not its business.
 */
import { randomBytes } from "node:crypto";
import type { WebSocket } from "ws";
import { assert } from "../../core/errors.ts";
import type { Label } from "../../core/ids.ts";
import { decodeMessage, encodeForVersionBefore, encodeMessage } from "../peer-messages.ts";
import type { Heartbeat, PeerMessage } from "../../core/messages.ts";
import type { Clock, Random, Signatures } from "../../ports/basics.ts";
import type {
  LinkStatus,
  PeerChannel,
  PeerChannelEvents,
  PeerHello,
  PeerRefusal,
  PeerStranger,
  PinnedPeer,
} from "../../ports/peer-channel.ts";
import { type Link, type LinkConnection, MAX_FRAME_BYTES } from "../../ports/link.ts";
import { PeerGate, type PeerIdentity, type TurnedAway } from "../peer-gate.ts";
import { SUBPROTOCOL, WsConnection, WsLink } from "./dial.ts";
import { Handshake, type Side, channelSecret } from "./handshake.ts";
import {
  PeerLink,
  bestSocket,
  CLOSE_CODES,
  PeerSocket,
  type PeerSocketOwner,
  type SocketEnd,
  SilenceWatch,
} from "./peer-socket.ts";

/** Time that a dialled, and an accepted socket has until both ends are proven. */
const DIAL_HANDSHAKE_MS = 1_000;
const ACCEPT_HANDSHAKE_MS = 2_000;

/** Accepted sockets that may be on their way through the handshake at once. */
const MAX_PENDING = 32;

/** Bytes that may wait on a socket: for messages, and for a heartbeat, which is of no use behind so much. */
const MAX_BUFFERED_BYTES = 4_194_304;
const MAX_BUFFERED_BEFORE_HEARTBEAT_BYTES = 262_144;

/** Close codes of RFC 6455 for a socket that came too early, and for those that end with the channel. */
const TRY_AGAIN_LATER = 1013;
const GOING_AWAY = 1001;

/** What sealing adds to a message, at most. */
const SEAL_BYTES = 64;

export interface WsPeerChannelInit {
  readonly pair: string;
  readonly label: Label;
  /** `ws://` or `wss://` addresses of the peer; both configurations give a link the same name. */
  readonly links: readonly { readonly name: string; readonly url: string }[];
  /** Further links of any other kind. */
  readonly otherLinks?: readonly Link[];
  /** Token of the role `peer`; null only in open mode, on loopback. */
  readonly token: string | null;
  /** Authorities of the peer's certificate, PEM; left out: the system's. */
  readonly ca?: string;
}

export class WsPeerChannel implements PeerChannel {
  readonly #clock: Clock;
  readonly #signatures: Signatures;
  readonly #init: WsPeerChannelInit;
  readonly #secret: ReturnType<typeof channelSecret>;
  readonly #gate: PeerGate;
  readonly #ways: readonly Link[];
  /** What is dialled and open on each of them. */
  readonly #links: readonly PeerLink[];
  readonly #watch: SilenceWatch;
  /** Every socket that has not ended, and its link once it is known. */
  readonly #sockets = new Map<PeerSocket, PeerLink | null>();
  /** Links whose dial was answered with an HTTP status; told once until the link is up. */
  readonly #rejected = new Set<PeerLink>();
  #events: PeerChannelEvents | null = null;
  #self: PeerHello | null = null;

  constructor(
    components: { readonly clock: Clock; readonly random: Random; readonly signatures: Signatures },
    init: WsPeerChannelInit,
  ) {
    this.#clock = components.clock;
    this.#signatures = components.signatures;
    this.#init = init;
    this.#secret = channelSecret(init.token, init.pair);
    this.#gate = new PeerGate(init);
    const onRejected = (name: string, host: string, status: number): void =>
      this.#onRejected(this.#linkNamed(name), host, status);
    const { token, ca } = init;
    const sockets = init.links.map(
      ({ name, url }) =>
        new WsLink(
          { onRejected: (host, status) => onRejected(name, host, status) },
          { name, url, token, ...(ca === undefined ? {} : { ca }) },
        ),
    );
    this.#ways = [...sockets, ...(init.otherLinks ?? [])];
    assert(this.#ways.length > 0, "a peer channel has at least one link");
    this.#links = this.#ways.map(
      (way) => new PeerLink({ ...components, dial: (link) => this.#dial(link, way) }, { name: way.name }),
    );
    this.#watch = new SilenceWatch({ clock: this.#clock, sockets: () => this.#openSockets() });
  }

  open(events: PeerChannelEvents, self: PeerHello, pinned: PinnedPeer | null): void {
    assert(this.#self === null, "a peer channel is opened once");
    this.#events = events;
    this.#self = self;
    this.#gate.pin(pinned);
    this.#watch.start();
    for (const way of this.#ways) way.accept((connection) => this.#accept(connection));
    for (const link of this.#links) link.dial();
  }

  repin(pinned: PinnedPeer | null): void {
    this.#gate.pin(pinned);
    for (const socket of [...this.#sockets.keys()]) socket.drop();
    for (const link of this.#links) link.dialSoon();
  }

  /**
   * Takes a socket whose upgrade bore a token of the role `peer`. `remote` is its address, for people; `peerHasKeys`
   * whether its upgrade bore the header that says so.
   */
  accept(ws: WebSocket, remote: string, peerHasKeys: boolean): void {
    if (this.#events === null) return turnAway(ws, TRY_AGAIN_LATER, "not open");
    if (ws.protocol !== SUBPROTOCOL)
      return this.#turnAway(ws, "bad-frame", `no subprotocol ${SUBPROTOCOL} (${remote})`);
    if (ws.readyState !== ws.OPEN) return;
    this.#accept(new WsConnection(ws, { remote, peerHasKeys }));
  }

  /** Reports someone refused, also before there was a socket: a wrong token, say. */
  refuse(refusal: PeerRefusal, detail: string, stranger?: PeerStranger): void {
    this.#events?.onRefused(refusal, detail, stranger);
  }

  broadcast(heartbeat: Heartbeat): number {
    const nowMonoMs = this.#clock.monoMs();
    let sent = 0;
    for (const link of this.#links) {
      const socket = bestSocket(link.sockets, nowMonoMs);
      if (socket === null || socket.bufferedBytes > MAX_BUFFERED_BEFORE_HEARTBEAT_BYTES) continue;
      const text = textFor(socket, heartbeat);
      if (text === null) continue;
      socket.send(text);
      sent++;
    }
    return sent;
  }

  send(message: PeerMessage): boolean {
    const socket = bestSocket(this.#openSockets(), this.#clock.monoMs());
    if (socket === null) return false;
    const text = textFor(socket, message);
    if (text === null) return false;
    const bytes = Buffer.byteLength(text) + SEAL_BYTES;
    if (bytes > MAX_FRAME_BYTES) {
      this.refuse("too-large", `own ${message.type} of ${bytes} bytes, ${MAX_FRAME_BYTES} can be sent`);
      return false;
    }
    if (socket.bufferedBytes + bytes > MAX_BUFFERED_BYTES) return false;
    socket.send(text);
    return true;
  }

  links(): readonly LinkStatus[] {
    return this.#links.map((link) => link.status());
  }

  /** Ends every socket; no event comes any more. */
  async close(): Promise<void> {
    this.#events = null;
    this.#watch.close();
    for (const link of this.#links) link.stop();
    const closing = this.#ways.map(async (way) => way.close());
    const ends = [...this.#sockets.keys()].map((socket) => {
      socket.close(GOING_AWAY, "stopped");
      return socket.ended;
    });
    await Promise.all([...ends, ...closing]);
  }

  #dial(link: PeerLink, way: Link): PeerSocket {
    const socket = this.#socket(way.dial(), "dialer", link.name);
    this.#sockets.set(socket, link);
    return socket;
  }

  #accept(connection: LinkConnection): void {
    if (this.#events === null) return connection.drop();
    this.#sockets.set(this.#socket(connection, "acceptor", ""), null);
    this.#boundPending();
  }

  #socket(connection: LinkConnection, side: Side, link: string): PeerSocket {
    assert(this.#self !== null, "sockets are made after open");
    const { pair, label } = this.#init;
    const self = { ...this.#self, pair, label, link };
    const makeHandshake = (bothHaveKeys: boolean): Handshake => {
      const signatures = bothHaveKeys ? this.#signatures : null;
      return new Handshake({ secret: this.#secret, signatures, randomBytes }, side, self);
    };
    const handshakeMs = side === "dialer" ? DIAL_HANDSHAKE_MS : ACCEPT_HANDSHAKE_MS;
    const components = { connection, clock: this.#clock, owner: this.#owner, makeHandshake };
    return new PeerSocket(components, { side, handshakeMs });
  }

  readonly #owner: PeerSocketOwner = {
    judge: (hello) => this.#gate.judge(hello),
    admit: (socket, hello) => this.#admit(socket, hello),
    onText: (socket, text, receivedAtMonoMs) => this.#onText(socket, text, receivedAtMonoMs),
    onRefused: (socket, refusal, detail, stranger) => {
      if (!socket.open) this.#sockets.get(socket)?.noteRefusal();
      this.refuse(refusal, detail, stranger);
    },
    onRefusedByPeer: (socket, reason) => this.#events?.onRefusedByPeer(`${reason} (${socket.remote})`),
    onClosed: (socket, end) => this.#onClosed(socket, end),
  };

  /** Lets a proven socket in; only now does it replace others. Sockets of an older incarnation end before the link is told to be up. */
  #admit(socket: PeerSocket, hello: PeerIdentity): TurnedAway | null {
    const link = this.#sockets.get(socket) ?? this.#linkNamed(hello.link);
    const turned = this.#gate.admit(hello, (peer) => this.#events?.onFirstContact(peer) ?? false);
    if (turned !== null) {
      link.noteRefusal();
      return turned;
    }
    for (const other of [...this.#openSockets()]) if (other.peer?.incarnation !== hello.incarnation) other.drop();
    this.#sockets.set(socket, link);
    this.#rejected.delete(link);
    const wasUp = link.up;
    link.add(socket)?.drop();
    const { engineId, incarnation, version } = hello;
    if (!wasUp) this.#events?.onLinkUp(link.name, { engineId, incarnation, version });
    return null;
  }

  /** The link of that name; the first where the two configurations do not agree on names. */
  #linkNamed(name: string): PeerLink {
    const link = this.#links.find((candidate) => candidate.name === name) ?? this.#links[0];
    assert(link !== undefined, "a peer channel has at least one link");
    return link;
  }

  #onText(socket: PeerSocket, text: string, receivedAtMonoMs: number): void {
    const sender = socket.peer;
    const link = this.#sockets.get(socket);
    if (sender === null || !link) return;
    const decoded = decodeMessage(text);
    if (decoded.outcome === "refused") {
      return this.refuse(decoded.outOfReach ? "out-of-reach" : "bad-frame", `the peer sent ${decoded.reason}`);
    }
    const sifted = this.#gate.sift(decoded.value, sender);
    if (sifted === "duplicate") return;
    if (sifted === "deliver") this.#events?.onMessage(decoded.value, { link: link.name, receivedAtMonoMs });
    else this.refuse(sifted.refusal, sifted.detail);
  }

  #onClosed(socket: PeerSocket, end: SocketEnd): void {
    const link = this.#sockets.get(socket);
    this.#sockets.delete(socket);
    if (!link) return;
    const wasUp = link.up;
    if (end === "turned-away") link.noteRefusal();
    link.remove(socket);
    if (wasUp && !link.up) this.#events?.onLinkDown(link.name, end !== "ours");
  }

  #onRejected(link: PeerLink, host: string, status: number): void {
    link.noteRefusal();
    if (this.#rejected.has(link) || (status !== 401 && status !== 403)) return;
    this.#rejected.add(link);
    this.refuse("bad-token", `the peer at ${host} answered ${status} to this engine's token`);
  }

  /** With too many in the handshake, drops the oldest of the address that holds most of them. */
  #boundPending(): void {
    const byHost = new Map<string, PeerSocket[]>();
    let pending = 0;
    for (const socket of this.#sockets.keys()) {
      if (socket.side !== "acceptor" || socket.open) continue;
      pending++;
      const host = socket.remote.replace(/:\d*$/, "");
      byHost.set(host, [...(byHost.get(host) ?? []), socket]);
    }
    if (pending <= MAX_PENDING) return;
    const [crowd] = [...byHost.values()].sort((one, other) => other.length - one.length);
    crowd?.[0]?.refuse("too-many", `more than ${MAX_PENDING} sockets are shaking hands`);
  }

  *#openSockets(): Generator<PeerSocket> {
    for (const socket of this.#sockets.keys()) if (socket.open) yield socket;
  }

  #turnAway(ws: WebSocket, refusal: PeerRefusal, detail: string): void {
    this.refuse(refusal, detail);
    turnAway(ws, CLOSE_CODES[refusal], refusal);
  }
}

/** A message as the peer at the other end of `socket` knows it; null: it does not know such a message. */
function textFor(socket: PeerSocket, message: PeerMessage): string | null {
  return socket.isOfVersionBefore ? encodeForVersionBefore(message) : encodeMessage(message);
}

/** Ends a socket that nobody will own: says why, and does not wait for an answer. */
function turnAway(ws: WebSocket, code: number, reason: string): void {
  ws.on("error", () => undefined);
  ws.close(code, reason);
  ws.terminate();
}
