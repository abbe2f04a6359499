/**
 * Purpose: one dedicated connection to Redis, and one call on it: run a script within a time.
 * Keeps true: nothing waits in a queue for a connection, nothing is sent twice by itself, and no call outlives its time.
 * Every answer says which of three things is so: answered, certainly not done, or sent and unknown. It connects in the
 * background from the start, reconnects for ever with a capped back-off, and never throws for a server out of reach.
 * Within one connection Redis answers in order, so that a read answered after an unknown swap has seen its result.
 * Does not know: what the scripts do.
 */
import { Cluster, Redis } from "ioredis";
import { assertNever } from "../../core/assert.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RedisAddress } from "./address.ts";
import { isErrorReply, reasonOf, replyCode } from "./reason.ts";
import type { Script } from "./scripts.ts";

export type ScriptReply = readonly (string | number | null)[];

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

export interface RedisConnectionInit {
  readonly address: RedisAddress;
  /** From the call to its answer, ms. */
  readonly timeoutMs: number;
  readonly sentinelPassword?: string | undefined;
}

/** First and longest pause before it connects again, ms: short, because the witness is one vote of two. */
const RECONNECT_MIN_MS = 20;
const RECONNECT_MAX_MS = 250;
/** Time for TCP and TLS to connect, ms. */
const CONNECT_MS = 1_000;
/** A connection on which nothing has come back for so long is given up, ms (and at least twice `timeoutMs`). */
const SILENT_LINK_MS = 1_000;
/** How often a server that is still loading is asked, and how long a farewell may take, ms. */
const LOADING_RETRY_MS = 200;
const FAREWELL_MS = 200;
/** Calls on the connection without an answer, those that timed out included. */
const MAX_UNANSWERED = 1_024;

export class RedisConnection {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #client: Redis | Cluster;
  /** Ends with the first attempt to connect, whichever way; until then calls wait for it, later ones never. */
  readonly #firstAttempt: Promise<void>;
  #attempted = false;
  #unanswered = 0;
  #fault = "not connected yet";
  #closing: Promise<void> | null = null;

  constructor(components: { readonly clock: Clock }, init: RedisConnectionInit) {
    this.#clock = components.clock;
    this.#timeoutMs = init.timeoutMs;
    this.#client = openClient(init);
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
      const timer = this.#clock.setTimeout(() => {
        late = true;
        resolve({ outcome: "unknown", reason: "no answer in time" });
      }, timeoutMs);
      this.#evaluate(call, (answer) => {
        this.#unanswered -= 1;
        this.#clock.clearTimeout(timer);
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
    this.#client.evalsha(script.sha, keys.length, ...keys, ...args).then(answered, (error: unknown) => {
      if (replyCode(error) !== "NOSCRIPT") return failed(error);
      this.#client.eval(script.lua, keys.length, ...keys, ...args).then(answered, failed);
    });
  }

  #notConnected(): ScriptAnswer {
    return { outcome: "not-done", reason: this.#closing === null ? this.#fault : "closed" };
  }

  async #disconnect(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#client.once("end", resolve));
    const mustEnd = !["end", "wait", "reconnecting"].includes(this.#client.status);
    this.#client.disconnect();
    if (mustEnd) await this.#within(ended, 2 * FAREWELL_MS);
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

/** Redirections are followed (what was redirected was not done); nothing that may have been done is sent again. */
const CLUSTER_OPTIONS = {
  enableOfflineQueue: false,
  clusterRetryStrategy: reconnectDelayMs,
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 0,
  slotsRefreshTimeout: CONNECT_MS,
} as const;

function openClient(init: RedisConnectionInit): Redis | Cluster {
  const { address } = init;
  const options = nodeOptions(init);
  switch (address.kind) {
    case "single":
      return new Redis({ ...options, ...address.node, db: address.db });
    case "sentinel":
      return new Redis({
        ...options,
        sentinels: address.sentinels.map((node) => ({ ...node })),
        name: address.name,
        sentinelPassword: init.sentinelPassword,
        sentinelCommandTimeout: CONNECT_MS,
        sentinelRetryStrategy: reconnectDelayMs,
        enableTLSForSentinelMode: address.tls,
        ...(address.tls ? { sentinelTLS: {} } : {}),
      });
    case "cluster":
      return new Cluster(
        address.nodes.map((node) => ({ ...node })),
        { redisOptions: options, ...CLUSTER_OPTIONS },
      );
    default:
      return assertNever(address);
  }
}

function nodeOptions({ address, timeoutMs }: RedisConnectionInit) {
  return {
    connectionName: "changeover-witness",
    ...(address.username === null ? {} : { username: address.username }),
    ...(address.password === null ? {} : { password: address.password }),
    ...(address.tls ? { tls: {} } : {}),
    protocol: 2,
    disableClientInfo: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    connectTimeout: CONNECT_MS,
    disconnectTimeout: FAREWELL_MS,
    maxLoadingRetryTime: LOADING_RETRY_MS,
    socketTimeout: Math.max(SILENT_LINK_MS, 2 * timeoutMs),
    retryStrategy: reconnectDelayMs,
    // A server that has become a replica is of no use: look for the one that took its place.
    reconnectOnError: (error: Error) => replyCode(error) === "READONLY",
  } as const;
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(RECONNECT_MIN_MS * 2 ** Math.min(attempt - 1, 8), RECONNECT_MAX_MS);
}
