/**
 * Purpose: `/sync` of the pair as a spoke reaches it: over a way that delays, loses, repeats and overtakes, to whichever
 * engine the spoke's requests are led to.
 * Keeps true: every call ends, by an answer or by the spoke's own time-out. A request that came twice was carried out
 * twice, the second time perhaps long after newer ones.
 */
import type { Json } from "../core/canonical-json.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { Label } from "../core/ids.ts";
import type { Op } from "../core/operation.ts";
import type { PullRequest, PushedBase, SyncAnswer, SyncTransport } from "../ports/sync-transport.ts";
import type { SyncCaller } from "../replication/callers.ts";
import type { Hub, PullPage } from "../replication/hub.ts";
import type { ProcessClock } from "./host-clock.ts";
import type { Path } from "./network.ts";
import type { Prng } from "./prng.ts";
import type { Life, Scheduler } from "./scheduler.ts";
import type { SimProcess } from "./sim-process.ts";

const TIMEOUT_MS = 1_000;
/** Requests that a proxy on the way sends twice. */
const REPEATED_SHARE = 0.03;
const REPEATED_WITHIN_MS = 4_000;
const OVERLOADED = 503;

/** There and back between a spoke and one engine. */
export interface SpokeWay {
  readonly there: Path;
  readonly back: Path;
}

/** Sees what passes, for the checkers. */
export interface SyncObserver {
  asked(to: Label, after: string): void;
  pulled(from: Label, page: PullPage): void;
  pushed(to: Label, base: PushedBase | null): void;
}

/** What one life of a spoke reaches the pair with. */
export interface SyncGround {
  readonly scheduler: Scheduler;
  readonly engines: Readonly<Record<Label, SimProcess>>;
  readonly ways: Readonly<Record<Label, SpokeWay>>;
  readonly clock: ProcessClock;
  readonly life: Life;
  readonly chance: Prng;
  readonly observer: SyncObserver;
}

/** The transport of one life of a spoke. */
export class SimSyncTransport implements SyncTransport {
  readonly #ground: SyncGround;
  readonly #init: { readonly caller: string; readonly pageOps: number; readonly route: () => Label };

  /** `pageOps` bounds pages below what the spoke asks for; `route` says where a request goes that is sent now. */
  constructor(
    ground: SyncGround,
    init: { readonly caller: string; readonly pageOps: number; readonly route: () => Label },
  ) {
    this.#ground = ground;
    this.#init = init;
  }

  identity(): Promise<SyncAnswer<Json>> {
    return this.#call((hub) => hub.identity());
  }

  pull({ after, limit, maxBytes }: PullRequest): Promise<SyncAnswer<Json>> {
    const { pageOps } = this.#init;
    return this.#call((hub, label) => {
      this.#ground.observer.asked(label, after);
      const page = hub.pull({ caller: this.#caller, after, limit: Math.min(limit, pageOps), maxBytes });
      this.#ground.observer.pulled(label, page);
      return page;
    });
  }

  push(ops: readonly Op[], snapshot: PushedBase | null): Promise<SyncAnswer<Json>> {
    return this.#call((hub, label) => {
      this.#ground.observer.pushed(label, snapshot);
      return hub.push(this.#caller, ops, snapshot);
    });
  }

  close(): void {}

  get #caller(): SyncCaller {
    return { origin: this.#init.caller, token: null };
  }

  #call(work: (hub: Hub, label: Label) => object): Promise<SyncAnswer<Json>> {
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
    to: Label,
    laterMs: number,
    work: (hub: Hub, label: Label) => object,
    end: (answer: SyncAnswer<Json>) => void,
  ): void {
    const { scheduler, ways, engines } = this.#ground;
    const { there } = ways[to];
    scheduler.after(laterMs + there.delayMs(), () => {
      const { coordinator, life, serving, machine } = engines[to];
      if (there.cut || !machine.powered) return;
      if (coordinator === null || life === null || !serving) return this.#answer(to, failed("ECONNREFUSED"), end);
      scheduler.enter(life, "arrival", () => {
        this.#answer(
          to,
          answerOf(() => work(coordinator.replication.hub, to)),
          end,
        );
      });
    });
  }

  #answer(from: Label, answer: SyncAnswer<Json>, end: (answer: SyncAnswer<Json>) => void): void {
    const { scheduler, ways, life } = this.#ground;
    const { back } = ways[from];
    scheduler.after(back.delayMs(), () => {
      if (!back.cut) scheduler.enter(life, "arrival", () => end(answer));
    });
  }
}

/** As the HTTP surface answers: what the store refuses is a problem document. */
function answerOf(work: () => object): SyncAnswer<Json> {
  try {
    return { outcome: "answered", value: work() as Json };
  } catch (error) {
    if (!(error instanceof ChangeoverError)) throw error;
    return { outcome: "refused", status: OVERLOADED, code: error.code };
  }
}

/** As Node says it of a socket. */
function failed(code: string): SyncAnswer<Json> {
  return { outcome: "failed", error: Object.assign(new Error("the hub did not answer"), { code }) };
}
