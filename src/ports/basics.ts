/** Time. One port for both clocks and for timers, so that it also serves XState and a simulated one serves all. */
import type { IdKind, IdOfKind } from "../core/ids.ts";

/** Names a running timer; only the clock that gave it knows what it is. */
export type TimerHandle = object | number;

export interface Clock {
  /** The process's monotonic clock, ms with fraction. Decides everything; never steps; goes on while the process is frozen. */
  monoMs(): number;
  /** Wall clock, unix ms with fraction. Only for stamps that people and logs read, execution instants, and the HLC. */
  unixMs(): number;
  /** Calls `fn` once, not before `delayMs` ms have passed on the monotonic clock. */
  setTimeout(fn: () => void, delayMs: number): TimerHandle;
  /** Stops a timer; a timer that fired or was stopped is ignored. */
  clearTimeout(handle: TimerHandle): void;
  /** As `setTimeout`, but as close behind the instant `atMonoMs` as the platform permits (well below 1 ms), at some cost. */
  callAt(fn: () => void, atMonoMs: number): TimerHandle;
  /** Calls `fn` once the work that is already waiting has had its turn: for batching within one turn of the loop. */
  soon(fn: () => void): void;
}

// Fresh names.

export interface Ids {
  /** A new id of `kind`, never given before. */
  next<K extends IdKind>(kind: K): IdOfKind[K];
}

/** Chance, for jitter. */
export interface Random {
  /** A number of [0, 1). */
  next(): number;
}

/** Sha256, of one text at once or piece by piece. */
export interface Digest {
  /** The hash of the UTF-8 bytes of `text`: 64 hexadecimal characters. */
  sha256Of(text: string): string;
  /** A fresh running hash. */
  sha256(): RunningHash;
}

export interface RunningHash {
  /** Takes the UTF-8 bytes of `text`. */
  update(text: string): void;
  /** Ends the hash: 64 hexadecimal characters. */
  hex(): string;
}

/** Structured logging with constant messages and no secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** This engine's own key pair, and whether somebody else's signature holds. Ed25519 (RFC 8032). */
export interface Signatures {
  /** This engine's public key: 43 characters of base64url. */
  readonly key: string;
  /** Signs a text with the private key, which nobody else sees: 86 characters of base64url. */
  sign(text: string): string;
  /** Whether the holder of `key` signed `text`. Whatever is malformed does not hold; never throws. */
  verify(key: string, text: string, signature: string): boolean;
}

/** How well the engine's wall clock is disciplined, by whatever disciplines it (PTP, NTP). */
export interface ClockReading {
  /** `free`: nothing disciplines the clock now. */
  readonly mode: "ptp" | "ntp" | "peer" | "free";
  /** Offset to the reference in ns. */
  readonly offsetNs: number;
  readonly jitterNs: number;
}

export interface ClockSource {
  /** True where nothing is expected to discipline the clock, so that `free` is no fault. */
  readonly undisciplined?: boolean;
  /** The newest reading; never blocks. A source that lost its reference says `free`. */
  reading(): ClockReading;
  close(): Promise<void>;
}
