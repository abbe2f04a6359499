/**
 * The changeover switches of the virtual world: a router that compares epochs, and a device that a script sets, which
 * compares nothing; and the way by which one life of an engine asks each.
 */
import type { Label } from "../../core/ids.ts";
import {
  REASSERT_MS,
  type ChangeoverSwitch,
  type RouteOutcome,
  type RouteRequest,
} from "../../ports/changeover-switch.ts";
import type { ProcessClock } from "../ground/host-clock.ts";
import type { Prng } from "../ground/prng.ts";
import type { Life, Scheduler } from "../ground/scheduler.ts";

const TIMEOUT_MS = 300;
const TAKES_MS = 1;
const MEAN_EXTRA_MS = 8;
const UNREACHABLE_SHARE = 0.2;

/** The device. It compares epochs, as a device that takes part in fencing does. */
export class SimRouter {
  epoch = 0;
  routedTo: Label | null = null;

  /** Whether it takes the wish. */
  take({ engineLabel, epoch }: RouteRequest): boolean {
    if (epoch < this.epoch) return false;
    this.epoch = epoch;
    this.routedTo = engineLabel;
    return true;
  }
}

export interface SwitchGround {
  readonly router: SimRouter;
  readonly scheduler: Scheduler;
  readonly clock: ProcessClock;
  readonly life: Life;
  readonly chance: Prng;
  /** The engine asks, now. */
  readonly asked: (request: RouteRequest) => void;
}

export class SimSwitch implements ChangeoverSwitch {
  readonly name = "router";
  readonly reassertMs = REASSERT_MS;
  readonly #ground: SwitchGround;

  constructor(ground: SwitchGround) {
    this.#ground = ground;
  }

  route(request: RouteRequest): Promise<RouteOutcome> {
    const { router, scheduler, clock, life, chance, asked } = this.#ground;
    if (!life.alive) return new Promise(() => undefined);
    asked(request);
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => resolve("unreachable"), TIMEOUT_MS);
      const lost = chance.chance(UNREACHABLE_SHARE);
      scheduler.after(TAKES_MS + chance.waiting(MEAN_EXTRA_MS), () => {
        const outcome = router.take(request) ? "confirmed" : "refused";
        if (lost) return;
        scheduler.enter(life, "arrival", () => {
          clock.clearTimeout(timer);
          resolve(outcome);
        });
      });
    });
  }

  /** What is on its way to the router arrives there all the same. */
  withdraw(): void {}

  async close(): Promise<void> {}
}

/** Most scripts are quick; some wait for a device. */
const SCRIPT_MS = 5;
const SLOW_SCRIPT_SHARE = 0.25;
const SLOWEST_SCRIPT_MS = 2_000;

/** A device that goes where the last script has put it. */
export class SimScriptTarget {
  routedTo: Label | null = null;
}

export interface ScriptGround extends Omit<SwitchGround, "router"> {
  readonly target: SimScriptTarget;
  readonly label: Label;
  /** A script has done its work. `orphaned`: its engine could not have stopped it. */
  readonly ran: (request: RouteRequest, orphaned: boolean) => void;
}

/** A target of kind exec. Its script lives on when the engine dies, as a child process does. */
export class SimScriptSwitch implements ChangeoverSwitch {
  readonly name = "script";
  readonly reassertMs = REASSERT_MS;
  readonly #ground: ScriptGround;
  #running: { killed: boolean } | null = null;

  constructor(ground: ScriptGround) {
    this.#ground = ground;
  }

  route(request: RouteRequest): Promise<RouteOutcome> {
    const { target, scheduler, life, chance, asked, ran } = this.#ground;
    if (!life.alive) return new Promise(() => undefined);
    asked(request);
    this.withdraw();
    const run = (this.#running = { killed: false });
    const takesMs = chance.chance(SLOW_SCRIPT_SHARE) ? chance.between(SCRIPT_MS, SLOWEST_SCRIPT_MS) : SCRIPT_MS;
    return new Promise((resolve) => {
      scheduler.after(takesMs, () => {
        if (run.killed) return resolve("unreachable");
        target.routedTo = request.engineLabel;
        ran(request, !life.alive || life.paused);
        scheduler.enter(life, "arrival", () => resolve("confirmed"));
      });
    });
  }

  withdraw(): void {
    if (this.#running !== null) this.#running.killed = true;
    this.#running = null;
  }

  async close(): Promise<void> {
    this.withdraw();
  }
}
