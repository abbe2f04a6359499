/**
 * What a signature is of, and how it is written: `<public key>.<signature>`, both base64url.
 * What is signed for one purpose is never valid for another; the purpose stands before the text.
 * It does not know whose key it is (`replication/seals.ts`), nor how signing works (`ports/basics.ts`).
 */
import { canonicalJson } from "./canonical-json.ts";

/** A public key in base64url. */
export const KEY_FORM = /^[A-Za-z0-9_-]{43}$/;
/** A signature in base64url. */
export const SIGNATURE_FORM = /^[A-Za-z0-9_-]{86}$/;

const SEAL = /^([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{86})$/;

/** A key, and what it signed. */
export interface Seal {
  readonly key: string;
  readonly signature: string;
}

/** Whether a value is written as a seal. */
export function isSeal(value: unknown): value is string {
  return typeof value === "string" && SEAL.test(value);
}

/** Throws nothing; null for any other text. */
export function readSeal(text: string): Seal | null {
  const [, key, signature] = SEAL.exec(text) ?? [];
  return key === undefined || signature === undefined ? null : { key, signature };
}

export function formatSeal({ key, signature }: Seal): string {
  return `${key}.${signature}`;
}

/** What is signed of an operation: its checksum covers all of it. */
export function sealedOpText(checksum: string): string {
  return `changeover operation ${checksum}`;
}

/**
 * What both ends of a peer link sign [ID1]: who signs, and both hellos as they were sent. They hold both nonces, ids,
 * keys and labels, the pair and the link, so that what is signed on one connection is worth nothing on another.
 */
export function peerLinkText(side: "dialer" | "acceptor", dialerHello: string, acceptorHello: string): string {
  return `changeover peer link\n${side}\n${dialerHello}\n${acceptorHello}`;
}

/** Hexadecimal digits of a fingerprint: 128 bits. */
const FINGERPRINT_DIGITS = 32;

/** What people are shown of a public key, compare, and pin: `sha256:` and 32 hexadecimal digits. */
export function fingerprintOf(digest: { sha256Of(text: string): string }, key: string): string {
  return `sha256:${digest.sha256Of(key).slice(0, FINGERPRINT_DIGITS)}`;
}

/** What an engine signs to prove that it holds its key to one that asks with `challenge`. */
export function identityText(
  identity: { readonly hubId: string; readonly engineId: string; readonly generation: string },
  challenge: string,
): string {
  const { hubId, engineId, generation } = identity;
  return `changeover identity ${canonicalJson({ challenge, engineId, generation, hubId })}`;
}
