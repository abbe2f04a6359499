/**
 * Purpose: asks a changeover switch through a script: `SCRIPT <a|b> <epoch>`, also as `CHANGEOVER_LABEL` and
 * `CHANGEOVER_EPOCH` in its environment. Exit 0 confirms; 75 (`EX_TEMPFAIL` of sysexits.h), an overrun of the budget or
 * a script that cannot be run means unreachable; any other exit refuses.
 * Keeps true: one script at a time; a newer request ends an older one, which would route by an old epoch.
 */
import {
  type ChangeoverSwitch,
  REASSERT_MS,
  type RouteOutcome,
  type RouteRequest,
} from "../ports/changeover-switch.ts";
import type { Clock } from "../ports/clock.ts";
import { type RunningScript, startScript } from "./script.ts";

export interface ExecChangeoverSwitchInit {
  name: string;
  /** Program and its first arguments; run without a shell. */
  command: readonly string[];
  /** Default 2 000. */
  budgetMs?: number;
  /** How often a confirmed route is asked for again. Default 5 000. */
  reassertMs?: number;
}

const DEFAULT_BUDGET_MS = 2_000;
const TEMPORARY_FAILURE = 75;

export class ExecChangeoverSwitch implements ChangeoverSwitch {
  readonly name: string;
  readonly reassertMs: number;
  readonly #clock: Clock;
  readonly #init: ExecChangeoverSwitchInit;
  #running: RunningScript | null = null;
  #closed = false;

  constructor(components: { clock: Clock }, init: ExecChangeoverSwitchInit) {
    this.name = init.name;
    this.reassertMs = init.reassertMs ?? REASSERT_MS;
    this.#clock = components.clock;
    this.#init = init;
  }

  async route(request: RouteRequest): Promise<RouteOutcome> {
    if (this.#closed) return "unreachable";
    this.#running?.kill();
    const epoch = String(request.epoch);
    const script = startScript(
      { clock: this.#clock },
      {
        argv: [...this.#init.command, request.engineLabel, epoch],
        env: { CHANGEOVER_LABEL: request.engineLabel, CHANGEOVER_EPOCH: epoch },
        budgetMs: this.#init.budgetMs ?? DEFAULT_BUDGET_MS,
      },
    );
    this.#running = script;
    const ended = await script.done;
    if (this.#running === script) this.#running = null;
    if (ended.outcome !== "exited" || ended.code === TEMPORARY_FAILURE) return "unreachable";
    return ended.code === 0 ? "confirmed" : "refused";
  }

  withdraw(): void {
    this.#running?.kill();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const script = this.#running;
    script?.kill();
    await script?.done;
  }
}
