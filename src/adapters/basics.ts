/**
 * The clock of the machine that the process runs on.
 * A timer never fires before its time on the monotonic clock (Node's own may, by a fraction of a millisecond);
 * `unixMs` is never farther than one millisecond from what `Date.now()` shows, and follows every step of it at once.
 * Timers keep the process alive: each has an owner that ends it, so a process that does not exit shows a forgotten one.
 * It does not know whether the wall clock is right.
 */
import { assert } from "../core/errors.ts";
import type { Clock, TimerHandle, Random, Ids, Digest, RunningHash, Signatures } from "../ports/basics.ts";
import { nanoid } from "nanoid";
import { type IdKind, type IdOfKind, makeId } from "../core/ids.ts";
import {
  createHash,
  hash as hashOf,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

/** Longest delay that Node takes at once; a longer one is waited for in several. */
const LONGEST_DELAY_MS = 2_147_483_647;

/** The last stretch before an exact instant, which is spent turning the loop instead of in a timer (late by ~1.3 ms at p99). */
const TURN_WITHIN_MS = 2;

/** What a handle is inside: at most one of the two is pending. */
interface RunningTimer {
  timeout: NodeJS.Timeout | null;
  immediate: NodeJS.Immediate | null;
}

export class SystemClock implements Clock {
  /** unix − mono, as well as it is known. */
  #unixAheadMs = performance.timeOrigin;

  monoMs(): number {
    return performance.now();
  }

  /**
   * `Date.now()` tells only whole milliseconds, and so bounds the offset between both clocks from below and above;
   * the offset moves only as far as those bounds force it, which keeps the fraction. A pause of the process between the
   * two readings widens the bounds and so does no harm.
   */
  unixMs(): number {
    const before = performance.now();
    const wholeMs = Date.now();
    const after = performance.now();
    this.#unixAheadMs = Math.min(Math.max(this.#unixAheadMs, wholeMs - after), wholeMs + 1 - before);
    return after + this.#unixAheadMs;
  }

  setTimeout(fn: () => void, delayMs: number): TimerHandle {
    assert(!Number.isNaN(delayMs), "the delay of a timer is a number");
    return this.#start(fn, performance.now() + delayMs, 0);
  }

  clearTimeout(handle: TimerHandle): void {
    const timer = handle as RunningTimer;
    if (timer.timeout !== null) clearTimeout(timer.timeout);
    if (timer.immediate !== null) clearImmediate(timer.immediate);
    timer.timeout = null;
    timer.immediate = null;
  }

  callAt(fn: () => void, atMonoMs: number): TimerHandle {
    assert(!Number.isNaN(atMonoMs), "the instant of a call is a number");
    return this.#start(fn, atMonoMs, TURN_WITHIN_MS);
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  /** Waits in a timer until `turnWithinMs` before the instant, then turn by turn of the loop. */
  #start(fn: () => void, atMonoMs: number, turnWithinMs: number): RunningTimer {
    const timer: RunningTimer = { timeout: null, immediate: null };
    const wait = (): void => {
      const leftMs = atMonoMs - performance.now();
      if (leftMs <= turnWithinMs) timer.immediate = setImmediate(wake);
      else timer.timeout = setTimeout(wake, Math.min(Math.ceil(leftMs - turnWithinMs), LONGEST_DELAY_MS));
    };
    const wake = (): void => {
      timer.timeout = null;
      timer.immediate = null;
      if (performance.now() >= atMonoMs) fn();
      else wait();
    };
    wait();
    return timer;
  }
}

// Chance for jitter. Nonces and keys are made with `node:crypto` where they are needed.

export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }
}

// Fresh names from 126 random bits, so that two engines never make the same one.

export class NanoIds implements Ids {
  next<K extends IdKind>(kind: K): IdOfKind[K] {
    return makeId(kind, nanoid());
  }
}

// Sha256 by Node's OpenSSL.

/** The hash of the UTF-8 bytes of `text`, hexadecimal. */
export function sha256Of(text: string): string {
  return hashOf("sha256", text, "hex");
}

export class NodeDigest implements Digest {
  sha256Of(text: string): string {
    return sha256Of(text);
  }

  sha256(): RunningHash {
    const hash = createHash("sha256");
    return {
      update: (text) => void hash.update(text, "utf8"),
      hex: () => hash.digest("hex"),
    };
  }
}

// Ed25519 signatures by Node's own OpenSSL. The private key stays inside this object; public keys that were looked at
// are kept, up to a bound.

/** Keys of others that are kept ready; as many as there may be origins. */
const MAX_KEYS = 256;

/** What stands before the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410). */
const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The private key that a seed of 32 bytes gives: the same one each time, for simulated worlds. */
export function ed25519FromSeed(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, seed]), format: "der", type: "pkcs8" });
}

export class Ed25519Signatures implements Signatures {
  readonly key: string;
  readonly #privateKey: KeyObject;
  readonly #others = new Map<string, KeyObject>();

  /** @param privateKey of type `ed25519`, as `node:crypto` makes and reads them */
  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    this.key = createPublicKey(privateKey).export({ format: "jwk" }).x ?? "";
  }

  sign(text: string): string {
    return sign(null, Buffer.from(text), this.#privateKey).toString("base64url");
  }

  verify(key: string, text: string, signature: string): boolean {
    try {
      return verify(null, Buffer.from(text), this.#keyOf(key), Buffer.from(signature, "base64url"));
    } catch {
      // Not a key at all.
      return false;
    }
  }

  #keyOf(key: string): KeyObject {
    const known = this.#others.get(key);
    if (known !== undefined) return known;
    const made = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key }, format: "jwk" });
    const [oldest] = this.#others.keys();
    if (this.#others.size >= MAX_KEYS && oldest !== undefined) this.#others.delete(oldest);
    this.#others.set(key, made);
    return made;
  }
}
