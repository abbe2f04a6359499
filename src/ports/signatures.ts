/** Purpose: this engine's own key pair, and whether somebody else's signature holds. Ed25519 (RFC 8032). */
export interface Signatures {
  /** This engine's public key: 43 characters of base64url. */
  readonly key: string;
  /** Signs a text with the private key, which nobody else sees: 86 characters of base64url. */
  sign(text: string): string;
  /** Whether the holder of `key` signed `text`. Whatever is malformed does not hold; never throws. */
  verify(key: string, text: string, signature: string): boolean;
}
