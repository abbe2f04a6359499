/**
 * One exchange with one other place, step by step: who is there, its pages, then what it lacks of ours.
 * Keeps true: a page and the cursor behind it are one transaction; what came from there is not given back; an answer is
 * looked at before it is believed, and nothing is stored when it is not what it should be.
 * Does not know: when an exchange is due (`sync-peer.ts`).
 */
import type { Json } from "../core/canonical-json.ts";
import type { EngineId } from "../core/ids.ts";
import { recordOrigin } from "../core/operation.ts";
import { ChangeoverError } from "../core/errors.ts";
import { counterOf, mergeClocks, type VectorClock } from "../core/vector-clock.ts";
import type { Clock } from "../ports/basics.ts";
import type { ArrivedOp, Replica } from "../ports/replica.ts";
import type { PullRequest, PushedBase, SyncAnswer, SyncTransport } from "../ports/sync-transport.ts";
import { readIdentity, readPage, readResults } from "./answers.ts";
import { beginning, cursorKey, freshCursor, isStalled, readCursor, type SyncCursor } from "./cursor.ts";
import type { PullPage, SyncIdentity } from "./hub.ts";
import type { Meeting } from "./history.ts";
import { holdsBack, type Intake, isWhole, type Taken } from "./intake.ts";
import { reasonOfAnswer, reasonOfError, reasonOfTake, type PeerReason } from "./reasons.ts";
import type { Seals } from "./seals.ts";

export interface ExchangeInit {
  /** What this place is called here: `hub`, or a federation peer's name. */
  readonly name: string;
  readonly limit: number;
  readonly maxBytes: number;
  /** Whether it is also given what this engine has. */
  readonly pushes: boolean;
}

/** One operation that was not taken, or taken in doubt. */
export interface Refusal {
  readonly origin: string;
  readonly originSeq: number;
  readonly reason: PeerReason;
}

/** How far the exchange under way has come. */
export interface Progress {
  readonly pulled: number;
  readonly applied: number;
  readonly pushed: number;
  /** The first thing that could not be taken or given, or was taken in doubt, if any. */
  readonly refused: { readonly reason: PeerReason; readonly op: string } | null;
  /** All of them, the first hundred. */
  readonly refusals: readonly Refusal[];
  /** Whether something is still held back, from this exchange or an earlier one, and will be asked for again. */
  readonly stalled: boolean;
}

/** How one step ended. */
export type Step = { readonly outcome: "more" | "done" } | ({ readonly outcome: "failed" } & Failure);

/** Why an exchange failed. */
export interface Failure {
  readonly reason: PeerReason;
  readonly error: unknown;
  /** The operation that it failed at, `origin/originSeq`; null where it was none. */
  readonly op: string | null;
  /** The request id of the other side's answer, under which its log says more; null without one. */
  readonly traceId: string | null;
}

/** Whether the one who answered is the one that is expected there. `challenge` is what it was asked to sign. */
export type AcceptIdentity = (identity: SyncIdentity, challenge: string) => PeerReason | null;

/** The moment before the other side was asked who it is. */
export interface Asked {
  readonly atMonoMs: number;
  /** What was held here. */
  readonly held: VectorClock;
}

export interface ExchangeParts {
  readonly replica: Replica;
  readonly intake: Intake;
  readonly seals: Seals;
  readonly transport: SyncTransport;
  readonly accept: AcceptIdentity;
  /** What the other side is to sign; left out: nothing. */
  readonly challenge?: () => string;
  /** Who answers is the expected one, and has told what it holds and what time it is there. */
  readonly met?: (identity: SyncIdentity, asked: Asked) => Promise<Meeting>;
  /** Another one answers than the one that is expected. */
  readonly strange?: (identity: SyncIdentity, challenge: string) => Promise<void>;
  readonly clock: Pick<Clock, "monoMs">;
  /** Inside the transaction of a page that was taken, before its cursor. */
  readonly replayed?: () => void;
}

/** Pages of one exchange: a peer that has more is asked again after the interval, and cannot hold this engine for ever. */
const MAX_PAGES = 10_000;
/** Operations of one page where signatures are looked at: some 20 ms of work in one piece. */
const MAX_SIGNED_OPS = 250;
const NOT_FOUND = 404;
const MAX_REFUSALS = 100;
const NOTHING: Progress = { pulled: 0, applied: 0, pushed: 0, refused: null, refusals: [], stalled: false };

export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #init: ExchangeInit;
  readonly #limit: number;
  #at: SyncCursor | null = null;
  #pages = 0;
  #progress = NOTHING;
  #identity: SyncIdentity | null = null;
  /** Whether the other side gives this engine its own operations too, and what it brought itself. */
  #takesBack = false;
  /** What the other side holds, as far as is known here. */
  #theirs: VectorClock = {};
  /** Set while the other side, which has lost what it held, is given that back: through here it holds everything. */
  #givesBack: VectorClock | null = null;
  /** What it held before, kept until it has taken that back: its clock may be wrong when it is given it. */
  #lost: VectorClock = {};
  /** Origins of which it did not take everything back. */
  #heldBack = new Set<string>();
  /** What the other side held before the last exchange and that exchange did not bring, though it was whole. */
  #missed: VectorClock = {};
  /** Origins among it for which everything was read already. */
  #readFor: ReadonlySet<string> = new Set();
  /** Whether nothing that belongs to a snapshot was left out since its beginning, on either way. */
  #whole = { pulled: true, pushed: true };

  constructor(parts: ExchangeParts, init: ExchangeInit) {
    this.#parts = parts;
    this.#init = init;
    this.#limit = parts.seals.mode === "off" ? init.limit : Math.min(init.limit, MAX_SIGNED_OPS);
  }

  get progress(): Progress {
    return this.#progress;
  }

  /** Who answered last. */
  get identity(): SyncIdentity | null {
    return this.#identity;
  }

  /** Begins: asks who is there. Another log than last time begins from the start. */
  async identify(): Promise<Step> {
    this.#progress = NOTHING;
    return this.#identifyOnce("first");
  }

  /** `again`: it has just been given back what it wrote before its folder was restored, and goes on under another name. */
  async #identifyOnce(time: "first" | "again"): Promise<Step> {
    this.#at = null;
    this.#pages = 0;
    const { transport, accept, replica } = this.#parts;
    const challenge = this.#parts.challenge?.() ?? "";
    const asked = { atMonoMs: this.#parts.clock.monoMs(), held: { ...replica.ops.vector() } };
    const answer = await transport.identity(challenge);
    if (answer.outcome === "refused" && answer.status === NOT_FOUND) return failed("identity_missing", answer);
    if (answer.outcome !== "answered") return failed(reasonOfAnswer(answer), answer);
    const identity = readIdentity(answer.value);
    if (typeof identity === "string") return failed(identity);
    const refusal = accept(identity, challenge);
    if (refusal !== null) {
      await this.#parts.strange?.(identity, challenge);
      return failed(refusal);
    }
    const meeting = await this.#parts.met?.(identity, asked);
    const { hubId, generation } = identity;
    const known = readCursor(replica.peerState, this.#init.name);
    const same = known !== null && known.hubId === hubId && known.generation === generation;
    this.#identity = identity;
    const { pushes } = this.#init;
    const { clock = {} } = identity;
    const theirs = known?.hubId === hubId && identity.clock !== undefined ? (known.theirs ?? {}) : {};
    const hasLost = Object.entries(theirs).some(([origin, n]) => counterOf(clock, origin) < n);
    const returns = meeting?.returns ?? {};
    if (pushes && time === "first" && Object.keys(returns).length > 0) {
      // Before its pages are taken: they hold other operations under the numbers of these.
      this.#givesBack = { ...replica.ops.vector(), ...returns };
      for (let pages = 0; this.#givesBack !== null && pages < MAX_PAGES; pages += 1) {
        const step = await this.#giveBack(this.#givesBack);
        if (step.outcome === "failed") return step;
      }
      return this.#identifyOnce("again");
    }
    this.#givesBack = pushes && hasLost ? clock : null;
    this.#lost = this.#givesBack === null ? {} : theirs;
    this.#heldBack = new Set();
    this.#theirs = clock;
    this.#takesBack = this.#missesStill(clock) || meeting?.takesBack === true;
    const from = same && !this.#takesBack ? known : freshCursor(hubId, generation, pushes);
    const at = beginning({ ...from, held: pushes ? (identity.held ?? null) : null });
    this.#at = at;
    this.#whole = { pulled: at.cursor === at.ahead, pushed: at.pushed === at.offered };
    return { outcome: "done" };
  }

  /** Takes one page. `more`: there is another. */
  async pullPage(): Promise<Step> {
    const at = this.#begun();
    const request: PullRequest = {
      ...{ after: at.ahead, limit: this.#limit, maxBytes: this.#init.maxBytes },
      ...(this.#takesBack ? { own: true } : {}),
    };
    const isStalled = at.cursor !== at.ahead;
    const answer = await this.#parts.transport.pull(isStalled ? { ...request, held: at.cursor } : request);
    if (answer.outcome !== "answered") return failed(reasonOfAnswer(answer), answer);
    const page = readPage(answer.value, at.ahead);
    if (page === null) return failed("other");
    if (page.hubId !== at.hubId) return failed("identity_mismatch");
    // It has begun a new log meanwhile: the next exchange begins again too.
    if (page.generation !== at.generation) return failed("other");
    this.#pages += 1;
    const step = this.#store(() => this.#takePage(page, at), page.hasMore && this.#pages < MAX_PAGES);
    if (step.outcome === "done" && !page.hasMore) this.#lookForMissed();
    return step;
  }

  /**
   * An engine whose folder was restored may lack what it had brought to the other side for others. It is not given that
   * again, since it came from here. So where everything was taken and something is missing still, the next exchange reads
   * all of it [RP2], once for an origin, since what was refused stays missing. What the other side holds no more by then, it
   * has withdrawn meanwhile [CK2].
   */
  #missesStill(clock: VectorClock): boolean {
    const held = this.#parts.replica.ops.vector();
    const missed = Object.entries(this.#missed).flatMap(([origin, n]) =>
      counterOf(clock, origin) >= n && counterOf(held, origin) < n ? [origin] : [],
    );
    const readsAll = missed.some((origin) => !this.#readFor.has(origin));
    if (readsAll) this.#readFor = new Set([...this.#readFor, ...missed]);
    return readsAll;
  }

  #lookForMissed(): void {
    const at = this.#begun();
    const { clock } = this.#identity ?? {};
    if (clock === undefined || at.cursor !== at.ahead) return;
    const held = this.#parts.replica.ops.vector();
    this.#missed = Object.fromEntries(Object.entries(clock).filter(([origin, n]) => n > counterOf(held, origin)));
    this.#readFor = new Set([...this.#readFor].filter((origin) => counterOf(this.#missed, origin) > 0));
  }

  /** Gives one page. `more`: there is another. */
  async pushPage(): Promise<Step> {
    const at = this.#begun();
    if (this.#givesBack !== null) return this.#giveBack(this.#givesBack);
    const { ops: held } = this.#parts.replica;
    const arrived = held.arrivedAfter(at.offered, this.#limit, this.#init.maxBytes, this.#via);
    const last = arrived.at(-1);
    if (last === undefined) return { outcome: "done" };
    const more = held.arrivedAfter(last.arrival, 1, 1, this.#via).length > 0;
    const ops = this.#parts.seals.leaving(arrived.map(({ op }) => op));
    const base = this.#baseUnder(at.offered, last.arrival, more);
    const answer = await this.#parts.transport.push(ops, base);
    if (answer.outcome !== "answered") return failed(reasonOfAnswer(answer), answer);
    const results = readResults(answer.value, ops.length);
    if (results === null) return failed("other");
    if (base !== null && !isWhole(base.clock, results)) this.#whole.pushed = false;
    this.#count({ pushed: ops.length, results });
    return this.#store(() => this.#keep({ ...at, offered: last.arrival, ...given(at, arrived, results) }), more);
  }

  /** One page of what the other side has lost, its own operations among it. Afterwards all goes on as usual. */
  async #giveBack(through: VectorClock): Promise<Step> {
    const { replica, seals, transport } = this.#parts;
    const lacked = replica.ops.lackedBy(through, this.#limit, this.#init.maxBytes);
    if (lacked.length === 0) {
      this.#givesBack = null;
      this.#lost = Object.fromEntries(Object.entries(this.#lost).filter(([origin]) => this.#heldBack.has(origin)));
      const at = this.#at;
      return at === null ? { outcome: "more" } : this.#store(() => this.#keep(at), true);
    }
    const floor = replica.ops.floor();
    const next = lacked.reduce((clock, { origin, originSeq }) => ({ ...clock, [origin]: originSeq }), through);
    const isLast = replica.ops.lackedBy(next, 1, this.#init.maxBytes).length === 0;
    const base = floor === null ? null : { clock: floor.clock, complete: isLast };
    const answer = await transport.push(seals.leaving(lacked), base);
    if (answer.outcome !== "answered") return failed(reasonOfAnswer(answer), answer);
    const results = readResults(answer.value, lacked.length);
    if (results === null) return failed("other");
    this.#givesBack = next;
    for (const one of results) if (holdsBack(one)) this.#heldBack.add(one.origin);
    this.#count({ pushed: lacked.length, results });
    return { outcome: "more" };
  }

  #takePage(page: PullPage, at: SyncCursor): void {
    const { snapshot } = page;
    const isLast = snapshot !== undefined && (!page.hasMore || page.nextCursor >= snapshot.through);
    const taken = this.#parts.intake.take({
      via: this.#via,
      ops: page.ops,
      base: snapshot?.clock ?? null,
      completesBase: isLast && this.#whole.pulled,
      within: (results) => {
        const clean = at.cursor === at.ahead && !results.some(holdsBack);
        this.#parts.replayed?.();
        this.#keep({ ...at, ahead: page.nextCursor, cursor: clean ? page.nextCursor : at.cursor });
      },
    });
    if (snapshot !== undefined && !isWhole(snapshot.clock, taken)) this.#whole.pulled = false;
    this.#count({ pulled: page.ops.length, results: taken });
  }

  /** What to say of holes in this log with a push of what follows `offered`, through `last`. */
  #baseUnder(offered: string, last: string, more: boolean): PushedBase | null {
    const floor = this.#parts.replica.ops.floor();
    if (floor === null || offered >= floor.through) return null;
    return { clock: floor.clock, complete: (!more || last >= floor.through) && this.#whole.pushed };
  }

  #store(work: () => void, more: boolean): Step {
    try {
      work();
      return { outcome: more ? "more" : "done" };
    } catch (error) {
      if (!(error instanceof ChangeoverError)) throw error;
      const { origin, originSeq } = error.details;
      const op = typeof origin === "string" && typeof originSeq === "number" ? `${origin}/${originSeq}` : null;
      return { outcome: "failed", reason: reasonOfError(error), error, op, traceId: null };
    }
  }

  #keep(at: SyncCursor): void {
    const kept = this.#init.pushes ? { ...at, theirs: mergeClocks(this.#theirs, this.#lost) } : at;
    this.#parts.replica.peerState.set(cursorKey(this.#init.name), JSON.stringify(kept));
    this.#at = kept;
    this.#progress = { ...this.#progress, stalled: isStalled(at) };
  }

  #count({ pulled = 0, pushed = 0, results }: { pulled?: number; pushed?: number; results: readonly Taken[] }): void {
    const refusals = results.flatMap(refusalOf);
    for (const { origin, originSeq, outcome } of results) {
      // What is offered and taken, or comes from there, they hold; what lies above a hole may not be counted there yet.
      const isNext = originSeq === counterOf(this.#theirs, origin) + 1;
      if (isNext && (pulled > 0 || outcome !== "rejected")) this.#theirs = { ...this.#theirs, [origin]: originSeq };
    }
    const [first] = refusals;
    const applied = pulled === 0 ? 0 : results.filter(({ outcome }) => outcome === "applied").length;
    const known = this.#progress;
    this.#progress = {
      pulled: known.pulled + pulled,
      applied: known.applied + applied,
      pushed: known.pushed + pushed,
      refused:
        known.refused ??
        (first === undefined ? null : { reason: first.reason, op: `${first.origin}/${first.originSeq}` }),
      refusals: [...known.refusals, ...refusals].slice(0, MAX_REFUSALS),
      stalled: known.stalled,
    };
  }

  /** Under which name its operations come in: the one under which it writes itself. */
  get #via(): string {
    return recordOrigin((this.#identity?.engineId ?? "") as EngineId);
  }

  #begun(): SyncCursor {
    if (this.#at === null) throw new Error("broken invariant: an exchange begins with the identity");
    return this.#at;
  }
}

/** How far they have everything now. Where it stands at another operation than before, that one is offered again soon. */
function given(
  at: SyncCursor,
  offered: readonly ArrivedOp[],
  results: readonly Taken[],
): Pick<SyncCursor, "pushed" | "offers"> {
  const { pushed, offers } = at;
  if (pushed !== at.offered) return { pushed, offers };
  const firstRefused = results.findIndex(holdsBack);
  if (firstRefused === -1) return { pushed: offered.at(-1)?.arrival ?? pushed, offers };
  const before = offered[firstRefused - 1];
  return before === undefined ? { pushed, offers } : { pushed: before.arrival, offers: 0 };
}

/** What waits behind another one is no refusal of its own. */
function refusalOf(taken: Taken): readonly Refusal[] {
  const { origin, originSeq } = taken;
  if (!("reason" in taken) || taken.reason === undefined || taken.reason === "gap") return [];
  return [{ origin, originSeq, reason: reasonOfTake(taken.reason) }];
}

/** A step that failed before any operation was looked at. */
function failed(reason: PeerReason, answer?: Exclude<SyncAnswer<Json>, { readonly outcome: "answered" }>): Step {
  const error = answer === undefined ? null : answer.outcome === "failed" ? answer.error : answer.code;
  const traceId = answer?.outcome === "refused" ? (answer.requestId ?? null) : null;
  return { outcome: "failed", reason, error, op: null, traceId };
}
