/**
 * What this engine serves to spokes and federation peers: who it is, pages of operations, and taking theirs.
 * Keeps true: pages go by arrival here, so that an operation which was made long ago and comes now is past nobody's
 * cursor; a caller is not given what it brought or made itself, and in a snapshot only what it made is left out;
 * compaction stays below what every known caller has.
 */
import { ChangeoverError } from "../core/errors.ts";
import { isOrigin, type Op } from "../core/operation.ts";
import { identityText } from "../core/signature.ts";
import { leastClock, type VectorClock } from "../core/vector-clock.ts";
import type { Compacted } from "../ports/replica.ts";
import type { PushedBase } from "../ports/sync-transport.ts";
import type { Ids } from "../ports/basics.ts";
import { callerName, Callers, type SyncCaller } from "./callers.ts";
import type { Intake, Taken } from "./intake.ts";
import type { Digests, History } from "./history.ts";
import type { OriginBindings, SenderRefusal, SenderRights } from "./origin-bindings.ts";
import type { ReplicationBasics } from "./record-log.ts";
import type { PairHoldings } from "./pair-holdings.ts";
import { PageAhead, type PullCall } from "./page-ahead.ts";
import type { Seals } from "./seals.ts";
import type { UseClock } from "./use-clock.ts";

/** `GET /sync/identity`. */
export interface SyncIdentity {
  readonly hubId: string;
  readonly engineId: string;
  readonly generation: string;
  readonly version: string;
  readonly mode: FederationMode;
  /** What is held here; only for one that asks with a challenge, as what follows. */
  readonly clock?: VectorClock;
  /** What both engines of this pair hold; of one that is alone, the same. */
  readonly held?: VectorClock;
  /** Of each origin in `clock`, the digest of its history, where it is known. */
  readonly heads?: Readonly<Record<string, string>>;
  /** The wall clock here, unix ms. */
  readonly unixMs?: number;
  /** The engine's public key, where it has one. */
  readonly key?: string;
  /** Its signature of `identityText`. */
  readonly proof?: string;
}

/** What this engine does with others: `publish` serves and does not pull, `subscribe` pulls and does not serve. */
export type FederationMode = "sync" | "publish" | "subscribe";

/** `GET /sync/pull`. */
export interface PullPage {
  readonly ops: readonly Op[];
  /** For the next call's `after`; never lower than this call's. */
  readonly nextCursor: string;
  readonly hasMore: boolean;
  readonly hubId: string;
  readonly generation: string;
  /** Only for a caller whose cursor is below what was compacted: see `SnapshotMark`. */
  readonly snapshot?: SnapshotMark;
}

/**
 * Marks pages that bring a caller over what was compacted away: through `through`, only what still stands is held. Once
 * the caller's cursor is past it, it has everything that `clock` counts.
 */
export interface SnapshotMark {
  readonly through: string;
  readonly clock: VectorClock;
}

/** What became of a push. */
export type PushOutcome =
  | ({ readonly outcome: "looked-at" } & PushReport)
  /** The token of the caller may say nothing of what it brought. */
  | { readonly outcome: "refused"; readonly reason: SenderRefusal; readonly origins: readonly string[] };

/** What became of each operation of a push. */
export interface PushReport {
  readonly results: readonly Taken[];
  readonly applied: number;
}

export interface HubInit {
  readonly hubId: string;
  readonly engineId: string;
  readonly version: string;
  readonly mode: FederationMode;
  /** Whether this engine gives to a hub of its own. */
  readonly isSpoke: boolean;
}

/** Operations that one step of compaction looks at: a few milliseconds of work. */
const STEP_OPS = 100;
/** Steps of one compaction in one go. */
const MOST_STEPS = 100_000;
/** Operations kept where nobody ever pulled. */
const KEPT_UNASKED = 10_000;

/** Challenges that are remembered. */
const ANSWERED_KEPT = 64;

/** What a page is around its operations. */
const PAGE_FRAME_BYTES = 400;

const GENERATION_KEY = "generation";

export class Hub {
  readonly #basics: ReplicationBasics;
  readonly #intake: Intake;
  readonly #callers: Callers;
  readonly #holdings: PairHoldings;
  readonly #bindings: OriginBindings;
  readonly #history: History;
  readonly #ahead: PageAhead<PullPage>;
  readonly #init: HubInit;
  readonly #ids: Ids;
  readonly #seals: Seals;
  /** The challenges of the last callers. */
  #answered: readonly string[] = [];
  /** Where the compaction under way goes to. What everybody has is had for good. */
  #compacting: { readonly through: string; readonly more: boolean } | null = null;
  /** Through this arrival both engines of each pair hold everything, as far as it was looked at. */
  #covered = "";

  constructor(
    parts: ReplicationBasics & {
      readonly intake: Intake;
      readonly ids: Ids;
      readonly seals: Seals;
      readonly holdings: PairHoldings;
      readonly bindings: OriginBindings;
      readonly history: History;
      readonly use: UseClock;
    },
    init: HubInit,
  ) {
    this.#basics = parts;
    this.#intake = parts.intake;
    this.#init = init;
    this.#callers = new Callers(parts, init);
    this.#holdings = parts.holdings;
    this.#bindings = parts.bindings;
    this.#history = parts.history;
    this.#ahead = new PageAhead<PullPage>(parts);
    this.#ids = parts.ids;
    this.#seals = parts.seals;
  }

  /** The life of this log: made with the first question for it, and kept. */
  get generation(): string {
    const { peerState } = this.#basics.replica;
    const kept = peerState.get(GENERATION_KEY);
    if (kept !== null) return kept;
    const made = this.#ids.next("generation");
    peerState.set(GENERATION_KEY, made);
    return made;
  }

  /** Whether others are served: not by one that only subscribes. */
  get serves(): boolean {
    return this.#init.mode !== "subscribe";
  }

  /** Who serves here. To one that gives a `challenge` this engine also proves that it holds its key, if it has one. */
  identity(challenge = ""): SyncIdentity {
    const { hubId, engineId, version, mode } = this.#init;
    const identity = { hubId, engineId, generation: this.generation, version, mode };
    if (challenge === "") return identity;
    this.#answered = [...this.#answered.slice(1 - ANSWERED_KEPT), challenge];
    const unixMs = Math.floor(this.#basics.clock.unixMs());
    const proven = {
      ...identity,
      clock: this.#basics.replica.ops.vector(),
      held: this.#holdings.ofBoth(),
      heads: this.#history.heads(),
      unixMs,
    };
    const { key } = this.#seals;
    const proof = this.#seals.sign(identityText(identity, challenge));
    return key === null || proof === null ? proven : { ...proven, key, proof };
  }

  /** Whether it was this process that answered `challenge` lately: then who asked has asked itself. */
  answered(challenge: string): boolean {
    return this.#answered.includes(challenge);
  }

  /** What is known here of the histories that a caller holds; forks are told. */
  compare(caller: SyncCaller, heads: Digests): Digests {
    return this.#history.answer(heads, wordsFor(caller));
  }

  /** A page for a caller. */
  pull(request: PullCall): PullPage {
    this.#callers.acknowledged(callerName(request.caller), request.held ?? request.after);
    const ahead = this.#ahead.take(request);
    // The last page of a log that has gone on since would leave out what `identity` tells by now.
    const isWhole = ahead !== null && (ahead.hasMore || ahead.nextCursor >= this.#basics.replica.ops.lastArrival());
    const page = isWhole ? ahead : this.#page(request);
    if (page.hasMore) this.#ahead.prepare({ ...request, after: page.nextCursor }, (next) => this.#page(next));
    return page;
  }

  #page({ caller, after, limit, maxBytes }: PullCall): PullPage {
    const { ops } = this.#basics.replica;
    const floor = ops.floor();
    const isSnapshot = floor !== null && after < floor.through;
    // A snapshot's clock counts everything, and a caller whose folder was restored may lack what it brought for others.
    const except = [caller.origin, isSnapshot ? null : callerName(caller)] as const;
    const last = ops.lastArrival();
    const found = ops.arrivedAfter(after, limit, maxBytes - PAGE_FRAME_BYTES, ...except);
    const reached = found.at(-1)?.arrival ?? after;
    const beyond = found.length > 0 && ops.arrivedAfter(reached, 1, 1, ...except).length > 0;
    // Where nothing follows, the cursor also passes what the caller is not given.
    const nextCursor = beyond || last < reached ? reached : last;
    const page = {
      ops: this.#seals.leaving(found.map(({ op }) => op)),
      nextCursor,
      hasMore: beyond,
      hubId: this.#init.hubId,
      generation: this.generation,
    };
    return isSnapshot ? { ...page, snapshot: floor } : page;
  }

  /**
   * Takes what a caller of `POST /sync/push` brings. A caller whose token has role `spoke` is refused as a whole when it
   * writes under an origin that is not its own, or, where it does not say as whom it writes, when nothing of what it
   * brought may come from it. Otherwise each operation is answered by itself, so that one that it may not bring stalls
   * nothing else.
   */
  pushFrom(caller: SyncCaller, came: readonly unknown[], base: PushedBase | null = null): PushOutcome {
    const { token, origin, isSpoke = false } = caller;
    if (!isSpoke || token === null) return { outcome: "looked-at", ...this.push(caller, came, base) };
    const named = [...originsOf(came), ...Object.keys(base?.clock ?? {})];
    const asked = origin === "" ? [...new Set(named)] : [origin];
    const reasons = asked.map((one) => this.#bindings.refusal(token, one));
    const [reason] = reasons;
    if (reason !== undefined && reason !== null && !reasons.includes(null)) {
      return { outcome: "refused", reason, origins: asked };
    }
    const fresh = new Set<string>();
    const rights: SenderRights = {
      refusal: (one) => this.#bindings.refusal(token, one, fresh),
      kept: (one) => void fresh.add(one),
    };
    const believed = base === null ? null : { ...base, clock: this.#believed(base.clock, came, caller) };
    const report = this.push(caller, came, believed, rights);
    this.#bindings.bind(token, fresh);
    return { outcome: "looked-at", ...report };
  }

  /** Of a pushed snapshot's clock: what its sender may say. */
  #believed(clock: VectorClock, came: readonly unknown[], { token, origin }: SyncCaller): VectorClock {
    const own = new Set([origin, ...originsOf(came)]);
    const bound = new Set(this.#bindings.bound().flatMap((one) => (one.token === token ? [one.origin] : [])));
    const mayBind = (one: string): boolean => own.has(one) && this.#bindings.refusal(token ?? "", one) === null;
    return Object.fromEntries(Object.entries(clock).filter(([one]) => bound.has(one) || mayBind(one)));
  }

  /** Takes what another place brings. `rights`: what it may bring; left out: everything. */
  push(
    caller: SyncCaller,
    came: readonly unknown[],
    base: PushedBase | null = null,
    rights?: SenderRights,
  ): PushReport {
    const who = wordsFor(caller);
    const delivery = {
      via: callerName(caller),
      who,
      ops: came,
      base: base?.clock ?? null,
      completesBase: base?.complete ?? false,
      ...(rights === undefined ? {} : { rights }),
    };
    this.beforeTaking(came, who);
    try {
      const results = this.#intake.take(delivery);
      return { results, applied: results.filter(({ outcome }) => outcome === "applied").length };
    } catch (error) {
      if (!(error instanceof ChangeoverError) || error.code !== "clock_cap") throw error;
      const results = came.map((op) => ({ ...identityOf(op), outcome: "rejected", reason: "clock_cap" }) as const);
      return { results, applied: 0 };
    }
  }

  /** `who` brings these. Where they prove that this engine lost them, it goes on under a new origin before they are taken. */
  beforeTaking(came: readonly unknown[], who: string): void {
    // A restored log is another life of it: nobody's place in the one before means anything here.
    if (this.#history.broughtBack(came, who)) this.#basics.replica.peerState.delete(GENERATION_KEY);
  }

  /** Drops what no field needs and every known caller has, both engines of a pair, in one go. How many went. */
  compact(): number {
    let dropped = 0;
    for (let steps = 0; steps < MOST_STEPS; steps += 1) {
      const step = this.compactStep();
      dropped += step.dropped;
      if (!step.more) break;
    }
    return dropped;
  }

  /**
   * A step of that: looks at a hundred operations at most, in one transaction. Of a log that is being filled what its
   * vector does not count stays, and what that stands over.
   */
  compactStep(): Compacted {
    const { through, more } = (this.#compacting ??= this.#hadThrough());
    this.#compacting = null;
    if (through === "") return { dropped: 0, looked: 0, more };
    const step = this.#basics.replica.ops.compact(through, STEP_OPS);
    // A page that was prepared may hold what is gone, and does not know of the new floor.
    if (step.dropped > 0) this.#ahead.drop();
    if (step.more) this.#compacting = { through, more };
    return { ...step, more: step.more || more };
  }

  /** The arrival through which everybody has everything: callers, and both engines of each pair, this one included. */
  #hadThrough(): { readonly through: string; readonly more: boolean } {
    const { ops } = this.#basics.replica;
    const through = this.#callers.allHave() ?? ops.arrivalBefore(KEPT_UNASKED);
    if (through === "") return { through, more: false };
    const held = [this.#holdings.ofOther() ?? [], ...this.#callers.holdings()].flat();
    // A caller may claim to have what has not arrived yet.
    if (held.length === 0) return { through: leastOf(through, ops.lastArrival()), more: false };
    // What was held once stays so: it is looked at once.
    const before = this.#covered;
    this.#covered = ops.coveredBy(held.reduce(leastClock), before, STEP_OPS);
    return { through: leastOf(through, this.#covered), more: this.#covered > before && this.#covered < through };
  }
}

function leastOf(one: string, other: string): string {
  return one < other ? one : other;
}

/** A caller as alarms name it. */
function wordsFor(caller: SyncCaller): string {
  return callerName(caller) || (caller.token === null ? "a caller" : `the token "${caller.token}"`);
}

/** The origins that operations claim, as far as they can be read. */
function originsOf(came: readonly unknown[]): readonly string[] {
  return [...new Set(came.map((op) => (op as Partial<Op> | null)?.origin).filter(isOrigin))];
}

function identityOf(came: unknown): { readonly origin: string; readonly originSeq: number } {
  const { origin, originSeq } = (came ?? {}) as Partial<Op>;
  return { origin: String(origin ?? "").slice(0, 64), originSeq: Number(originSeq) || 0 };
}
