/**
 * Purpose: `/sync` of another place as a spoke, a site or an engine reaches it: over a way that delays, loses, repeats and
 * overtakes, to whichever place its requests are led to.
 * Keeps true: every call ends, by an answer or by the caller's own time-out. A request that came twice was carried out
 * twice, the second time perhaps long after newer ones.
 */
import type { Json } from "../../core/canonical-json.ts";
import { ChangeoverError } from "../../core/errors.ts";
import type { Op } from "../../core/operation.ts";
import type { PullRequest, PushedBase, SyncAnswer, SyncTransport } from "../../ports/sync-transport.ts";
import type { SyncCaller } from "../../replication/callers.ts";
import type { Digests } from "../../replication/history.ts";
import type { PullPage } from "../../replication/hub.ts";
import type { ProcessClock } from "../ground/host-clock.ts";
import type { Prng } from "../ground/prng.ts";
import type { Life, Scheduler } from "../ground/scheduler.ts";
import type { Served, SyncEnd } from "./sync-ends.ts";
import type { WorldGround } from "./world-ground.ts";

const TIMEOUT_MS = 1_000;
/** Requests that a proxy on the way sends twice. */
const REPEATED_SHARE = 0.03;
const REPEATED_WITHIN_MS = 4_000;
const OVERLOADED = 503;
/** What one that only subscribes answers. */
const NOT_SERVING: SyncAnswer<Json> = { outcome: "refused", status: 403, code: "not_serving" };

/** Who does not say who asks is given its own operations too. */
const NOBODY: SyncCaller = { origin: "", token: null };

/** Sees what passes, for the checkers. */
export interface SyncObserver {
  /** A page was made for it; `held`: through here it says to have everything. */
  asked(to: string, held: string): void;
  pulled(from: string, page: PullPage): void;
  pushed(to: string, base: PushedBase | null): void;
}

/** Tells the onlookers of a world what `asker` asks. */
export function syncObserver({ watchers }: Pick<WorldGround, "watchers">, asker: string): SyncObserver {
  return {
    asked: (to, held) => watchers.each((watch) => watch.asked?.(asker, to, held)),
    pulled: (from, page) => watchers.each((watch) => watch.pulled?.(asker, from, page)),
    pushed: (to, base) => watchers.each((watch) => watch.pushed?.(asker, to, base)),
  };
}

/** What one life of a place reaches others with. */
export interface SyncGround {
  readonly scheduler: Scheduler;
  readonly clock: ProcessClock;
  readonly life: Life;
  readonly chance: Prng;
  readonly observer: SyncObserver;
}

/** How one life of a place asks. */
export interface SyncRoute {
  /** The name under which it writes. */
  readonly caller: string;
  /** Bounds pages below what is asked for. */
  readonly pageOps: number;
  /** Where a request goes that is sent now. */
  readonly route: () => SyncEnd;
}

/** The transport of one life of a place. */
export class SimSyncTransport implements SyncTransport {
  readonly #ground: SyncGround;
  readonly #init: SyncRoute;

  constructor(ground: SyncGround, init: SyncRoute) {
    this.#ground = ground;
    this.#init = init;
  }

  identity(challenge = ""): Promise<SyncAnswer<Json>> {
    return this.#call((hub) => hub.identity(challenge));
  }

  compare(heads: Digests): Promise<SyncAnswer<Json>> {
    return this.#call((hub) => ({ heads: hub.compare(this.#caller, heads) }));
  }

  pull({ after, held = after, limit, maxBytes, own = false }: PullRequest): Promise<SyncAnswer<Json>> {
    const { pageOps } = this.#init;
    return this.#call((hub, name) => {
      if (!hub.serves) return null;
      const page = hub.pull({
        caller: own ? NOBODY : this.#caller,
        after,
        held,
        limit: Math.min(limit, pageOps),
        maxBytes,
      });
      this.#observer.asked(name, held);
      // A dead life is given nothing any more.
      if (this.#ground.life.alive) this.#observer.pulled(name, page);
      return page;
    });
  }

  push(ops: readonly Op[], snapshot: PushedBase | null): Promise<SyncAnswer<Json>> {
    return this.#call((hub, name) => {
      if (!hub.serves) return null;
      this.#observer.pushed(name, snapshot);
      return hub.push(this.#caller, ops, snapshot);
    });
  }

  close(): void {}

  get #observer(): SyncObserver {
    return this.#ground.observer;
  }

  get #caller(): SyncCaller {
    return { origin: this.#init.caller, token: null };
  }

  #call(work: (hub: Served, name: string) => object | null): Promise<SyncAnswer<Json>> {
    const { clock, chance } = this.#ground;
    const to = this.#init.route();
    return new Promise((settle) => {
      const timer = clock.setTimeout(() => settle(failed("ETIMEDOUT")), TIMEOUT_MS);
      const end = (answer: SyncAnswer<Json>): void => {
        clock.clearTimeout(timer);
        settle(answer);
      };
      this.#send(to, 0, work, end);
      if (chance.chance(REPEATED_SHARE)) this.#send(to, chance.between(0, REPEATED_WITHIN_MS), work, end);
    });
  }

  #send(
    to: SyncEnd,
    laterMs: number,
    work: (hub: Served, name: string) => object | null,
    end: (answer: SyncAnswer<Json>) => void,
  ): void {
    const { scheduler } = this.#ground;
    const { name, way } = to;
    scheduler.after(laterMs + way.there.delayMs(), () => {
      const reached = way.there.cut ? "dark" : to.reach();
      if (reached === "dark") return;
      if (reached === "closed") return this.#answer(to, failed("ECONNREFUSED"), end);
      scheduler.enter(reached.life, "arrival", () => {
        this.#answer(
          to,
          answerOf(() => work(reached.hub, name)),
          end,
        );
      });
    });
  }

  #answer({ way }: SyncEnd, answer: SyncAnswer<Json>, end: (answer: SyncAnswer<Json>) => void): void {
    const { scheduler, life } = this.#ground;
    scheduler.after(way.back.delayMs(), () => {
      if (!way.back.cut) scheduler.enter(life, "arrival", () => end(answer));
    });
  }
}

/** As the HTTP surface answers: what the store refuses is a problem document. null: it serves nobody. */
function answerOf(work: () => object | null): SyncAnswer<Json> {
  try {
    const value = work();
    return value === null ? NOT_SERVING : { outcome: "answered", value: value as Json };
  } catch (error) {
    if (!(error instanceof ChangeoverError)) throw error;
    return { outcome: "refused", status: OVERLOADED, code: error.code };
  }
}

/** As Node says it of a socket. */
function failed(code: string): SyncAnswer<Json> {
  return { outcome: "failed", error: Object.assign(new Error("nobody answered"), { code }) };
}
