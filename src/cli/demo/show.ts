/**
 * Plays the rundown: the calls of a real switcher's REST API, one after the other, to the leader, and keeps
 * an account of every command that was acknowledged.
 * A call is repeated under the same idempotency key until it is acknowledged, so that no fault makes it two.
 */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Durability } from "../../core/command.ts";
import { type Label, otherLabel } from "../../core/ids.ts";
import { packageRoot } from "../../host/package-root.ts";
import { CliError, EXIT } from "../exit.ts";

/** One call of the rundown. */
export interface ShowCall {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** One acknowledged command. */
export interface Acknowledged {
  readonly key: string;
  readonly kind: string;
  readonly epoch: number;
  readonly seq: number;
  readonly durability: Durability;
  readonly atMonoMs: number;
}

/** What a try came to: done, refused for good, or to be tried again at this engine. */
type Try = { readonly acknowledged: Acknowledged } | { readonly refused: string } | { readonly again: Label };

interface Refusal {
  readonly code?: string;
  readonly detail?: string;
  readonly leaderUrl?: string | null;
}

interface Accepted {
  readonly seq: number;
  readonly epoch: number;
  readonly durability: Durability;
}

const TRY_WITHIN_MS = 500;
const ACKNOWLEDGED_WITHIN_MS = 15_000;
const PAUSE_MS = 5;

export class Show {
  readonly acknowledged: Acknowledged[] = [];
  readonly refused: string[] = [];
  readonly #calls: readonly ShowCall[];
  readonly #urls: Readonly<Record<Label, string>>;
  readonly #name: string;
  #leader: Label = "a";
  #next = 0;

  /** @param name of this caller, so that no other caller's keys are its keys */
  constructor(calls: readonly ShowCall[], urls: Readonly<Record<Label, string>>, name = "show") {
    this.#calls = calls;
    this.#urls = urls;
    this.#name = name;
  }

  /** How many calls the rundown has left in this round. */
  get left(): number {
    return this.#calls.length - (this.#next % this.#calls.length);
  }

  /** Plays the next `count` calls; after the last one the rundown begins again. `only` never asks the other engine. */
  async play(count: number, only: Label | null = null): Promise<void> {
    for (let played = 0; played < count; played += 1) await this.#playNext(only);
  }

  async #playNext(only: Label | null): Promise<void> {
    const call = this.#calls[this.#next % this.#calls.length];
    if (call === undefined) throw new CliError(EXIT.failed, "the rundown is empty");
    const key = `${this.#name}-${process.pid}-${this.#next}`;
    this.#next += 1;
    const deadlineMs = performance.now() + ACKNOWLEDGED_WITHIN_MS;
    let engine = only ?? this.#leader;
    while (performance.now() < deadlineMs) {
      const outcome = await this.#try(engine, call, key);
      if ("again" in outcome) {
        engine = only ?? outcome.again;
        await delay(PAUSE_MS);
        continue;
      }
      if ("refused" in outcome) this.refused.push(outcome.refused);
      else this.acknowledged.push(outcome.acknowledged);
      if (only === null) this.#leader = engine;
      return;
    }
    throw new CliError(
      EXIT.failed,
      `${call.method} ${call.path} was not acknowledged within ${ACKNOWLEDGED_WITHIN_MS} ms`,
    );
  }

  async #try(engine: Label, call: ShowCall, key: string): Promise<Try> {
    const kind = `${call.method} ${call.path}`;
    try {
      const response = await fetch(`${this.#urls[engine]}/engine${call.path}`, {
        method: call.method,
        headers: {
          "idempotency-key": key,
          ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        signal: AbortSignal.timeout(TRY_WITHIN_MS),
      });
      const answer = (await response.json()) as Accepted & Refusal;
      if (response.ok) {
        const { seq, epoch, durability } = answer;
        return { acknowledged: { key, kind, seq, epoch, durability, atMonoMs: performance.now() } };
      }
      if (response.status === 409) return { again: this.#engineAt(answer.leaderUrl) ?? otherLabel(engine) };
      if (response.status >= 500) return { again: engine };
      return { refused: `${kind}: ${response.status} ${answer.code ?? ""} ${answer.detail ?? ""}` };
    } catch {
      // Killed, frozen or just gone: the same command under the same key may go to the other engine.
      return { again: otherLabel(engine) };
    }
  }

  #engineAt(url: string | null | undefined): Label | null {
    if (url === undefined || url === null) return null;
    return url === this.#urls.a ? "a" : url === this.#urls.b ? "b" : null;
  }
}

/** The rundown that comes with the package. */
export function loadRundown(): readonly ShowCall[] {
  const text = readFileSync(new URL("examples/show/switcher-calls.jsonl", packageRoot()), "utf8");
  return text.split("\n").flatMap((call) => (call === "" ? [] : [JSON.parse(call) as ShowCall]));
}
