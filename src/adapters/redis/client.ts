/**
 * The ioredis client with the settings that the witness and the feed need. Nothing waits in a queue for a connection, and
 * nothing that may have been done is sent again by itself. It connects in the background, reconnects for ever with a capped
 * back-off, gives up a connection that has gone silent, and never throws for a server out of reach.
 *
 * Behind Sentinels it leaves a server as soon as a Sentinel announces another one, and as soon as the server answers that
 * it cannot serve. ioredis has a detector of its own for the first, but it prints every failure to reach a Sentinel.
 */
import { Cluster, Redis, Command } from "ioredis";
import { assertNever } from "../../core/errors.ts";
import { type RedisAddress, type SentinelAddress, replyCode, isErrorReply, reasonOf } from "./address.ts";
import { createHash } from "node:crypto";
import type { Clock, TimerHandle } from "../../ports/basics.ts";

export type RedisClient = Redis | Cluster;

/** Settings of `openRedisClient`. */
export interface RedisClientInit {
  readonly address: RedisAddress;
  /** Time-out of one call, ms. */
  readonly timeoutMs: number;
  readonly sentinelPassword?: string | undefined;
  /** What the server shows as the connection's name. Default `changeover-witness`. */
  readonly connectionName?: string;
  /** For a URL that asks for TLS: a private CA, and a certificate of one's own, as PEM. */
  readonly tls?: TlsInit | undefined;
}

/** What TLS trusts and shows, as PEM text. */
export interface TlsInit {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** First and longest pause before it connects again, ms: short, because the witness is one vote of two. */
const RECONNECT_MIN_MS = 20;
const RECONNECT_MAX_MS = 250;
/** Time for TCP and TLS to connect, ms. */
const CONNECT_MS = 1_000;
/** A connection on which nothing has come back for so long is given up, ms (and at least twice `timeoutMs`). */
const SILENT_LINK_MS = 1_000;
/** How often a server that is still loading its data is asked, ms. */
const LOADING_RETRY_MS = 200;
/** How often a Sentinel that is away is tried again, ms. */
const SENTINEL_RETRY_MS = 1_000;
/** Answers of a server that has lost its place, or is about to: the Sentinels may know a better one. */
const UNFIT: ReadonlySet<string> = new Set(["READONLY", "NOREPLICAS", "LOADING", "MASTERDOWN"]);
/** How long a closing connection may take to say farewell, ms. */
export const FAREWELL_MS = 200;
/** Redirections are followed (what was redirected was not done); nothing that may have been done is sent again. */
const CLUSTER_OPTIONS = {
  enableOfflineQueue: false,
  clusterRetryStrategy: reconnectDelayMs,
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 0,
  slotsRefreshTimeout: CONNECT_MS,
} as const;

/** An ioredis client of these settings; it connects in the background. */
export function openRedisClient(init: RedisClientInit): RedisClient {
  const { address, tls = {} } = init;
  const options = nodeOptions(init);
  switch (address.kind) {
    case "single":
      return new Redis({ ...options, ...address.node, db: address.db });
    case "sentinel": {
      const redis = new Redis({
        ...options,
        reconnectOnError: (error: Error) => UNFIT.has(replyCode(error)),
        sentinels: address.sentinels.map((node) => ({ ...node })),
        name: address.name,
        sentinelPassword: init.sentinelPassword,
        sentinelCommandTimeout: CONNECT_MS,
        sentinelRetryStrategy: reconnectDelayMs,
        enableTLSForSentinelMode: address.tls,
        ...(address.tls ? { sentinelTLS: tls } : {}),
      });
      followSentinels(redis, address, init);
      return redis;
    }
    case "cluster":
      return new Cluster(
        address.nodes.map((node) => ({ ...node })),
        { redisOptions: options, ...CLUSTER_OPTIONS },
      );
    default:
      return assertNever(address);
  }
}

/**
 * Drops the connection as soon as any Sentinel announces a new primary, so that the client asks for it at once. The old one
 * may still answer for ten seconds, with `NOREPLICAS` or, worse, with success.
 */
function followSentinels(
  redis: Redis,
  address: SentinelAddress,
  { tls = {}, sentinelPassword }: RedisClientInit,
): void {
  const listeners = address.sentinels.map((node) => {
    const listener = new Redis({
      ...node,
      ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
      ...(address.tls ? { tls } : {}),
      protocol: 2,
      disableClientInfo: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: null,
      connectTimeout: CONNECT_MS,
      retryStrategy: () => SENTINEL_RETRY_MS,
    });
    // A Sentinel that is away is no fault of the witness; the client itself asks the others.
    listener.on("error", () => undefined);
    listener.on("message", (_channel, message) => {
      if (message.startsWith(`${address.name} `) && redis.status === "ready") redis.disconnect(true);
    });
    listener.subscribe("+switch-master").catch(() => undefined);
    return listener;
  });
  redis.once("end", () => {
    for (const listener of listeners) listener.disconnect();
  });
}

function nodeOptions({ address, timeoutMs, connectionName = "changeover-witness", tls = {} }: RedisClientInit) {
  return {
    connectionName,
    ...(address.username === null ? {} : { username: address.username }),
    ...(address.password === null ? {} : { password: address.password }),
    ...(address.tls ? { tls } : {}),
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

// A step that Redis takes as one: a Lua script and the name by which the server remembers it.

/** A Lua script and the SHA-1 by which Redis remembers it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export function script(lua: string): Script {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

// The time-outs of many calls on one timer: arming a timer for each call cost a tenth of the call. Each call's `expire`
// runs once, not before its deadline, unless the call was done before. Bounded by anyone who adds: a call is forgotten
// when it is done or expired.

/** One call that is waited for. */
export interface Deadline {
  readonly atMonoMs: number;
  readonly expire: () => void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #waiting = new Set<Deadline>();
  #timer: TimerHandle | null = null;
  /** Infinity while no timer runs. */
  #wakesAtMonoMs = Infinity;

  constructor(components: { readonly clock: Clock }) {
    this.#clock = components.clock;
  }

  add(deadline: Deadline): void {
    this.#waiting.add(deadline);
    if (deadline.atMonoMs < this.#wakesAtMonoMs) this.#wakeAt(deadline.atMonoMs);
  }

  done(deadline: Deadline): void {
    this.#waiting.delete(deadline);
  }

  /** Stops the timer and expires what still waits. */
  close(): void {
    this.#wakeAt(Infinity);
    for (const deadline of this.#waiting) deadline.expire();
    this.#waiting.clear();
  }

  #wakeAt(atMonoMs: number): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#wakesAtMonoMs = atMonoMs;
    if (atMonoMs === Infinity) return;
    this.#timer = this.#clock.setTimeout(() => this.#wake(), Math.max(0, atMonoMs - this.#clock.monoMs()));
  }

  /** The timer of a call that was done long ago finds nothing to do, and is not set again. */
  #wake(): void {
    const nowMonoMs = this.#clock.monoMs();
    let nextMonoMs = Infinity;
    for (const deadline of this.#waiting) {
      if (deadline.atMonoMs <= nowMonoMs) {
        this.#waiting.delete(deadline);
        deadline.expire();
      } else {
        nextMonoMs = Math.min(nextMonoMs, deadline.atMonoMs);
      }
    }
    this.#wakeAt(nextMonoMs);
  }
}

// One dedicated connection to Redis, and one call on it: run a script within a time. No call outlives its time or waits
// for a second attempt to connect, and every answer says which of three things is so: answered, certainly not done, or
// sent and unknown. Within one connection Redis answers in order, so that a read answered after an unknown swap has
// seen its result.

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
