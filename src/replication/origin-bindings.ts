/**
 * Which origins the holder of a `spoke` token may write as. The first operation that is taken or set aside binds its origin
 * to the token that brought it. Afterwards no other `spoke` token may bring operations of that origin, until a person releases it.
 * Both engines of a pair keep the same bindings, so that a spoke may move from one to the other: the later change of an
 * origin stands. It does not know what an operation says; signatures are `seals.ts`.
 */
import type { OriginBinding } from "../core/messages.ts";
import type { Clock } from "../ports/basics.ts";
import type { PeerState } from "../ports/replica.ts";

/** Why a token may not bring operations of an origin. */
export type SenderRefusal = "origin_not_bound" | "quota";

/** What one delivery of a `spoke` token may contain. */
export interface SenderRights {
  /** null: it may. */
  refusal(origin: string): SenderRefusal | null;
  /** An operation of `origin` was taken or set aside: the origin counts against the token's bound from now on. */
  kept(origin: string): void;
}

export interface OriginBindingsInit {
  /** Origins of one token. */
  readonly maxPerToken: number;
  /** Whether no spoke may write as `origin`: this engine, the other one of the pair, a federation peer. */
  readonly isReserved: (origin: string) => boolean;
}

/** Bindings that one message of the peer may bring. */
export const MAX_TOLD_BINDINGS = 4_096;

/** From which share of its origins on a token is told about. */
const NEAR_SHARE = 0.75;

const PREFIX = "bound:";

export class OriginBindings {
  readonly #state: PeerState;
  readonly #clock: Pick<Clock, "unixMs">;
  readonly #init: OriginBindingsInit;
  readonly #known = new Map<string, OriginBinding>();
  #changed: () => void = () => undefined;

  constructor(
    parts: { readonly peerState: PeerState; readonly clock: Pick<Clock, "unixMs"> },
    init: OriginBindingsInit,
  ) {
    this.#state = parts.peerState;
    this.#clock = parts.clock;
    this.#init = init;
    for (const [key, value] of parts.peerState.withPrefix(PREFIX)) {
      const binding = parse(key.slice(PREFIX.length), value);
      if (binding !== null) this.#known.set(binding.origin, binding);
    }
  }

  get maxPerToken(): number {
    return this.#init.maxPerToken;
  }

  /** Called after a binding was made or released here. */
  onChanged(changed: () => void): void {
    this.#changed = changed;
  }

  /** Every origin that is bound, by name. */
  bound(): readonly OriginBinding[] {
    return [...this.#known.values()].filter(({ token }) => token !== null).sort(byOrigin);
  }

  /** All of them, released ones too, for the other engine of the pair. */
  toTell(): readonly OriginBinding[] {
    return [...this.#known.values()].slice(-MAX_TOLD_BINDINGS);
  }

  /** Why `token` may not write as `origin`; null when it may. `more`: origins that it is about to be bound to. */
  refusal(token: string, origin: string, more: ReadonlySet<string> = new Set()): SenderRefusal | null {
    if (this.#init.isReserved(origin)) return "origin_not_bound";
    const binding = this.#known.get(origin)?.token ?? null;
    if (binding !== null) return binding === token ? null : "origin_not_bound";
    if (more.has(origin)) return null;
    return this.countOf(token) + more.size < this.#init.maxPerToken ? null : "quota";
  }

  /** Origins that are bound to `token`. */
  countOf(token: string): number {
    let count = 0;
    for (const binding of this.#known.values()) if (binding.token === token) count += 1;
    return count;
  }

  /** A token that has three quarters of the origins that it may have; null: none has. */
  near(): string | null {
    const tokens = new Set([...this.#known.values()].map(({ token }) => token));
    const least = Math.ceil(this.#init.maxPerToken * NEAR_SHARE);
    return [...tokens].find((token) => token !== null && this.countOf(token) >= least) ?? null;
  }

  /** Binds what is not bound yet. */
  bind(token: string, origins: Iterable<string>): void {
    const fresh = [...origins].filter((origin) => (this.#known.get(origin)?.token ?? null) === null);
    for (const origin of fresh) this.#keep({ origin, token, atUnixMs: this.#after(origin) });
    if (fresh.length > 0) this.#changed();
  }

  /** A person lets another token write as `origin`. false: it is not bound. */
  release(origin: string): boolean {
    if ((this.#known.get(origin)?.token ?? null) === null) return false;
    this.#keep({ origin, token: null, atUnixMs: this.#after(origin) });
    this.#changed();
    return true;
  }

  /** What the other engine of the pair has bound and released. */
  told(bindings: readonly OriginBinding[]): void {
    for (const told of bindings) {
      const known = this.#known.get(told.origin);
      if (known === undefined || told.atUnixMs > known.atUnixMs) this.#keep(told);
    }
  }

  /** Above what is known of it, whatever the wall clock did. */
  #after(origin: string): number {
    return Math.max(this.#clock.unixMs(), (this.#known.get(origin)?.atUnixMs ?? -1) + 1);
  }

  #keep({ origin, token, atUnixMs }: OriginBinding): void {
    this.#state.set(PREFIX + origin, JSON.stringify({ token, atUnixMs }));
    this.#known.set(origin, { origin, token, atUnixMs });
  }
}

function byOrigin(one: OriginBinding, other: OriginBinding): number {
  return one.origin < other.origin ? -1 : 1;
}

/** A malformed note counts as none. */
function parse(origin: string, value: string): OriginBinding | null {
  try {
    const { token, atUnixMs } = JSON.parse(value) as Partial<OriginBinding>;
    const isWhole = (token === null || typeof token === "string") && typeof atUnixMs === "number";
    return isWhole ? { origin, token, atUnixMs } : null;
  } catch {
    return null;
  }
}
