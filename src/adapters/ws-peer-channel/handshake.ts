/**
 * Purpose: how two engines prove to each other, on a fresh socket, that both hold the peer token. Each sends a hello
 * with a nonce, then an HMAC-SHA256 over both hellos as they were sent; the keys of the session come from the same two.
 * Keeps true: the token never travels here; a recorded handshake proves nothing later, since the other side's nonce is
 * new; a proof cannot be sent back to its maker, since it names the side that made it.
 * Without a token ("open mode", loopback only) the secret is the pair's name: framing and counters still hold, but
 * anyone who can connect can take part.
 */
import { type KeyObject, createHmac, createSecretKey, randomBytes, timingSafeEqual } from "node:crypto";
import type { Label } from "../../core/ids.ts";
import { type Check, exactly, idOf, matching, oneOf, shape, text } from "../../core/shape.ts";
import type { PeerHello } from "../../ports/peer-channel.ts";
import type { PeerIdentity } from "../peer-gate.ts";

/** Largest hello or proof, in bytes: what comes before trust is short. */
export const MAX_HANDSHAKE_BYTES = 4_096;

/** Which end of the socket. */
export type Side = "dialer" | "acceptor";

/** The first frame of either side. */
interface Hello extends PeerIdentity {
  readonly type: "hello";
  readonly protocol: 1;
  /** The link that the dialer means, by the name both configurations give it; empty from the acceptor. */
  readonly link: string;
  readonly nonce: string;
}

interface Proof {
  readonly type: "proof";
  readonly mac: string;
}

/** The keys of one session, one a direction: 64 hexadecimal digits each. */
export interface SessionKeys {
  readonly sealing: string;
  readonly opening: string;
}

const hexOf32Bytes = matching(/^[0-9a-f]{64}$/, "64 hexadecimal digits");

const checkHello = shape<Hello>({
  type: exactly("hello"),
  protocol: exactly(1),
  pair: text(1, 256),
  label: oneOf("a", "b"),
  link: text(0, 256),
  engineId: idOf("engine"),
  incarnation: idOf("incarnation"),
  version: text(1, 64),
  nonce: hexOf32Bytes,
});

const checkProof = shape<Proof>({ type: exactly("proof"), mac: hexOf32Bytes });

/** The secret that both engines of a pair share. */
export function channelSecret(token: string | null, pair: string): KeyObject {
  const secret = token === null ? `open mode of pair ${pair}` : `token ${token}`;
  return createSecretKey(createHmac("sha256", "changeover.v1").update(secret).digest());
}

/** One handshake, seen from one end. Used in order: `ownHello`, `takeHello`, `ownProof`, `proves`, `keys`. */
export class Handshake {
  readonly ownHello: string;
  readonly #secret: KeyObject;
  readonly #side: Side;
  #peerHello = "";

  constructor(secret: KeyObject, side: Side, self: PeerHello & { pair: string; label: Label; link: string }) {
    this.#secret = secret;
    this.#side = side;
    const { pair, label, link, engineId, incarnation, version } = self;
    const nonce = randomBytes(32).toString("hex");
    const hello: Hello = { type: "hello", protocol: 1, pair, label, link, engineId, incarnation, version, nonce };
    this.ownHello = JSON.stringify(hello);
  }

  /** Reads the other side's hello; a text says what is wrong with it. Not yet proven. */
  takeHello(frame: string): Hello | string {
    const hello = read<Hello>(frame, checkHello);
    if (typeof hello !== "string") this.#peerHello = frame;
    return hello;
  }

  /** The frame that proves this side. */
  ownProof(): string {
    const proof: Proof = { type: "proof", mac: this.#derive(`proof of ${this.#side}`).toString("hex") };
    return JSON.stringify(proof);
  }

  /** Whether a frame is the other side's proof. */
  proves(frame: string): boolean {
    const proof = read<Proof>(frame, checkProof);
    if (typeof proof === "string") return false;
    return timingSafeEqual(Buffer.from(proof.mac, "hex"), this.#derive(`proof of ${otherSide(this.#side)}`));
  }

  keys(): SessionKeys {
    const keyOf = (side: Side): string => this.#derive(`frames of ${side}`).toString("hex");
    return { sealing: keyOf(this.#side), opening: keyOf(otherSide(this.#side)) };
  }

  /** Bound to both hellos word for word, dialer's first; JSON on one line holds no line break. */
  #derive(purpose: string): Buffer {
    const hellos = this.#side === "dialer" ? [this.ownHello, this.#peerHello] : [this.#peerHello, this.ownHello];
    return createHmac("sha256", this.#secret)
      .update([purpose, ...hellos].join("\n"))
      .digest();
  }
}

function otherSide(side: Side): Side {
  return side === "dialer" ? "acceptor" : "dialer";
}

/** The frame as what `check` asks for, or what is wrong with it. */
function read<T>(frame: string, check: Check): T | string {
  if (frame.includes("\n")) return " must be one line";
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    return " must be JSON";
  }
  const wrong = check(value);
  return wrong === null ? (value as T) : wrong;
}
