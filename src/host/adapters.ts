/**
 * Turns a configuration into the adapters that a coordinator works through.
 * Every kind that the configuration allows has its adapter here; secrets go from here into the one adapter
 * that needs them, and nowhere else.
 */
import type { KeyObject } from "node:crypto";
import { resolve } from "node:path";
import { chronyClockSource, FREE, ptpClockSource } from "../adapters/clock-sources.ts";
import { ExecChangeoverSwitch, HttpChangeoverSwitch } from "../adapters/changeover-switches.ts";
import { ExecEngine } from "../adapters/exec-engine.ts";
import { HttpEngine } from "../adapters/http-engine.ts";
import { HttpSyncTransport } from "../adapters/http-sync-transport.ts";
import { NoWitness } from "../adapters/no-witness.ts";
import { SqliteStore } from "../adapters/sqlite-store.ts";
import { SqliteWitness } from "../adapters/sqlite-witness.ts";
import { WorkerStallWatch } from "../adapters/stall-watch/worker-stall-watch.ts";
import { WsPeerChannel } from "../adapters/ws-peer-channel/ws-peer-channel.ts";
import type { EngineSecrets } from "../config/secrets.ts";
import type { ChangeoverTarget, Config } from "../config/types.ts";
import { DEFAULT_STALL_MS } from "../core/settings.ts";
import { recordOrigin } from "../core/operation.ts";
import { OwnOrigin } from "../replication/own-origin.ts";
import { assertNever } from "../core/errors.ts";
import type { ChangeoverSwitch } from "../ports/changeover-switch.ts";
import type { Clock, ClockSource, Ids, Logger, Random, Signatures } from "../ports/basics.ts";
import type { Engine } from "../ports/engine.ts";
import type { FeedSink } from "../ports/feed-sink.ts";
import type { Link } from "../ports/link.ts";
import type { StallWatch } from "../ports/stall-watch.ts";
import type { Store } from "../ports/store.ts";
import type { SyncTransport, FederationPeerPort } from "../ports/sync-transport.ts";
import type { Witness } from "../ports/witness.ts";
import { ReferenceEngine } from "../reference-engine/reference-engine.ts";
import { claimDataFolder } from "./data-folder.ts";
import { clientTls, peerAuthorities, witnessTls } from "./tls-files.ts";

/** What the adapters share. */
export interface Basics {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
}

/**
 * @throws ChangeoverError `data_folder_unusable`, `wrong_pair`, `store_corrupt`, `store_too_new`, `store_in_use` or
 * `store_failed`
 */
export function openStore({ ids }: Basics, config: Config): SqliteStore {
  const dataDir = resolve(config.dataDir);
  claimDataFolder(dataDir, config);
  return new SqliteStore({ ids }, { dataDir });
}

/** The client of Redis is loaded only where it is used: it is a tenth of an engine's memory, which is take-over time. */
export async function makeWitness(
  { clock }: Pick<Basics, "clock">,
  config: Config,
  secrets: EngineSecrets,
): Promise<Witness> {
  const { witness, pair, failover } = config;
  switch (witness.kind) {
    case "sqlite":
      return new SqliteWitness({ clock }, { file: resolve(witness.file), pair });
    case "redis": {
      const { RedisWitness } = await import("../adapters/redis-witness.ts");
      return new RedisWitness(
        { clock },
        {
          url: withPassword(witness.url, secrets.witnessPassword, witness.user ?? null),
          pair,
          timeoutMs: failover.witnessTimeoutMs,
          sentinelPassword: secrets.sentinelPassword ?? undefined,
          tls: witnessTls(witness.tls),
        },
      );
    }
    case "nats": {
      const { NatsWitness } = await import("../adapters/nats-witness.ts");
      const { bucket, replicas } = witness;
      return new NatsWitness(
        { clock },
        {
          url: withPassword(witness.url, secrets.witnessPassword, witness.user ?? null),
          credentials: secrets.witnessCredentials ?? undefined,
          tls: witnessTls(witness.tls),
          pair,
          ...(bucket === undefined ? {} : { bucket }),
          ...(replicas === undefined ? {} : { replicas }),
          timeoutMs: failover.witnessTimeoutMs,
        },
      );
    }
    case "none":
      return new NoWitness({ clock });
    default:
      return assertNever(witness);
  }
}

/** Puts the password, and the user where one is named, into a URL, in the place of those that it holds. */
export function withPassword(url: string, password: string | null, named: string | null = null): string {
  if (password === null) return url;
  return url.replace(
    /^([a-z+]+:\/\/)(?:([^@/:]*)(?::[^@/]*)?@)?/,
    (_whole, scheme: string, user = "") =>
      `${scheme}${named === null ? user : encodeURIComponent(named)}:${encodeURIComponent(password)}@`,
  );
}

/** The token of role `peer` that this engine shows: the first one. null in open mode. */
export function peerToken(secrets: Pick<EngineSecrets, "tokens">): string | null {
  return secrets.tokens.find(({ role }) => role === "peer")?.value ?? null;
}

export function makePeerChannel(
  { clock, random }: Basics,
  signatures: Signatures,
  config: Config,
  secrets: EngineSecrets,
  otherLinks: readonly Link[],
): WsPeerChannel {
  const { pair, label, peer } = config;
  const init = { pair, label, links: peer.links, otherLinks, token: peerToken(secrets), ...peerAuthorities(config) };
  return new WsPeerChannel({ clock, random, signatures }, init);
}

export function makeStallWatch({ logger }: Basics, key: KeyObject, config: Config, secrets: EngineSecrets): StallWatch {
  const { pair, label, peer, engine, failover } = config;
  const { heartbeatMs, missLimit } = failover;
  const stallMs = engine.stallMs ?? Math.min(DEFAULT_STALL_MS, failover.leaseMs);
  const init = {
    ...{ pair, label, stallMs, token: peerToken(secrets), ...peerAuthorities(config) },
    vouchEveryMs: stallMs < heartbeatMs * missLimit ? null : heartbeatMs,
    peerUrls: peer.links.map(({ url }) => url),
  };
  return new WorkerStallWatch({ logger, key }, init);
}

export function makeEngine({ clock, logger }: Basics, config: Config, secrets: EngineSecrets): Engine {
  const { engine, pair, label, failover } = config;
  switch (engine.kind) {
    case "reference":
      return new ReferenceEngine({ clock });
    case "http": {
      const { kind: _kind, token: _ref, ...given } = engine;
      const init = { healthIntervalMs: failover.heartbeatMs, ...given };
      const token = secrets.engineToken;
      return new HttpEngine({ clock, logger }, token === null ? init : { ...init, token });
    }
    case "exec": {
      const { kind: _kind, ...init } = engine;
      return new ExecEngine({ clock, logger }, { ...init, pair, label });
    }
    default:
      return assertNever(engine);
  }
}

export function makeChangeoverSwitch({ clock }: Basics, target: ChangeoverTarget): ChangeoverSwitch {
  const { kind, ...init } = target;
  if (kind === "http") return new HttpChangeoverSwitch({ clock }, init as Extract<ChangeoverTarget, { kind: "http" }>);
  return new ExecChangeoverSwitch({ clock }, init as Extract<ChangeoverTarget, { kind: "exec" }>);
}

/** The way to the hub; null when this engine is no spoke. */
export function makeHubTransport(
  { clock }: Basics,
  config: Config,
  secrets: EngineSecrets,
  store: Store,
): SyncTransport | null {
  const { hub } = config.replication;
  if (hub === null) return null;
  const first = recordOrigin(store.load().engineId);
  // Looked up at each call: a new origin may begin at any exchange.
  const origin = (): string => new OwnOrigin(store.replica.peerState, first).current;
  const tls = clientTls("replication.hub", hub);
  const init = { url: hub.url, token: secrets.hubToken, origin, ...(tls === undefined ? {} : { tls }) };
  return new HttpSyncTransport({ clock }, init);
}

/** Where changes are published; null: nowhere. Clients of brokers are loaded only where they are used. */
export async function makeSink(
  { clock }: Pick<Basics, "clock">,
  { outbox }: Config,
  secrets: EngineSecrets,
): Promise<FeedSink | null> {
  switch (outbox.sink) {
    case "nop":
      return null;
    case "file": {
      const { FileSink } = await import("../adapters/sinks/file-sink.ts");
      return new FileSink({}, { folder: resolve(outbox.dir), format: outbox.format });
    }
    case "redis": {
      const { RedisStreamSink } = await import("../adapters/sinks/redis-stream-sink.ts");
      const { stream, user, format } = outbox;
      const tls = clientTls("outbox", outbox.tls);
      const url = withPassword(outbox.url, secrets.feedPassword, user);
      return new RedisStreamSink({ clock }, { url, stream, format, tls });
    }
    case "nats": {
      const { JetStreamSink } = await import("../adapters/sinks/jetstream-sink.ts");
      const { url, stream, user, replicas, storage, format } = outbox;
      const credentials = secrets.feedCredentials ?? undefined;
      const access = {
        url: withPassword(url, secrets.feedPassword, user),
        credentials,
        tls: clientTls("outbox", outbox.tls),
      };
      return new JetStreamSink(
        {},
        { ...access, stream, subjectPrefix: outbox.subject ?? undefined, replicas, storage, format },
      );
    }
    default:
      return assertNever(outbox);
  }
}

/** null: the coordinator measures against its peer. */
export function makeClockSource({ clock }: Pick<Basics, "clock">, config: Config): ClockSource | null {
  const { source } = config.clock;
  switch (source) {
    case "ptp":
      return ptpClockSource({ clock }, {});
    case "chrony":
      return chronyClockSource({ clock }, {});
    case "none":
      return { undisciplined: true, reading: () => FREE, close: async () => {} };
    case "peer":
      return null;
    default:
      return assertNever(source);
  }
}

// Turns the configuration of federation into the ways to the peers.

/**
 * One for each peer of the configuration.
 *
 * @throws ChangeoverError `invalid_configuration` for a certificate or key that cannot be used
 */
export function federationPeers(
  { clock }: { readonly clock: Clock },
  { federation }: Config,
  secrets: Pick<EngineSecrets, "federationTokens">,
  store: Pick<Store, "load" | "replica">,
): readonly FederationPeerPort[] {
  const first = recordOrigin(store.load().engineId);
  // Looked up at each call: a new origin may begin at any exchange.
  const origin = (): string => new OwnOrigin(store.replica.peerState, first).current;
  const { timeoutMs } = federation;
  return federation.peers.map((peer, at) => {
    const { name, endpoint, mode, pin } = peer;
    const tls = clientTls(`federation.peers[${at}]`, peer);
    const token = secrets.federationTokens.get(name) ?? null;
    const init = { url: endpoint, token, origin, timeoutMs, ...(tls === undefined ? {} : { tls }) };
    const transport = new HttpSyncTransport({ clock }, init);
    return { name, endpoint, mode, pinnedId: pin?.id ?? null, pinnedKey: pin?.key ?? null, transport };
  });
}

// HTTP addresses that follow from a configuration.

/** `ws://host:port/…` as `http://host:port`, `wss:` as `https:`. */
export function httpAddress(link: string): string {
  const { protocol, host } = new URL(link);
  return `${protocol === "wss:" ? "https" : "http"}://${host}`;
}

/** Where clients find the peer: as configured, else where the first link leads. */
export function peerAddress({ peer }: Config): string | null {
  const [first] = peer.links;
  return peer.url ?? (first === undefined ? null : httpAddress(first.url));
}

/** Where a listener on `host` and `port` is found. */
export function listenAddress(host: string, port: number, scheme: "http" | "https" = "http"): string {
  return `${scheme}://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}
