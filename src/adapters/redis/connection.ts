/**
 * Purpose: one dedicated connection to Redis, and one call on it: run a script within a time.
 * Keeps true: no call outlives its time or waits for a second attempt to connect, and every answer says which of three
 * things is so: answered, certainly not done, or sent and unknown. Within one connection Redis answers in order, so that
 * a read answered after an unknown swap has seen its result.
 * Does not know: what the scripts do.
 */
import { Command } from "ioredis";
import type { Clock } from "../../ports/clock.ts";
import { FAREWELL_MS, type RedisClient } from "./client.ts";
import { Deadlines } from "./deadlines.ts";
import { isErrorReply, reasonOf, replyCode } from "./reason.ts";
import type { Script } from "./script.ts";

/** One value, or a list of values. */
export type ScriptReply = ScriptValue | readonly ScriptValue[];
export type ScriptValue = string | number | null;

export type ScriptAnswer =
  | { readonly outcome: "answered"; readonly reply: ScriptReply }
  | { readonly outcome: "not-done"; readonly reason: string }
  | { readonly outcome: "unknown"; readonly reason: string };

/** One script with what it needs. `onLate` gets an answer that came after `run` had given up. */
export interface ScriptCall {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
  readonly onLate?: (reply: ScriptReply) => void;
}

/** Settings of `RedisConnection`. */
export interface RedisConnectionInit {
  /** From the call to its answer, ms. */
  readonly timeoutMs: number;
}

/** Calls on the connection without an answer, those that timed out included. */
const MAX_UNANSWERED = 1_024;

export class RedisConnection {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #client: RedisClient;
  readonly #deadlines: Deadlines;
  /** Ends with the first attempt to connect, whichever way; until then calls wait for it, later ones never. */
  readonly #firstAttempt: Promise<void>;
  #attempted = false;
  #unanswered = 0;
  #fault = "not connected yet";
  #closing: Promise<void> | null = null;

  /** Owns `client` from now on. */
  constructor(components: { readonly clock: Clock; readonly client: RedisClient }, init: RedisConnectionInit) {
    this.#clock = components.clock;
    this.#timeoutMs = init.timeoutMs;
    this.#deadlines = new Deadlines(components);
    this.#client = components.client;
    this.#client.on("error", (error: unknown) => (this.#fault = reasonOf(error)));
    this.#firstAttempt = new Promise((resolve) => {
      const done = (): void => {
        this.#attempted = true;
        resolve();
      };
      for (const event of ["ready", "error", "close", "end"]) this.#client.once(event, done);
    });
  }

  /** Runs one script. Never rejects. */
  run(call: ScriptCall): Promise<ScriptAnswer> {
    if (this.#client.status === "ready") return this.#send(call, this.#timeoutMs);
    if (this.#attempted) return Promise.resolve(this.#notConnected());
    return this.#sendAfterFirstAttempt(call);
  }

  /** Closes the connection for good; calls under way end as unknown. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#disconnect();
    return this.#closing;
  }

  async #sendAfterFirstAttempt(call: ScriptCall): Promise<ScriptAnswer> {
    const calledAtMonoMs = this.#clock.monoMs();
    await this.#within(this.#firstAttempt, this.#timeoutMs);
    const leftMs = this.#timeoutMs - (this.#clock.monoMs() - calledAtMonoMs);
    return this.#client.status === "ready" && leftMs > 0 ? this.#send(call, leftMs) : this.#notConnected();
  }

  #send(call: ScriptCall, timeoutMs: number): Promise<ScriptAnswer> {
    if (this.#unanswered >= MAX_UNANSWERED) {
      return Promise.resolve({ outcome: "not-done", reason: "too many calls without an answer" });
    }
    this.#unanswered += 1;
    return new Promise((resolve) => {
      let late = false;
      const deadline = {
        atMonoMs: this.#clock.monoMs() + timeoutMs,
        expire: () => {
          late = true;
          resolve({ outcome: "unknown", reason: "no answer in time" });
        },
      };
      this.#deadlines.add(deadline);
      this.#evaluate(call, (answer) => {
        this.#unanswered -= 1;
        this.#deadlines.done(deadline);
        if (!late) resolve(answer);
        else if (answer.outcome === "answered") call.onLate?.(answer.reply);
      });
    });
  }

  /** By its hash first; with the whole text only where the server does not know it (a new or flushed one). */
  #evaluate({ script, keys, args }: ScriptCall, settle: (answer: ScriptAnswer) => void): void {
    const answered = (reply: unknown): void => settle({ outcome: "answered", reply: reply as ScriptReply });
    const failed = (error: unknown): void => {
      const outcome = isErrorReply(error) ? "not-done" : "unknown";
      settle({ outcome, reason: reasonOf(error) });
    };
    const rest = [keys.length, ...keys, ...args];
    this.#command("evalsha", [script.sha, ...rest]).then(answered, (error: unknown) => {
      if (replyCode(error) !== "NOSCRIPT") return failed(error);
      this.#command("eval", [script.lua, ...rest]).then(answered, failed);
    });
  }

  /** As the client's own method of that name, without the twentieth of the time that its conveniences take. */
  #command(name: "eval" | "evalsha", args: (string | number)[]): Promise<unknown> {
    return this.#client.sendCommand(new Command(name, args, { replyEncoding: "utf8" })) as Promise<unknown>;
  }

  #notConnected(): ScriptAnswer {
    return { outcome: "not-done", reason: this.#closing === null ? this.#fault : "closed" };
  }

  async #disconnect(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#client.once("end", resolve));
    const mustEnd = !["end", "wait", "reconnecting"].includes(this.#client.status);
    this.#client.disconnect();
    if (mustEnd) await this.#within(ended, 2 * FAREWELL_MS);
    this.#deadlines.close();
  }

  async #within(event: Promise<void>, ms: number): Promise<void> {
    let stop = (): void => undefined;
    const time = new Promise<void>((resolve) => {
      const timer = this.#clock.setTimeout(resolve, ms);
      stop = () => this.#clock.clearTimeout(timer);
    });
    await Promise.race([event, time]);
    stop();
  }
}
