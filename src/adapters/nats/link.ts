/**
 * The connection to NATS of a feed or a witness: made at the first call, and again once it was given up. Nothing is sent
 * while there is no server, so that nothing piles up in the client. Pings notice a server that has gone silent. A caller
 * waits for one attempt to connect at most.
 */
import { jetstream, type JetStreamClient, jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import {
  type Authenticator,
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
} from "@nats-io/transport-node";
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { ChangeoverError } from "../../core/errors.ts";
import { type NatsAddress, parseNatsUrl } from "./address.ts";
import { natsReason } from "./faults.ts";

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
