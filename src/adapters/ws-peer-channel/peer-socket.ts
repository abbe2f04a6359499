/**
 * One WebSocket from the handshake to its end.
 * Nothing is handed on before both sides are proven [ID1], nor after the end. Every frame handed on was sealed in this
 * session. The end is told once. A socket that does not prove itself in time is dropped. No error goes unheard.
 * Links, other sockets, and what a message means are not its business.
 */
import type { RawData, WebSocket } from "ws";
import type { Clock, TimerHandle } from "../../ports/clock.ts";
import type { PeerHello, PeerRefusal, PeerStranger } from "../../ports/peer-channel.ts";
import type { PeerIdentity, TurnedAway } from "../peer-gate.ts";
import { KEYS_HEADER } from "./dial.ts";
import { FrameOpener, FrameSealer, MAX_FRAME_BYTES } from "./frame.ts";
import { type Handshake, MAX_HANDSHAKE_BYTES, type Side } from "./handshake.ts";

/** Close codes of those turned away: HTTP's status of the same meaning, plus 4000. */
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

const REFUSAL_CODES: ReadonlySet<number> = new Set(Object.values(CLOSE_CODES));

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
  /** Where it leads or comes from, for people. */
  readonly remote: string;
  /** From the first moment to the proof. */
  readonly handshakeMs: number;
  /** Whether the other side's upgrade said that it has keys; null: the dialer learns it from the answer. */
  readonly peerHasKeys: boolean | null;
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
  readonly #ws: WebSocket;
  readonly #clock: Clock;
  readonly #owner: PeerSocketOwner;
  readonly #makeHandshake: (peerHasKeys: boolean) => Handshake;
  #handshake: Handshake | null = null;
  #stage: Stage = { name: "hello" };
  #peer: PeerHello | null = null;
  #badFrames = 0;
  #timer: TimerHandle;

  constructor(
    components: {
      readonly ws: WebSocket;
      readonly clock: Clock;
      readonly owner: PeerSocketOwner;
      readonly makeHandshake: (peerHasKeys: boolean) => Handshake;
    },
    init: PeerSocketInit,
  ) {
    this.#ws = components.ws;
    this.#clock = components.clock;
    this.#owner = components.owner;
    this.#makeHandshake = components.makeHandshake;
    this.side = init.side;
    this.remote = init.remote;
    this.lastHeardMonoMs = this.#clock.monoMs();
    this.#timer = this.#clock.setTimeout(() => this.drop(), init.handshakeMs);
    this.ended = new Promise((resolve) => void this.#ws.once("close", () => resolve()));
    this.#listen();
    if (init.peerHasKeys !== null) this.#greet(init.peerHasKeys);
  }

  /** Who is at the other end; only once it is open. */
  get peer(): PeerHello | null {
    return this.#peer;
  }

  get open(): boolean {
    return this.#stage.name === "open";
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount;
  }

  /** Seals and sends. Only while open. */
  send(text: string): void {
    if (this.#stage.name === "open") this.#ws.send(this.#stage.sealer.seal(text));
  }

  /** Asks for a sign of life; it is heard like a message. */
  ping(): void {
    if (this.#stage.name === "open") this.#ws.ping();
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
    this.#timer = this.#clock.setTimeout(() => this.#ws.terminate(), CLOSE_GRACE_MS);
    this.#ws.close(code, reason);
  }

  /** Tears the socket down at once. */
  drop(): void {
    if (this.#stage.name === "closed") return;
    this.#end("ours");
    this.#ws.terminate();
  }

  #listen(): void {
    // It comes just before "open"; until then nothing can be sent.
    this.#ws.on("upgrade", ({ headers }) => {
      this.#ws.once("open", () => this.#greet(headers[KEYS_HEADER] !== undefined));
    });
    this.#ws.on("message", (data, isBinary) => this.#onFrame(data, isBinary, this.#clock.monoMs()));
    this.#ws.on("ping", () => this.#heard());
    this.#ws.on("pong", () => this.#heard());
    this.#ws.on("error", (error: NodeJS.ErrnoException) => this.#onError(error));
    this.#ws.on("close", (code, reason) => {
      if (this.open && STRANGER_CODES.has(code)) this.#owner.onRefusedByPeer(this, reason.toString());
      this.#end(REFUSAL_CODES.has(code) ? "turned-away" : "theirs");
      this.#clock.clearTimeout(this.#timer);
    });
  }

  #greet(peerHasKeys: boolean): void {
    this.#handshake = this.#makeHandshake(peerHasKeys);
    this.#ws.send(this.#handshake.ownHello);
  }

  #heard(): void {
    this.lastHeardMonoMs = this.#clock.monoMs();
  }

  /** Every error is followed by `close`; only a frame beyond the bound is somebody's doing. */
  #onError(error: NodeJS.ErrnoException): void {
    if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") {
      this.refuse("too-large", `a frame of more than ${MAX_FRAME_BYTES} bytes`);
    }
  }

  #onFrame(data: RawData, isBinary: boolean, receivedAtMonoMs: number): void {
    this.lastHeardMonoMs = receivedAtMonoMs;
    const stage = this.#stage;
    const handshake = this.#handshake;
    if (stage.name === "closed" || handshake === null) return;
    const bytes = data as Buffer;
    if (isBinary) return this.refuse("bad-frame", "a binary frame");
    const maxBytes = stage.name === "open" ? MAX_FRAME_BYTES : MAX_HANDSHAKE_BYTES;
    if (bytes.length > maxBytes)
      return this.refuse("too-large", `a frame of ${bytes.length} bytes, ${maxBytes} are read`);
    const frame = bytes.toString("utf8");
    switch (stage.name) {
      case "hello":
        return this.#onHello(frame, handshake);
      case "proof":
        return this.#onProof(frame, handshake, stage.hello);
      case "open":
        return this.#onSealed(frame, stage.opener, receivedAtMonoMs);
    }
  }

  #onHello(frame: string, handshake: Handshake): void {
    const hello = handshake.takeHello(frame);
    if (typeof hello === "string") return this.refuse("bad-frame", `hello${hello}`);
    const turned = this.#owner.judge(hello);
    if (turned !== null) return this.refuse(turned.refusal, turned.detail);
    this.#stage = { name: "proof", hello };
    this.#ws.send(handshake.ownProof());
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
