/**
 * Purpose: one exchange with one other place, step by step: who is there, its pages, then what it lacks of ours.
 * Keeps true: a page and the cursor behind it are one transaction; what came from there is not given back; an answer is
 * looked at before it is believed, and nothing is stored when it is not what it should be.
 * Does not know: when an exchange is due (`sync-peer.ts`).
 */
import type { Json } from "../core/canonical-json.ts";
import type { EngineId } from "../core/ids.ts";
import { recordOrigin } from "../core/operation.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { ArrivedOp } from "../ports/op-log.ts";
import type { Replica } from "../ports/replica.ts";
import type { PullRequest, PushedBase, SyncAnswer, SyncTransport } from "../ports/sync-transport.ts";
import { readIdentity, readPage, readResults } from "./answers.ts";
import { beginning, cursorKey, freshCursor, readCursor, type SyncCursor } from "./cursor.ts";
import type { PullPage, SyncIdentity } from "./hub.ts";
import { type Intake, isWhole, type Taken } from "./intake.ts";
import { reasonOfAnswer, reasonOfError, reasonOfTake, type PeerReason } from "./reasons.ts";

export interface ExchangeInit {
  /** What this place is called here: `hub`, or a federation peer's name. */
  readonly name: string;
  readonly limit: number;
  readonly maxBytes: number;
  /** Whether it is also given what this engine has. */
  readonly pushes: boolean;
}

/** How far the exchange under way has come. */
export interface Progress {
  readonly pulled: number;
  readonly applied: number;
  readonly pushed: number;
  /** The first thing that could not be taken or given, if any. */
  readonly refused: { readonly reason: PeerReason; readonly op: string } | null;
}

/** How one step ended. */
export type Step =
  | { readonly outcome: "more" | "done" }
  | { readonly outcome: "failed"; readonly reason: PeerReason; readonly error: unknown };

/** Who answered; `accept` says whether it is the one that is expected there. */
export type AcceptIdentity = (identity: SyncIdentity) => PeerReason | null;

export class Exchange {
  readonly #replica: Replica;
  readonly #intake: Intake;
  readonly #transport: SyncTransport;
  readonly #accept: AcceptIdentity;
  readonly #init: ExchangeInit;
  #at: SyncCursor | null = null;
  #progress: Progress = { pulled: 0, applied: 0, pushed: 0, refused: null };
  #identity: SyncIdentity | null = null;
  /** Whether nothing that belongs to a snapshot was left out since its beginning, on either way. */
  #whole = { pulled: true, pushed: true };

  constructor(
    parts: {
      readonly replica: Replica;
      readonly intake: Intake;
      readonly transport: SyncTransport;
      readonly accept: AcceptIdentity;
    },
    init: ExchangeInit,
  ) {
    this.#replica = parts.replica;
    this.#intake = parts.intake;
    this.#transport = parts.transport;
    this.#accept = parts.accept;
    this.#init = init;
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
    this.#progress = { pulled: 0, applied: 0, pushed: 0, refused: null };
    this.#at = null;
    const answer = await this.#transport.identity();
    if (answer.outcome !== "answered") return failedBy(answer);
    const identity = readIdentity(answer.value);
    if (identity === null) return { outcome: "failed", reason: "identity_missing", error: null };
    const refusal = this.#accept(identity);
    if (refusal !== null) return { outcome: "failed", reason: refusal, error: null };
    const { hubId, generation } = identity;
    const known = readCursor(this.#replica.peerState, this.#init.name);
    const same = known !== null && known.hubId === hubId && known.generation === generation;
    this.#identity = identity;
    const at = beginning(same ? known : freshCursor(hubId, generation, this.#init.pushes));
    this.#at = at;
    this.#whole = { pulled: at.cursor === at.ahead, pushed: at.pushed === at.offered };
    return { outcome: "done" };
  }

  /** Takes one page. `more`: there is another. */
  async pullPage(): Promise<Step> {
    const at = this.#begun();
    const request: PullRequest = { after: at.ahead, limit: this.#init.limit, maxBytes: this.#init.maxBytes };
    const answer = await this.#transport.pull(request);
    if (answer.outcome !== "answered") return failedBy(answer);
    const page = readPage(answer.value, at.ahead);
    if (page === null) return { outcome: "failed", reason: "other", error: null };
    if (page.hubId !== at.hubId || page.generation !== at.generation) {
      // Another engine behind the same address has taken over meanwhile: the next exchange asks who it is.
      return { outcome: "failed", reason: "other", error: null };
    }
    return this.#store(() => this.#takePage(page, at), page.hasMore);
  }

  /** Gives one page. `more`: there is another. */
  async pushPage(): Promise<Step> {
    const at = this.#begun();
    const { limit, maxBytes } = this.#init;
    const arrived = this.#replica.ops.arrivedAfter(at.offered, limit, maxBytes, this.#via);
    const last = arrived.at(-1);
    if (last === undefined) return { outcome: "done" };
    const more = this.#replica.ops.arrivedAfter(last.arrival, 1, 1, this.#via).length > 0;
    const ops = arrived.map(({ op }) => op);
    const base = this.#baseUnder(at.offered, last.arrival, more);
    const answer = await this.#transport.push(ops, base);
    if (answer.outcome !== "answered") return failedBy(answer);
    const results = readResults(answer.value, ops.length);
    if (results === null) return { outcome: "failed", reason: "other", error: null };
    if (base !== null && !isWhole(base.clock, results)) this.#whole.pushed = false;
    this.#count({ pushed: ops.length, results });
    return this.#store(() => this.#keep({ ...at, offered: last.arrival, ...given(at, arrived, results) }), more);
  }

  #takePage(page: PullPage, at: SyncCursor): void {
    const { snapshot } = page;
    const isLast = snapshot !== undefined && (!page.hasMore || page.nextCursor >= snapshot.through);
    const taken = this.#intake.take({
      via: this.#via,
      ops: page.ops,
      base: snapshot?.clock ?? null,
      completesBase: isLast && this.#whole.pulled,
      within: (results) => {
        const clean = at.cursor === at.ahead && results.every(({ outcome }) => outcome !== "rejected");
        this.#keep({ ...at, ahead: page.nextCursor, cursor: clean ? page.nextCursor : at.cursor });
      },
    });
    if (snapshot !== undefined && !isWhole(snapshot.clock, taken)) this.#whole.pulled = false;
    this.#count({ pulled: page.ops.length, results: taken });
  }

  /** What to say of holes in this log with a push of what follows `offered`, through `last`. */
  #baseUnder(offered: string, last: string, more: boolean): PushedBase | null {
    const floor = this.#replica.ops.floor();
    if (floor === null || offered >= floor.through) return null;
    return { clock: floor.clock, complete: (!more || last >= floor.through) && this.#whole.pushed };
  }

  #store(work: () => void, more: boolean): Step {
    try {
      work();
      return { outcome: more ? "more" : "done" };
    } catch (error) {
      if (!(error instanceof ChangeoverError)) throw error;
      return { outcome: "failed", reason: reasonOfError(error), error };
    }
  }

  #keep(at: SyncCursor): void {
    this.#replica.peerState.set(cursorKey(this.#init.name), JSON.stringify(at));
    this.#at = at;
  }

  #count({ pulled = 0, pushed = 0, results }: { pulled?: number; pushed?: number; results: readonly Taken[] }): void {
    const refused = results.find((one) => one.outcome === "rejected" && one.reason !== "gap");
    const applied = pulled === 0 ? 0 : results.filter(({ outcome }) => outcome === "applied").length;
    const known = this.#progress;
    this.#progress = {
      pulled: known.pulled + pulled,
      applied: known.applied + applied,
      pushed: known.pushed + pushed,
      refused: known.refused ?? (refused?.outcome === "rejected" ? refusalOf(refused) : null),
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

/** How far they have everything now. Where it stands at another operation than before, that one is offered anew soon. */
function given(
  at: SyncCursor,
  offered: readonly ArrivedOp[],
  results: readonly Taken[],
): Pick<SyncCursor, "pushed" | "offers"> {
  const { pushed, offers } = at;
  if (pushed !== at.offered) return { pushed, offers };
  const firstRefused = results.findIndex(({ outcome }) => outcome === "rejected");
  if (firstRefused === -1) return { pushed: offered.at(-1)?.arrival ?? pushed, offers };
  const before = offered[firstRefused - 1];
  return before === undefined ? { pushed, offers } : { pushed: before.arrival, offers: 0 };
}

function refusalOf(refused: Extract<Taken, { readonly outcome: "rejected" }>): Progress["refused"] {
  return { reason: reasonOfTake(refused.reason), op: `${refused.origin}/${refused.originSeq}` };
}

function failedBy(answer: Exclude<SyncAnswer<Json>, { readonly outcome: "answered" }>): Step {
  return {
    outcome: "failed",
    reason: reasonOfAnswer(answer),
    error: answer.outcome === "failed" ? answer.error : answer.code,
  };
}
