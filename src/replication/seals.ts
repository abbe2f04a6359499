/**
 * Signatures of operations: own ones are signed as they leave, those of others are looked at as they come.
 * Keeps true: a signature belongs to the origin of an operation, not to those who pass it on. Each origin has one key: that of
 * its engine where this engine has spoken with it, else the one of its first operation that was taken
 * (docs/decisions/0012).
 * Does not know: what follows from a doubt (`intake.ts`).
 */
import type { Op } from "../core/operation.ts";
import { MAX_CLOCK_ENTRIES } from "../core/vector-clock.ts";
import { formatSeal, readSeal, sealedOpText } from "../core/signature.ts";
import { baseOrigin, type OwnOrigin } from "./own-origin.ts";
import type { PeerState } from "../ports/replica.ts";
import type { Signatures } from "../ports/basics.ts";

/**
 * `off`: nothing is signed and nothing looked at. `auto`: own operations are signed; those of an origin that has signed
 * before must be signed by the same key, others may come unsigned. `warn`: what does not hold is told and taken.
 * `enforce`: whatever is not signed is refused.
 */
export type SignatureMode = "off" | "auto" | "warn" | "enforce";

/** What speaks against the signature of an operation. */
export type SealDoubt = "unsigned" | "bad_signature";

/** The key that an origin is bound to, and who brought it; "" where its own engine proved it. */
interface Binding {
  readonly key: string;
  readonly via: string;
  /** Whether an operation that it signed was taken. */
  readonly signs: boolean;
}

const PREFIX = "origin:";

export class Seals {
  readonly mode: SignatureMode;
  readonly #signatures: Signatures | null;
  readonly #state: PeerState;
  readonly #own: OwnOrigin;
  /** What was looked up: each operation of a page asks for its origin. */
  readonly #bindings = new Map<string, Binding | null>();

  constructor(
    parts: { readonly signatures: Signatures | null; readonly peerState: PeerState },
    init: { readonly mode: SignatureMode; readonly own: OwnOrigin },
  ) {
    this.#signatures = parts.signatures;
    this.#state = parts.peerState;
    this.#own = init.own;
    this.mode = parts.signatures === null ? "off" : init.mode;
  }

  /** This engine's public key; null when it has none. */
  get key(): string | null {
    return this.#signatures?.key ?? null;
  }

  /** The same operations, own ones signed with the key of today. */
  leaving(ops: readonly Op[]): readonly Op[] {
    const signatures = this.#signatures;
    if (signatures === null || this.mode === "off") return ops;
    return ops.map((op) => {
      if (!this.#own.has(op.origin)) return op;
      const signature = signatures.sign(sealedOpText(op.checksum));
      return { ...op, signature: formatSeal({ key: signatures.key, signature }) };
    });
  }

  /** What speaks against a well-formed operation whose checksum holds; null when nothing does, or nobody looks. */
  doubt(op: Op): SealDoubt | null {
    if (this.#signatures === null || this.mode === "off") return null;
    const seal = readSeal(op.signature ?? "");
    if (seal === null) return this.mode === "auto" && !this.#mustSign(op.origin) ? null : "unsigned";
    // Own operations come back to an engine whose disk was lost, and to no other.
    const bound = this.#isOwn(op.origin) ? this.#signatures.key : this.#bindingOf(op.origin)?.key;
    if (bound !== undefined && bound !== seal.key) return "bad_signature";
    return this.#signatures.verify(seal.key, sealedOpText(op.checksum), seal.signature) ? null : "bad_signature";
  }

  /** Whether `op` bears a valid signature by the key that its origin is known to have. */
  proves(op: Op): boolean {
    const isKnown = this.#isOwn(op.origin) || this.#bindingOf(op.origin) !== null;
    return this.mode !== "off" && isKnown && readSeal(op.signature ?? "") !== null && this.doubt(op) === null;
  }

  /** An operation of an origin was taken whose signature holds: its first one binds the origin to that key. */
  learn(op: Op, via: string): void {
    if (this.mode === "off" || this.#isOwn(op.origin)) return;
    const seal = readSeal(op.signature ?? "");
    if (seal === null) return;
    const known = this.#bindingOf(op.origin);
    if (known === null) this.#keep(op.origin, { key: seal.key, via, signs: true });
    else if (!known.signs) this.#keep(op.origin, { ...known, signs: true });
  }

  /** Whether an operation is refused over a doubt. */
  get refuses(): boolean {
    return this.mode === "auto" || this.mode === "enforce";
  }

  /** An origin that has signed goes on signing: otherwise anyone who strips signatures could write for it. */
  #mustSign(origin: string): boolean {
    return !this.#isOwn(origin) && (this.#bindingOf(origin)?.signs ?? false);
  }

  /** The engine that writes as `origin` has proved that it holds `key`. */
  bind(origin: string, key: string): void {
    const signs = this.#bindingOf(origin)?.signs ?? false;
    this.#keep(origin, { key, via: "", signs });
  }

  /**
   * Forgets the key of `origin`, and all that were learnt from it: their next operations bind them again. Whether there
   * was one.
   */
  forget(origin: string): boolean {
    let found = false;
    for (const [name, value] of this.#state.withPrefix(PREFIX)) {
      if (name !== keyOf(origin) && parse(value)?.via !== origin) continue;
      this.#state.delete(name);
      found = true;
    }
    this.#bindings.clear();
    return found;
  }

  /** Whether who showed `identity` proved to hold its key. */
  holds(key: string, text: string, signature: string): boolean {
    return this.#signatures?.verify(key, text, signature) ?? false;
  }

  /** Signs for this engine; null when it has no key. */
  sign(text: string): string | null {
    return this.#signatures?.sign(text) ?? null;
  }

  /** Whether it is of this engine's own line, or says so. */
  #isOwn(origin: string): boolean {
    return baseOrigin(origin) === baseOrigin(this.#own.current);
  }

  /** A later origin of a writer has the key of the first one until it has shown its own. */
  #bindingOf(origin: string): Binding | null {
    const own = this.#boundTo(origin);
    const base = baseOrigin(origin);
    return own !== null || base === origin ? own : this.#boundTo(base);
  }

  #boundTo(origin: string): Binding | null {
    const held = this.#bindings.get(origin);
    if (held !== undefined) return held;
    const read = parse(this.#state.get(keyOf(origin)) ?? "");
    if (this.#bindings.size >= MAX_CLOCK_ENTRIES) this.#bindings.clear();
    this.#bindings.set(origin, read);
    return read;
  }

  /** After a transaction that was undone. */
  reread(): void {
    this.#bindings.clear();
  }

  #keep(origin: string, binding: Binding): void {
    this.#state.set(keyOf(origin), JSON.stringify(binding));
    this.#bindings.set(origin, binding);
  }
}

function keyOf(origin: string): string {
  return `${PREFIX}${origin}:key`;
}

function parse(value: string): Binding | null {
  if (value === "") return null;
  const { key, via, signs = true } = JSON.parse(value) as Omit<Binding, "signs"> & Partial<Binding>;
  return { key, via, signs };
}
