/**
 * One connection of a link, from the handshake to its end.
 * Nothing is handed on before both sides are proven [ID1], nor after the end. Every frame handed on was sealed in this
 * session. The end is told once. A socket that does not prove itself in time is dropped. No error goes unheard.
 * Links, other sockets, and what a message means are not its business.
 */
import type { Clock, TimerHandle, Random } from "../../ports/basics.ts";
import { FIRST_REFUSAL_CODE, type LinkConnection, MAX_FRAME_BYTES } from "../../ports/link.ts";
import type { PeerHello, PeerRefusal, PeerStranger, LinkStatus } from "../../ports/peer-channel.ts";
import type { PeerIdentity, TurnedAway } from "../peer-gate.ts";
import { FrameOpener, FrameSealer, type Handshake, MAX_HANDSHAKE_BYTES, type Side } from "./handshake.ts";
import { backoffMs } from "../../core/failure-detector.ts";

/** Close codes of those refused: HTTP's status of the same meaning, plus 4000. */
export const CLOSE_CODES: Readonly<Record<PeerRefusal, number>> = {
  "bad-frame": 4400,
  "bad-token": 4401,
  "bad-proof": 4402,
  "wrong-engine": 4403,
  "wrong-pair": 4404,
  "wrong-key": 4405,
  replayed: 4408,
  "own-label": 4409,
  "too-large": 4413,
  "out-of-reach": 4422,
  "no-key": 4426,
  "too-many": 4429,
};

/** What an engine answers that has pinned another one than this. */
const STRANGER_CODES: ReadonlySet<number> = new Set([CLOSE_CODES["wrong-engine"], CLOSE_CODES["wrong-key"]]);

/** How long the other side may take to answer a close before the socket is torn down. */
const CLOSE_GRACE_MS = 250;

/** Frames that do not open, after which the socket is closed: each is dropped, but someone is trying. */
const MAX_BAD_FRAMES = 16;

/** What the owner of a socket decides and hears. */
export interface PeerSocketOwner {
  /** Before the proof: may the one who says so go on? */
  judge(hello: PeerIdentity): TurnedAway | null;
  /** After the proof of token and key: is it let in? `hello.link` is the name in the dialer's hello. */
  admit(socket: PeerSocket, hello: PeerIdentity): TurnedAway | null;
  onText(socket: PeerSocket, text: string, receivedAtMonoMs: number): void;
  /** `stranger` is given when the other side proved the key that it is refused for. */
  onRefused(socket: PeerSocket, refusal: PeerRefusal, detail: string, stranger?: PeerStranger): void;
  /** The other side proved itself, was let in, and then refused this one because it has pinned another. */
  onRefusedByPeer(socket: PeerSocket, reason: string): void;
  onClosed(socket: PeerSocket, end: SocketEnd): void;
}

/** Who ended a socket: this side, the other (or the network), or the other by turning this side away. */
export type SocketEnd = "ours" | "theirs" | "turned-away";

export interface PeerSocketInit {
  readonly side: Side;
  /** From the first moment to the proof. */
  readonly handshakeMs: number;
}

type Stage =
  | { readonly name: "hello" }
  | { readonly name: "proof"; readonly hello: PeerIdentity }
  | { readonly name: "open"; readonly sealer: FrameSealer; readonly opener: FrameOpener }
  | { readonly name: "closed" };

export class PeerSocket {
  readonly side: Side;
  readonly remote: string;
  /** The last moment at which anything came; the owner may move it on after a pause of its own process. */
  lastHeardMonoMs: number;
  /** When both sides had proven themselves. */
  openSinceMonoMs = Number.POSITIVE_INFINITY;
  /** Fulfilled once the socket is gone. */
  readonly ended: Promise<void>;
  readonly #connection: LinkConnection;
  readonly #clock: Clock;
  readonly #owner: PeerSocketOwner;
  readonly #makeHandshake: (peerHasKeys: boolean) => Handshake;
  #handshake: Handshake | null = null;
  #stage: Stage = { name: "hello" };
  #isOfVersionBefore = false;
  #peer: PeerHello | null = null;
  #badFrames = 0;
  #timer: TimerHandle;

  constructor(
    components: {
      readonly connection: LinkConnection;
      readonly clock: Clock;
      readonly owner: PeerSocketOwner;
      readonly makeHandshake: (peerHasKeys: boolean) => Handshake;
    },
    init: PeerSocketInit,
  ) {
    this.#connection = components.connection;
    this.#clock = components.clock;
    this.#owner = components.owner;
    this.#makeHandshake = components.makeHandshake;
    this.side = init.side;
    this.remote = components.connection.remote;
    this.lastHeardMonoMs = this.#clock.monoMs();
    this.#timer = this.#clock.setTimeout(() => this.drop(), init.handshakeMs);
    this.ended = new Promise((resolve) => this.#listen(resolve));
  }

  /** Who is at the other end; only once it is open. */
  get peer(): PeerHello | null {
    return this.#peer;
  }

  get open(): boolean {
    return this.#stage.name === "open";
  }

  /** Whether the other end is of the version before, which had no keys and refuses a message with a field it does not know. */
  get isOfVersionBefore(): boolean {
    return this.#isOfVersionBefore;
  }

  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  /** Seals and sends. Only while open. */
  send(text: string): void {
    if (this.#stage.name === "open") this.#connection.send(this.#stage.sealer.seal(text));
  }

  /** Asks for a sign of life; it is heard like a message. */
  ping(): void {
    if (this.#stage.name === "open") this.#connection.ping();
  }

  /** Refuses the other side with the code of `refusal`. */
  refuse(refusal: PeerRefusal, detail: string, stranger?: PeerStranger): void {
    if (this.#stage.name === "closed") return;
    this.#owner.onRefused(this, refusal, `${detail} (${this.remote})`, stranger);
    this.close(CLOSE_CODES[refusal], refusal);
  }

  /** Closes politely; torn down when that is not answered in time. */
  close(code: number, reason: string): void {
    if (this.#stage.name === "closed") return;
    this.#end("ours");
    this.#timer = this.#clock.setTimeout(() => this.#connection.drop(), CLOSE_GRACE_MS);
    this.#connection.close(code, reason);
  }

  /** Tears the socket down at once. */
  drop(): void {
    if (this.#stage.name === "closed") return;
    this.#end("ours");
    this.#connection.drop();
  }

  #listen(ended: () => void): void {
    this.#connection.listen({
      onOpen: (peerHasKeys) => this.#greet(peerHasKeys),
      onFrame: (frame) => this.#onFrame(frame, this.#clock.monoMs()),
      onSignOfLife: () => {
        this.lastHeardMonoMs = this.#clock.monoMs();
      },
      onBadFrame: (why) => {
        if (why === "binary") this.refuse("bad-frame", "a binary frame");
        else this.refuse("too-large", `a frame of more than ${MAX_FRAME_BYTES} bytes`);
      },
      onEnd: (code, reason) => {
        if (this.open && STRANGER_CODES.has(code)) this.#owner.onRefusedByPeer(this, reason);
        this.#end(code >= FIRST_REFUSAL_CODE ? "turned-away" : "theirs");
        this.#clock.clearTimeout(this.#timer);
        ended();
      },
    });
  }

  #greet(peerHasKeys: boolean): void {
    if (this.#stage.name === "closed") return;
    this.#handshake = this.#makeHandshake(peerHasKeys);
    this.#connection.send(this.#handshake.ownHello);
  }

  #onFrame(frame: string, receivedAtMonoMs: number): void {
    this.lastHeardMonoMs = receivedAtMonoMs;
    const stage = this.#stage;
    const handshake = this.#handshake;
    if (stage.name === "closed" || handshake === null) return;
    if (stage.name === "open") return this.#onSealed(frame, stage.opener, receivedAtMonoMs);
    const bytes = Buffer.byteLength(frame);
    if (bytes > MAX_HANDSHAKE_BYTES) {
      return this.refuse("too-large", `a frame of ${bytes} bytes, ${MAX_HANDSHAKE_BYTES} are read`);
    }
    if (stage.name === "hello") this.#onHello(frame, handshake);
    else this.#onProof(frame, handshake, stage.hello);
  }

  #onHello(frame: string, handshake: Handshake): void {
    const hello = handshake.takeHello(frame);
    if (typeof hello === "string") return this.refuse("bad-frame", `hello${hello}`);
    const turned = this.#owner.judge(hello);
    if (turned !== null) return this.refuse(turned.refusal, turned.detail);
    this.#stage = { name: "proof", hello };
    this.#connection.send(handshake.ownProof());
  }

  #onProof(frame: string, handshake: Handshake, hello: PeerIdentity): void {
    const { engineId, incarnation, version, key } = hello;
    switch (handshake.prove(frame)) {
      case "bad-token":
        return this.refuse("bad-token", `${engineId} could not prove that it holds the peer token`);
      case "bad-proof":
        return this.refuse("bad-proof", `${engineId} could not prove that it holds the key it showed`);
      case "proven":
    }
    const { sealing, opening } = handshake.keys();
    this.#isOfVersionBefore = key === null;
    this.#peer = { engineId, incarnation, version };
    this.#stage = { name: "open", sealer: new FrameSealer(sealing), opener: new FrameOpener(opening) };
    this.#clock.clearTimeout(this.#timer);
    this.openSinceMonoMs = this.#clock.monoMs();
    const turned = this.#owner.admit(this, hello);
    if (turned === null) return;
    const stranger = key === null ? undefined : { engineId, key, version, remote: this.remote };
    this.refuse(turned.refusal, turned.detail, stranger);
  }

  #onSealed(frame: string, opener: FrameOpener, receivedAtMonoMs: number): void {
    const opened = opener.open(frame);
    if (opened.outcome === "opened") return this.#owner.onText(this, opened.text, receivedAtMonoMs);
    this.#badFrames++;
    if (this.#badFrames >= MAX_BAD_FRAMES) this.refuse(opened.outcome, `${this.#badFrames} frames did not open`);
    else this.#owner.onRefused(this, opened.outcome, `${opened.detail} (${this.remote})`);
  }

  #end(end: SocketEnd): void {
    if (this.#stage.name === "closed") return;
    this.#stage = { name: "closed" };
    this.#clock.clearTimeout(this.#timer);
    this.#owner.onClosed(this, end);
  }
}

// Ends sockets on which nothing comes any more. A cut cable closes nothing, and TCP may take minutes to find its way
// back through an old connection; a fresh one is there at once. A pause of this very process is not mistaken for
// silence of the other; one timer, whatever the number of sockets.

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

// One configured way to the peer: the sockets that are open on it, and the dialling while none is. At most one dial
// under way, and at most one open socket per dialling side (each side dials only while it sees no open socket, so a
// second one from the same side means that it gave the first up); a peer that comes back is dialled within 250 ms.

/** Wait before a dial: this, and a back-off with full jitter on top. */
const LEAST_REDIAL_MS = 20;
const REDIAL = { baseMs: 60, capMs: 230 } as const;

/** Wait after someone was refused: nothing changes until a person repairs it. */
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

  /** Anyone who was dialled was refused, or turned this engine away. */
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
