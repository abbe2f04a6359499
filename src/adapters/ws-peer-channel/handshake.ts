/**
 * How two engines prove to each other, on a fresh connection, who they are [ID1]. Each sends a hello with a nonce, its
 * public key, and a one-time X25519 share. Then each sends a proof over both hellos as they were sent: an HMAC-SHA256
 * under the peer token, which grants access, and an Ed25519 signature, which proves identity. The keys of the session come
 * from the token, both hellos and the secret that the two shares give.
 *
 * - The token and the private key never travel. A recorded handshake proves nothing later, since the other side's nonce is
 *   new. A proof cannot be sent back to its maker, since it names the side that made it.
 * - One who only relays a handshake between the two, with the token, cannot make or alter a frame: it lacks both shares.
 * - Without a token ("open mode", loopback only) the secret is the pair's name: anyone may knock, but only the pinned key
 *   comes in.
 * - An older version knows no keys. With one, both hellos go without key and share, and the proof is the HMAC alone; whether
 *   that counts is the gate's decision (`peer-gate.ts`).
 *
 * The simulator runs this same code over its own connections, with random bytes from the seed.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type KeyObject,
  timingSafeEqual,
  hash,
} from "node:crypto";
import { Type } from "typebox";
import type { Label } from "../../core/ids.ts";
import { idOf, oneOf, sha256Hex, strictAs, text } from "../../core/schema.ts";
import { KEY_FORM, peerLinkText, SIGNATURE_FORM } from "../../core/signature.ts";
import { faultFinder, type SchemaFault } from "../../json/schema-check.ts";
import type { PeerHello } from "../../ports/peer-channel.ts";
import type { Signatures } from "../../ports/basics.ts";
import { type IdentityRules, type PeerIdentity, trueIdentityRules } from "../peer-gate.ts";
import { assert } from "../../core/errors.ts";

/** Largest hello or proof, in bytes: what comes before trust is short. */
export const MAX_HANDSHAKE_BYTES = 4_096;

/** Which end of the connection. */
export type Side = "dialer" | "acceptor";

/** What every version sends first. */
interface PlainHello extends PeerHello {
  readonly type: "hello";
  readonly protocol: 1;
  readonly pair: string;
  readonly label: Label;
  /** The link that the dialer means, by the name both configurations give it; empty from the acceptor. */
  readonly link: string;
  readonly nonce: string;
}

interface KeyedHello extends PlainHello {
  /** Ed25519 public key. */
  readonly key: string;
  /** One-time X25519 public key. */
  readonly share: string;
}

interface PlainProof {
  readonly type: "proof";
  readonly mac: string;
}

/** In the handshake of two that have keys. */
interface KeyedProof extends PlainProof {
  readonly signature: string;
}

/** What a proof turned out to be. */
export type ProofOutcome = "proven" | "bad-token" | "bad-proof";

/** The keys of one session, one a direction: 64 hexadecimal digits each. */
export interface SessionKeys {
  readonly sealing: string;
  readonly opening: string;
}

export interface HandshakeComponents {
  readonly secret: KeyObject;
  /** This engine's key pair; null: it has none, or the other side is of a version without. */
  readonly signatures: Signatures | null;
  readonly randomBytes: (bytes: number) => Buffer;
  readonly rules?: Pick<IdentityRules, "signedText">;
}

const publicKey = Type.String({ pattern: KEY_FORM.source });
const plainFields = {
  type: Type.Literal("hello"),
  protocol: Type.Literal(1),
  pair: text(1, 256),
  label: oneOf("a", "b"),
  link: text(0, 256),
  engineId: idOf("engine"),
  incarnation: idOf("incarnation"),
  version: text(1, 64),
  nonce: sha256Hex,
};
const plainHelloFault = faultFinder(strictAs<PlainHello>(plainFields));
const keyedHelloFault = faultFinder(strictAs<KeyedHello>({ ...plainFields, key: publicKey, share: publicKey }));
const plainProofFault = faultFinder(strictAs<PlainProof>({ type: Type.Literal("proof"), mac: sha256Hex }));
const keyedProofFault = faultFinder(
  strictAs<KeyedProof>({
    type: Type.Literal("proof"),
    mac: sha256Hex,
    signature: Type.String({ pattern: SIGNATURE_FORM.source }),
  }),
);

/** The secret that both engines of a pair share. */
export function channelSecret(token: string | null, pair: string): KeyObject {
  const secret = token === null ? `open mode of pair ${pair}` : `token ${token}`;
  return createSecretKey(createHmac("sha256", "changeover.v1").update(secret).digest());
}

/** The proof that one holds the peer token, over both hellos, the dialer's first. */
export function tokenProof(secret: KeyObject, side: Side, hellos: readonly [string, string]): string {
  return derive(secret, `proof of ${side}`, hellos).toString("hex");
}

/** Bound to both hellos word for word; JSON on one line holds no line break. */
function derive(secret: KeyObject, purpose: string, hellos: readonly [string, string]): Buffer {
  return createHmac("sha256", secret)
    .update([purpose, ...hellos].join("\n"))
    .digest();
}

/** One handshake, seen from one end. Used in order: `ownHello`, `takeHello`, `ownProof`, `prove`, `keys`. */
export class Handshake {
  readonly ownHello: string;
  readonly #components: HandshakeComponents;
  readonly #side: Side;
  readonly #ownShare: KeyObject | null;
  #peerHello = "";
  #peerKey: string | null = null;
  #shared = "";

  constructor(
    components: HandshakeComponents,
    side: Side,
    self: PeerHello & { readonly pair: string; readonly label: Label; readonly link: string },
  ) {
    this.#components = components;
    this.#side = side;
    const { randomBytes, signatures } = components;
    const { pair, label, link, engineId, incarnation, version } = self;
    const nonce = randomBytes(32).toString("hex");
    const hello: PlainHello = { type: "hello", protocol: 1, pair, label, link, engineId, incarnation, version, nonce };
    this.#ownShare = signatures === null ? null : privateShare(randomBytes(32));
    const keyed = { key: signatures?.key, share: this.#ownShare === null ? undefined : rawPublicKey(this.#ownShare) };
    // Both are left out of the text where they are undefined.
    this.ownHello = JSON.stringify({ ...hello, ...keyed });
  }

  /** Reads the other side's hello; a text says what is wrong with it. Not yet proven. */
  takeHello(frame: string): PeerIdentity | string {
    const hello = read<PlainHello | KeyedHello>(frame, (value) =>
      value !== null && typeof value === "object" && "key" in value ? keyedHelloFault(value) : plainHelloFault(value),
    );
    if (typeof hello === "string") return hello;
    const keyed = this.#ownShare !== null && "key" in hello ? hello : null;
    if (keyed !== null && this.#ownShare !== null) {
      const shared = agree(this.#ownShare, keyed.share);
      if (shared === null) return "/share: must be an X25519 public key";
      this.#shared = shared;
    }
    this.#peerHello = frame;
    this.#peerKey = keyed?.key ?? null;
    const { pair, label, link, engineId, incarnation, version } = hello;
    return { pair, label, link, engineId, incarnation, version, key: this.#peerKey };
  }

  /** The frame that proves this side. */
  ownProof(): string {
    const { secret, signatures } = this.#components;
    const mac = tokenProof(secret, this.#side, this.#hellos());
    const proof: PlainProof | KeyedProof =
      this.#peerKey === null || signatures === null
        ? { type: "proof", mac }
        : { type: "proof", mac, signature: signatures.sign(this.#signedText(this.#side)) };
    return JSON.stringify(proof);
  }

  /** Looks at the other side's proof: of the token first, then of the key that its hello named. */
  prove(frame: string): ProofOutcome {
    const { secret, signatures } = this.#components;
    const proof = read<PlainProof | KeyedProof>(frame, this.#peerKey === null ? plainProofFault : keyedProofFault);
    if (typeof proof === "string") return "bad-token";
    const other = otherSide(this.#side);
    if (!timingSafeEqual(Buffer.from(proof.mac), Buffer.from(tokenProof(secret, other, this.#hellos()))))
      return "bad-token";
    if (this.#peerKey === null || signatures === null || !("signature" in proof)) return "proven";
    return signatures.verify(this.#peerKey, this.#signedText(other), proof.signature) ? "proven" : "bad-proof";
  }

  keys(): SessionKeys {
    const keyOf = (side: Side): string =>
      derive(this.#components.secret, `frames of ${side}${this.#shared}`, this.#hellos()).toString("hex");
    return { sealing: keyOf(this.#side), opening: keyOf(otherSide(this.#side)) };
  }

  #signedText(side: Side): string {
    return (this.#components.rules ?? trueIdentityRules).signedText(peerLinkText(side, ...this.#hellos()));
  }

  /** The dialer's first. */
  #hellos(): [string, string] {
    return this.#side === "dialer" ? [this.ownHello, this.#peerHello] : [this.#peerHello, this.ownHello];
  }
}

function otherSide(side: Side): Side {
  return side === "dialer" ? "acceptor" : "dialer";
}

/** What stands before the 32 bytes of an X25519 private key in PKCS #8 (RFC 8410). */
const X25519_PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");

function privateShare(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([X25519_PKCS8, seed]), format: "der", type: "pkcs8" });
}

function rawPublicKey(key: KeyObject): string {
  return createPublicKey(key).export({ format: "jwk" }).x ?? "";
}

/** The shared secret, hexadecimal; null: the other share is none, or one of the few that give everybody the same secret. */
function agree(own: KeyObject, share: string): string | null {
  try {
    const theirs = createPublicKey({ key: { kty: "OKP", crv: "X25519", x: share }, format: "jwk" });
    return diffieHellman({ privateKey: own, publicKey: theirs }).toString("hex");
  } catch {
    return null;
  }
}

/** The frame as what `findFault` lets through, or what is wrong with it. */
function read<T>(frame: string, findFault: (value: unknown) => SchemaFault | null): T | string {
  if (frame.includes("\n")) return ": must be one line";
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    return ": must be JSON";
  }
  const fault = findFault(value);
  return fault === null ? (value as T) : `${fault.field}: ${fault.told}`;
}

// Frames of one session: `mac.counter.text`. The mac is that of `counter.text` under the key of its direction, the
// counter only rises. A frame that opens was sealed by the other end of this very session, and opens once: what was
// recorded, altered, injected, sent back to its sender, or taken from an older session does not.

/** What a frame turned out to be. */
export type OpenedFrame =
  | { readonly outcome: "opened"; readonly text: string }
  | { readonly outcome: "bad-frame" | "replayed"; readonly detail: string };

/** Seals the texts that one side sends in one session. */
export class FrameSealer {
  readonly #mac: Mac;
  #counter = 0;

  constructor(key: string) {
    this.#mac = new Mac(key);
  }

  seal(text: string): string {
    const counted = `${++this.#counter}.${text}`;
    return `${this.#mac.of(counted)}.${counted}`;
  }
}

/** Opens the frames that the other side sends in one session. */
export class FrameOpener {
  readonly #mac: Mac;
  #last = 0;

  constructor(key: string) {
    this.#mac = new Mac(key);
  }

  open(frame: string): OpenedFrame {
    const counted = frame.slice(MAC_CHARS + 1);
    const counterEnd = counted.indexOf(".");
    if (frame[MAC_CHARS] !== "." || counterEnd < 1) return { outcome: "bad-frame", detail: "not mac.counter.text" };
    if (!this.#mac.proves(frame.slice(0, MAC_CHARS), counted)) {
      return { outcome: "bad-frame", detail: "its mac is not of this session" };
    }
    const counter = Number(counted.slice(0, counterEnd));
    if (!(counter > this.#last)) return { outcome: "replayed", detail: `frame ${counter} after ${this.#last}` };
    this.#last = counter;
    return { outcome: "opened", text: counted.slice(counterEnd + 1) };
  }
}

// HMAC-SHA256 (RFC 2104), cut to 132 bits, for many short texts under one key. Two one-shot hashes cost a third of a
// `createHmac`, which makes two native objects each time. The key is text of 64 ASCII characters, one block of SHA-256,
// so that both padded keys are ASCII too, and the inner one simply stands before the text.

/** Characters of a mac: base64url. */
export const MAC_CHARS = 22;

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

export class Mac {
  readonly #innerKey: string;
  /** The padded outer key, and room for the inner digest behind it. */
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);

  /** @param key 64 hexadecimal digits */
  constructor(key: string) {
    assert(/^[0-9a-f]{64}$/.test(key), "the key of a mac is 64 hexadecimal digits");
    this.#innerKey = padded(key, INNER_PAD);
    this.#outer.write(padded(key, OUTER_PAD), "ascii");
  }

  of(text: string): string {
    this.#outer.write(hash("sha256", this.#innerKey + text, "hex"), BLOCK_BYTES, "hex");
    return hash("sha256", this.#outer, "base64url").slice(0, MAC_CHARS);
  }

  /** Whether `claimed` is the mac of `text`, in constant time. */
  proves(claimed: string, text: string): boolean {
    const bytes = Buffer.from(claimed);
    return bytes.length === MAC_CHARS && timingSafeEqual(bytes, Buffer.from(this.of(text)));
  }
}

function padded(key: string, pad: number): string {
  return String.fromCharCode(...Array.from(key, (digit) => digit.charCodeAt(0) ^ pad));
}
