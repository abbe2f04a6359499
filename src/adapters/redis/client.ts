/**
 * The ioredis client with the settings that the witness and the feed need. Nothing waits in a queue for a connection, and
 * nothing that may have been done is sent again by itself. It connects in the background, reconnects for ever with a capped
 * back-off, gives up a connection that has gone silent, and never throws for a server out of reach.
 *
 * Behind Sentinels it leaves a server as soon as a Sentinel announces another one, and as soon as the server answers that
 * it cannot serve. ioredis has a detector of its own for the first, but it prints every failure to reach a Sentinel.
 */
import { Cluster, Redis } from "ioredis";
import { assertNever } from "../../core/assert.ts";
import type { RedisAddress, SentinelAddress } from "./address.ts";
import { replyCode } from "./reason.ts";

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
