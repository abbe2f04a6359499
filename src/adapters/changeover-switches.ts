/**
 * Asks a router or load balancer with an HTTP interface to route to one engine of the pair.
 * One request a call, within its budget; only an answer of 2xx is a confirmation.
 * It does not know the device's language beyond the templates that it is configured with.
 */
import {
  type ChangeoverSwitch,
  REASSERT_MS,
  type RouteOutcome,
  type RouteRequest,
} from "../ports/changeover-switch.ts";
import type { Clock } from "../ports/basics.ts";
import { HttpClient } from "./http-client.ts";
import { type RunningScript, startScript } from "./script.ts";

export interface HttpChangeoverSwitchInit {
  name: string;
  /** `{label}` and `{epoch}` in it are filled in. */
  url: string;
  /** Default `POST`. */
  method?: string;
  headers?: Readonly<Record<string, string>>;
  /** Body, `{label}` and `{epoch}` filled in. Default `{"engineLabel": label, "epoch": epoch}`. */
  body?: string;
  /** Default 1 000. */
  timeoutMs?: number;
  /** How often a confirmed route is asked for again. Default 5 000. */
  reassertMs?: number;
}

const DEFAULT_TIMEOUT_MS = 1_000;
const DEFAULT_BODY = '{"engineLabel":"{label}","epoch":{epoch}}';

export class HttpChangeoverSwitch implements ChangeoverSwitch {
  readonly name: string;
  readonly reassertMs: number;
  readonly #init: HttpChangeoverSwitchInit;
  readonly #client: HttpClient;

  constructor(components: { clock: Clock }, init: HttpChangeoverSwitchInit) {
    this.name = init.name;
    this.reassertMs = init.reassertMs ?? REASSERT_MS;
    this.#init = init;
    this.#client = new HttpClient(components);
  }

  async route(request: RouteRequest): Promise<RouteOutcome> {
    const answer = await this.#client.call({
      method: this.#init.method ?? "POST",
      url: filled(this.#init.url, request),
      headers: { ...this.#init.headers, "x-changeover-epoch": String(request.epoch) },
      body: filled(this.#init.body ?? DEFAULT_BODY, request),
      timeoutMs: this.#init.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    });
    if (answer.outcome === "unreachable" || answer.status >= 500 || answer.status === 429) return "unreachable";
    return answer.status >= 200 && answer.status < 300 ? "confirmed" : "refused";
  }

  withdraw(): void {
    this.#client.breakOff("the leadership ended");
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}

function filled(template: string, request: RouteRequest): string {
  return template.replaceAll("{label}", request.engineLabel).replaceAll("{epoch}", String(request.epoch));
}

// Asks a changeover switch through a script: `SCRIPT <a|b> <epoch>`, also as `CHANGEOVER_LABEL` and `CHANGEOVER_EPOCH`
// in its environment. Exit 0 confirms; 75 (`EX_TEMPFAIL` of sysexits.h), an overrun of the budget or a script that
// cannot be run means unreachable; any other exit refuses. One script at a time; a newer request ends an older one,
// which would route by an old epoch.

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
