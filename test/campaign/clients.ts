/**
 * Clients that give commands to both engines all along, each command under its own idempotency key, and remember every
 * answer.
 *
 * Persistent clients ask until a command is acknowledged, at whichever engine leads; loyal ones stay with one engine, so
 * that both sides of a split have commands; impatient ones ask once and take the answer as it is [I17].
 */
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { AS_OPERATOR } from "./plant.ts";

export type Manner = "persistent" | "loyal" | "impatient";

/** What one engine said to one try; `status` null: no answer came. */
export interface Answer {
  readonly engine: Label;
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly status: number | null;
  readonly code: string | null;
  readonly epoch: number | null;
  readonly seq: number | null;
  readonly durability: "pair" | "local" | null;
}

/** One command of one client. */
export interface Order {
  readonly client: string;
  readonly manner: Manner;
  /** Ascending for each client, from 0. */
  readonly nth: number;
  readonly key: string;
  readonly kind: string;
  readonly answers: Answer[];
}

const PACE_MS = 60;
const RETRY_MS = 15;
const TRY_WITHIN_MS = 2_000;
const ACKNOWLEDGED_WITHIN_MS = 30_000;
/** After the clients were asked to stop. */
const FINISHED_WITHIN_MS = 5_000;
/** In place of a code: nobody took the connection, so that nothing was asked. */
export const NOBODY_THERE = "nobody there";
export const LOAD_PATH = "/campaign/";

export class Clients {
  readonly orders: Order[] = [];
  /** Nobody else is given commands; null: both are. */
  only: Label | null;
  readonly #urls: Readonly<Record<Label, string>>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });
  readonly #done: Promise<unknown>;
  #running = true;
  #stoppedMs = Infinity;

  constructor(urls: Readonly<Record<Label, string>>, only: Label | null) {
    this.#urls = urls;
    this.only = only;
    const each: readonly (readonly [string, Manner, Label])[] = [
      ["p1", "persistent", "a"],
      ["p2", "persistent", "b"],
      ["la", "loyal", "a"],
      ["lb", "loyal", "b"],
      ["i1", "impatient", "a"],
      ["i2", "impatient", "b"],
    ];
    this.#done = Promise.all(each.map(async ([name, manner, engine]) => this.#live(name, manner, engine)));
  }

  /** Resolves when no command is under way any more. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#stoppedMs = performance.now();
    await this.#done;
  }

  /** Asks once more under the key of a command that was given. */
  async askAgain(order: Order, engine: Label): Promise<Answer> {
    return this.#give(order, engine);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #live(client: string, manner: Manner, home: Label): Promise<void> {
    let engine = home;
    for (let nth = 0; this.#running; nth += 1) {
      const order = {
        client,
        manner,
        nth,
        key: `${client}-${nth}`,
        kind: `POST ${LOAD_PATH}${client}/${nth}`,
        answers: [],
      };
      this.orders.push(order);
      engine = await this.#order(order, engine);
      await delay(PACE_MS);
    }
  }

  /** Returns the engine to ask next. */
  async #order(order: Order, home: Label): Promise<Label> {
    const sinceMs = performance.now();
    let engine = home;
    for (;;) {
      const answer = await this.#give(order, engine);
      order.answers.push(answer);
      if (order.manner === "loyal") return home;
      if (order.manner === "impatient") return answer.status === 200 ? engine : otherLabel(engine);
      if (answer.status === 200 || this.#isHopeless(sinceMs)) return engine;
      if (answer.status === 409 || answer.status === null) engine = otherLabel(engine);
      await delay(RETRY_MS);
    }
  }

  /** A command that was begun is asked to its end, so that the account of it is complete, but the round must end too. */
  #isHopeless(sinceMs: number): boolean {
    const nowMs = performance.now();
    return nowMs - sinceMs > ACKNOWLEDGED_WITHIN_MS || nowMs - this.#stoppedMs > FINISHED_WITHIN_MS;
  }

  async #give(order: Order, wanted: Label): Promise<Answer> {
    const engine = this.only ?? wanted;
    const sentMs = performance.now();
    const { status, text } = await this.#post(engine, {
      kind: order.kind,
      payload: { n: order.nth },
      idempotencyKey: order.key,
    });
    const said = parse(text);
    return {
      engine,
      sentMs,
      answeredMs: performance.now(),
      status,
      code: textOf(said["code"]),
      epoch: numberOf(said["epoch"]),
      seq: numberOf(said["seq"]),
      durability: said["durability"] === "pair" || said["durability"] === "local" ? said["durability"] : null,
    };
  }

  async #post(engine: Label, command: object): Promise<{ readonly status: number | null; readonly text: string }> {
    return new Promise((resolve) => {
      const nothing = (error?: NodeJS.ErrnoException): void => {
        resolve({ status: null, text: error?.code === "ECONNREFUSED" ? JSON.stringify({ code: NOBODY_THERE }) : "" });
      };
      const options = {
        method: "POST",
        agent: this.#agent,
        timeout: TRY_WITHIN_MS,
        headers: { "content-type": "application/json", ...AS_OPERATOR },
      };
      const call = request(`${this.#urls[engine]}/api/commands`, options, (response) => {
        let text = "";
        response.on("data", (piece: Buffer) => (text += piece.toString()));
        response.on("end", () => resolve({ status: response.statusCode ?? null, text }));
        response.on("error", () => nothing());
      });
      call.on("timeout", () => call.destroy());
      call.on("error", nothing);
      call.end(JSON.stringify(command));
    });
  }
}

/** Whether the command of this answer may have been done, and may not. */
export function isUncertain({ status, code }: Answer): boolean {
  return code === "outcome_unknown" || (status === null && code !== NOBODY_THERE);
}

/** The answer that acknowledged it; null: none did. */
export function acknowledgement(order: Order): Answer | null {
  return order.answers.find(({ status }) => status === 200) ?? null;
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
