/**
 * Purpose: asks a router or load balancer with an HTTP interface to route to one engine of the pair.
 * Keeps true: one request a call, within its budget; only an answer of 2xx is a confirmation.
 * Does not know: the device's language beyond the templates that it is configured with.
 */
import {
  type ChangeoverSwitch,
  REASSERT_MS,
  type RouteOutcome,
  type RouteRequest,
} from "../ports/changeover-switch.ts";
import type { Clock } from "../ports/clock.ts";
import { HttpClient } from "./http-client.ts";

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
