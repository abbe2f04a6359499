/**
 * The connection to NATS of a feed or a witness: made at the first call, and again once it was given up. Nothing is sent
 * while there is no server, so that nothing piles up in the client. Pings notice a server that has gone silent. A caller
 * waits for one attempt to connect at most.
 */
import {
  jetstream,
  type JetStreamClient,
  jetstreamManager,
  type JetStreamManager,
  JetStreamApiError,
} from "@nats-io/jetstream";
import {
  type Authenticator,
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  errors,
} from "@nats-io/transport-node";
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { ChangeoverError } from "../../core/errors.ts";
import { systemReason } from "../connection-reason.ts";

/** How NATS is reached, and as whom. */
export interface NatsLinkInit {
  /** `nats://[user:password@]host:port`, several hosts with commas between; `tls://` for TLS. */
  readonly url: string;
  /** The text of a `.creds` file, where the server asks for a signed user. */
  readonly credentials?: string | undefined;
  /** For `tls://`: a private CA, and a certificate of one's own, as PEM. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
  /** Time-out of one call, ms. Default 2 000. */
  readonly timeoutMs?: number;
  /** Pause between two pings, ms. Default 1 000. */
  readonly pingMs?: number;
  /** What the server shows as the connection's name. Default `changeover-feed`. */
  readonly name?: string;
  /** The key of the configuration that `url` stands under. Default `outbox.url`. */
  readonly field?: string;
}

/** A connection that can be used now. */
export interface NatsSession {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
}

const DEFAULT_TIMEOUT_MS = 2_000;
const CONNECT_MS = 1_000;
const RECONNECT_MS = 100;
/** A server that leaves two pings unanswered is given up. */
const PING_MS = 1_000;
const MAX_PING_OUT = 2;

export class NatsLink {
  readonly #options: ConnectionOptions;
  readonly #timeoutMs: number;
  #opening: Promise<NatsSession> | null = null;
  #up = false;
  #life = 0;
  #closed = false;
  #fault: string | null = null;

  /** Throws `invalid_configuration` for a URL of no known form. */
  constructor(init: NatsLinkInit) {
    this.#timeoutMs = init.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#options = optionsOf(parseNatsUrl(init.url, init.field), init);
  }

  /** Counts the times that the connection broke. */
  get life(): number {
    return this.#life;
  }

  /** Why there is no connection; null while there is one, or none was asked for yet. */
  get fault(): string | null {
    return this.#fault;
  }

  /** The connection, when there is one or comes to be now. Throws when there is none. */
  async session(): Promise<NatsSession> {
    if (this.#closed) throw new ChangeoverError("stopped", "the connection to NATS is closed");
    this.#opening ??= this.#open();
    const session = await this.#opening;
    if (!this.#up)
      throw new ChangeoverError("feed_unreachable", this.#fault ?? "NATS is not connected", { retryable: true });
    return session;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const session = await this.#opening?.catch(() => null);
    this.#up = false;
    await session?.connection.close().catch(() => undefined);
  }

  async #open(): Promise<NatsSession> {
    try {
      const connection = await connect(this.#options);
      this.#up = true;
      this.#fault = null;
      void this.#watch(connection);
      const client = jetstream(connection, { timeout: this.#timeoutMs });
      const manager = await jetstreamManager(connection, { timeout: this.#timeoutMs, checkAPI: false });
      return { connection, client, manager };
    } catch (error) {
      this.#opening = null;
      this.#fault = natsReason(error);
      throw error;
    }
  }

  /** Follows the connection until it is closed for good; then the next one who asks opens another. */
  async #watch(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === "staleConnection") this.#down("no answer on the connection");
      if (type === "disconnect") this.#down("connection lost");
      if (type === "reconnect") {
        this.#up = true;
        this.#fault = null;
      }
    }
    this.#down("connection lost");
    this.#opening = null;
  }

  #down(fault: string): void {
    this.#up = false;
    this.#fault ??= fault;
    this.#life += 1;
  }
}

function optionsOf(address: NatsAddress, init: NatsLinkInit): ConnectionOptions {
  const authenticator: Authenticator | null =
    init.credentials === undefined ? null : credsAuthenticator(new TextEncoder().encode(init.credentials));
  return {
    name: init.name ?? "changeover-feed",
    servers: [...address.servers],
    ...accessOf(address),
    ...(authenticator === null ? {} : { authenticator }),
    ...(address.tls ? { tls: { ...init.tls, ...identityOf(address) } } : {}),
    timeout: CONNECT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    pingInterval: init.pingMs ?? PING_MS,
    maxPingOut: MAX_PING_OUT,
  };
}

/**
 * The client gives TLS no name for a server that is addressed by its IP, and Node then checks for `localhost`. In that case
 * the certificate must fit one of the configured addresses.
 */
function identityOf({ servers }: NatsAddress): object {
  const addresses = servers
    .map((server) => server.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""))
    .filter((host) => isIP(host) !== 0);
  const check = (name: string, certificate: PeerCertificate): Error | undefined => {
    const fault = checkServerIdentity(name, certificate);
    const fits = addresses.some((address) => checkServerIdentity(address, certificate) === undefined);
    return name === "localhost" && fits ? undefined : fault;
  };
  return addresses.length === 0 ? {} : { checkServerIdentity: check };
}

function accessOf({ user, password }: NatsAddress): ConnectionOptions {
  if (user === null) return {};
  return password === null ? { token: user } : { user, pass: password };
}

// Reads an address of NATS (`outbox.url`, `witness.url`): `nats://[user:password@]host[:port][,host[:port]…]`, or
// `tls://…`. Anything else is refused at start, naming the field. A password never appears in an error.

export interface NatsAddress {
  /** `host:port`, the servers of one cluster. */
  readonly servers: readonly string[];
  readonly tls: boolean;
  /** With a password a user, without one a token; null where the URL holds neither. */
  readonly user: string | null;
  readonly password: string | null;
}

/** What is read, and the key of the configuration that it stands under. */
interface Setting {
  readonly field: string;
  readonly url: string;
}

const URL_FORM = /^(nats|tls):\/\/(?:([^@/]*)@)?([^@/?#]+)\/?$/;
const HOST_FORM = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/;
const NATS_PORT = "4222";
const MAX_HOSTS = 32;

/** @throws ChangeoverError `invalid_configuration` naming the field, the value without its password, and the form */
export function parseNatsUrl(url: string, field = "outbox.url"): NatsAddress {
  const setting = { field, url };
  const form = URL_FORM.exec(url);
  const hosts = form?.[3]?.split(",") ?? [];
  if (form === null || hosts.length > MAX_HOSTS) throw invalid(setting);
  const servers = hosts.map((text) => {
    const host = HOST_FORM.exec(text);
    const port = Number(host?.[2] ?? NATS_PORT);
    if (host?.[1] === undefined || port < 1 || port > 65_535) throw invalid(setting);
    return `${host[1]}:${port}`;
  });
  return { servers, tls: form[1] === "tls", ...access(form[2] ?? "", setting) };
}

function access(userInfo: string, setting: Setting): Pick<NatsAddress, "user" | "password"> {
  const colon = userInfo.indexOf(":");
  try {
    const user = decodeURIComponent(colon < 0 ? userInfo : userInfo.slice(0, colon));
    const password = decodeURIComponent(colon < 0 ? "" : userInfo.slice(colon + 1));
    return { user: user || null, password: password || null };
  } catch {
    throw invalid(setting);
  }
}

function invalid({ field, url }: Setting): ChangeoverError {
  const bound = "nats://[user:password@]host:port, up to 32 hosts with commas between, tls:// for TLS";
  const at = url.lastIndexOf("@");
  const value = at < 0 ? url : `${/^[a-z]*:\/\//.exec(url)?.[0] ?? ""}***@${url.slice(at + 1)}`;
  return new ChangeoverError("invalid_configuration", `${field}: ${value} is not understood; expected ${bound}`, {
    details: { field, value, bound },
  });
}

// What an error of NATS or JetStream means: for a publisher, for the witness, and in words that are safe to show.
// Judged by codes and types, never by message text. For a publisher, what is not known is `unavailable`: it is tried
// again. Source of the codes: nats-server, `server/errors.json`.

/** `chain`: the stream, or the stack's subject, does not end with what was expected. */
export type Fault = "unavailable" | "refused" | "chain";

/** Message larger than the stream takes; header of the wrong form; another stream has the subject. */
const REFUSED: ReadonlySet<number> = new Set([10_054, 10_097, 10_060]);
/** Wrong last message id; wrong last sequence (of the stream, or of the subject). */
const CHAIN: ReadonlySet<number> = new Set([10_070, 10_071]);

export function faultOf(error: unknown): Fault {
  if (error instanceof JetStreamApiError) {
    if (CHAIN.has(error.code)) return "chain";
    return REFUSED.has(error.code) ? "refused" : "unavailable";
  }
  // What the client itself will not send: too large, or not a subject.
  return error instanceof errors.InvalidArgumentError || error instanceof errors.InvalidSubjectError
    ? "refused"
    : "unavailable";
}

/** Whether the server says that there is no such message, stream or consumer. */
export function isNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.status === 404;
}

/** Whether a write was refused because the key has moved on. */
export function isRevisionMoved(error: unknown): boolean {
  return error instanceof JetStreamApiError && CHAIN.has(error.code);
}

/** Whether the server refused the call or never got it. Anything else may have been done. */
export function isCertainlyNotDone(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError ||
    nobodyTookIt(error) ||
    error instanceof errors.PermissionViolationError ||
    error instanceof ChangeoverError
  );
}

/** Nobody listens on the subject: JetStream is off or without a leader, or the stream is gone. */
function nobodyTookIt(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof errors.NoRespondersError) return true;
  return (error instanceof errors.RequestError && error.isNoResponders()) || nobodyTookIt(error.cause);
}

/** By JetStream's error code. */
const API_REASONS: Readonly<Record<number, string>> = {
  10_008: "JetStream has no leader at the moment",
  10_023: "the server is out of resources for JetStream",
  10_028: "the server is out of memory for JetStream",
  10_039: "JetStream is not enabled for this account",
  10_047: "the server is out of disk space for JetStream",
  10_059: "the bucket does not exist",
  10_074: "the server has too few nodes for the replicas of the bucket",
  10_076: "JetStream is not enabled on the server",
  10_077: "the bucket is full",
};

/** Why NATS gave no answer, in words that are safe to log and to show: no host, subject or password is in them. */
export function natsReason(error: unknown): string {
  if (error instanceof ChangeoverError) return error.message;
  if (error instanceof JetStreamApiError)
    return API_REASONS[error.code] ?? `JetStream refused the call (${error.code})`;
  if (error instanceof errors.AuthorizationError) return "wrong user or password (Authorization Violation)";
  if (error instanceof errors.UserAuthenticationExpiredError) return "the credentials have expired";
  if (error instanceof errors.PermissionViolationError) return "not permitted to this user";
  if (error instanceof errors.InvalidArgumentError) return "TLS refused: the server offers none";
  if (nobodyTookIt(error)) {
    return "JetStream does not answer: it is not enabled, has no leader, or the bucket is gone";
  }
  if (error instanceof errors.RequestError && error.cause !== undefined) return natsReason(error.cause);
  if (error instanceof errors.TimeoutError) return "no answer in time";
  return systemReason(error) ?? "connection closed";
}
