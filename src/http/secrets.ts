/**
 * Purpose: compares secrets without telling, by the time it takes, how much of a guess was right.
 * Keeps true: only hashes are kept, and every comparison looks at all of them.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { TokenSecret } from "../config/secrets.ts";
import type { TokenRole } from "../config/types.ts";

/** Who calls. `role` is null in open mode, where everybody may do everything. */
export interface Caller {
  /** The token's name, for the audit. */
  readonly name: string;
  readonly role: TokenRole | null;
}

/** Everybody, when no token is configured. */
export const ANYONE: Caller = { name: "open-mode", role: null };

const sha256 = (text: string): Buffer => createHash("sha256").update(text, "utf8").digest();

/** A function that says whether a guess is `secret`. */
export function secretMatcher(secret: string): (guess: string) => boolean {
  const hash = sha256(secret);
  return (guess) => timingSafeEqual(sha256(guess), hash);
}

/** A function that names the caller behind a token; null for an unknown one. */
export function tokenTable(tokens: readonly TokenSecret[]): (token: string) => Caller | null {
  const known = tokens.map(({ name, role, value }) => ({ caller: { name, role }, hash: sha256(value) }));
  return (token) => {
    const hash = sha256(token);
    let found: Caller | null = null;
    for (const entry of known) if (timingSafeEqual(entry.hash, hash)) found = entry.caller;
    return found;
  };
}
