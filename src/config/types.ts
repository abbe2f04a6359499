/**
 * The configuration as the program holds it: complete, validated, frozen, and without a single secret in it.
 * A secret is named here (`{env}` or `{file}`) and read by `secrets.ts` where it is needed.
 */
import type { Label } from "../core/ids.ts";
import type { CommandSettings, FailoverSettings, OutboxSettings } from "../core/settings.ts";

/** Where a secret is to be read: an environment variable, or a file whose last line break is dropped. */
export type SecretRef = { readonly env: string } | { readonly file: string };

/** Who may do what: see the section on access in the documentation of the HTTP surface. */
export type TokenRole = "viewer" | "operator" | "peer" | "spoke";

/** One bearer token: a name for the audit, one role, and where its value is. */
export type TokenRef = { readonly name: string; readonly role: TokenRole } & SecretRef;

/** One way to the other engine; plants have a red and a blue network. */
export interface PeerLinkConfig {
  readonly name: string;
  /** `ws://host:port` or `wss://host:port`: the other engine's own listener, not a load balancer before it [DP1]. */
  readonly url: string;
}

/** Files, PEM: the authorities of the witness's certificate, and a certificate that this engine shows. */
export interface WitnessTlsConfig {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export type WitnessConfig =
  | { readonly kind: "sqlite"; readonly file: string }
  | {
      readonly kind: "redis";
      /** `redis://`, `rediss://`, `redis+sentinel://host,host/NAME` or `redis+cluster://host,host`. */
      readonly url: string;
      /** Goes before a user in the URL. */
      readonly user?: string;
      /** Goes before a password in the URL. */
      readonly password?: SecretRef;
      /** Of the Sentinels themselves. */
      readonly sentinelPassword?: SecretRef;
      /** For a URL that asks for TLS. */
      readonly tls?: WitnessTlsConfig;
    }
  | {
      readonly kind: "nats";
      /** `nats://host,host` or `tls://host,host`. */
      readonly url: string;
      /** The key-value bucket; `changeover` unless given. */
      readonly bucket?: string;
      /** Copies of a bucket that is made; 1 unless given. */
      readonly replicas?: number;
      /** Goes before a user in the URL. */
      readonly user?: string;
      /** Goes before a password in the URL. */
      readonly password?: SecretRef;
      /** The text of a `.creds` file. */
      readonly credentials?: SecretRef;
      /** For `tls://`. */
      readonly tls?: WitnessTlsConfig;
    }
  | { readonly kind: "none" };

/** An engine of another language behind HTTP hooks. What is left out has the adapter's default. */
export interface HttpEngineConfig {
  readonly kind: "http";
  readonly baseUrl: string;
  readonly executeTimeoutMs?: number;
  readonly executeAttempts?: number;
  readonly retryDelayMs?: number;
  readonly stateTimeoutMs?: number;
  readonly roleTimeoutMs?: number;
  readonly healthTimeoutMs?: number;
  readonly healthIntervalMs?: number;
  readonly maxStateBytes?: number;
  readonly token?: SecretRef;
  readonly lifeline?: { readonly intervalMs?: number; readonly missLimit?: number };
}

/** An engine that is told of roles, and perhaps of commands, by scripts: program, then arguments, no shell. */
export interface ExecEngineConfig {
  readonly kind: "exec";
  readonly notify?: readonly string[];
  readonly notifyLeader?: readonly string[];
  readonly notifyFollower?: readonly string[];
  readonly execute?: readonly string[];
  readonly snapshot?: readonly string[];
  readonly restore?: readonly string[];
  readonly health?: readonly string[];
  readonly notifyBudgetMs?: number;
  readonly executeBudgetMs?: number;
  readonly stateBudgetMs?: number;
  readonly healthIntervalMs?: number;
  readonly pidFile?: string;
  readonly track?: {
    readonly command: readonly string[];
    readonly intervalMs?: number;
    readonly timeoutMs?: number;
    readonly fall?: number;
    readonly rise?: number;
  };
}

/**
 * `restoreLimit`: how often in an hour a state that has drifted is repaired before a person is asked; 3 unless given.
 * `stallMs`: how long the event loop of a leader may stand still before its role moves; 250 unless given.
 */
export type EngineConfig = { readonly restoreLimit?: number; readonly stallMs?: number } & (
  { readonly kind: "reference" } | HttpEngineConfig | ExecEngineConfig
);

/** A device that is asked to route to the leader. */
export type ChangeoverTarget =
  | {
      readonly name: string;
      readonly kind: "http";
      readonly url: string;
      readonly method?: string;
      readonly body?: string;
      readonly timeoutMs?: number;
      readonly reassertMs?: number;
    }
  | {
      readonly name: string;
      readonly kind: "exec";
      readonly command: readonly string[];
      readonly budgetMs?: number;
      readonly reassertMs?: number;
    };

/** Files, PEM, for `https:` with a private authority or with a certificate of this engine's own. */
export interface ClientTlsConfig {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What this engine serves HTTPS with. With `ca`, callers of `/sync` must show a certificate. */
export interface ListenTlsConfig {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

/** One federation peer. */
export interface FederationPeerConfig extends ClientTlsConfig {
  readonly name: string;
  readonly endpoint: string;
  readonly mode: "sync" | "paused";
  /** The peer's token of role `peer`; left out: the peer is open. */
  readonly token?: SecretRef;
  /** Who must answer there; left out: anyone who answered first. */
  readonly pin?: { readonly id?: string; readonly key?: string };
}

export interface FederationConfig {
  readonly mode: "sync" | "publish" | "subscribe";
  readonly intervalMs: number;
  /** For one answer of a peer. */
  readonly timeoutMs: number;
  readonly signatures: "off" | "auto" | "warn" | "enforce";
  readonly peers: readonly FederationPeerConfig[];
}

/** Where the hub is, and how often records are exchanged with it. */
export interface HubConfig extends ClientTlsConfig {
  readonly url: string;
  /** The hub's token of role `peer`; left out: the hub is open. */
  readonly token?: SecretRef;
  readonly intervalMs: number;
}

/** Where changes are published, and how patiently. */
export type OutboxConfig = Pick<OutboxSettings, "maxAttempts" | "retentionMs"> &
  (
    | { readonly sink: "nop" }
    | { readonly sink: "file"; readonly format: "changeover" | "flat"; readonly dir: string }
    | {
        readonly sink: "redis";
        readonly format: "changeover" | "flat";
        readonly url: string;
        readonly stream: string;
        /** Both go before those in the URL. */
        readonly user: string | null;
        readonly password: SecretRef | null;
        readonly tls: ClientTlsConfig;
      }
    | {
        readonly sink: "nats";
        readonly format: "changeover" | "flat";
        readonly url: string;
        readonly stream: string;
        /** What every subject begins with; null: the stream's name, or what a standing stream takes. */
        readonly subject: string | null;
        readonly replicas: number;
        readonly storage: "file" | "memory";
        readonly user: string | null;
        readonly password: SecretRef | null;
        readonly tls: ClientTlsConfig;
        /** The text of a `.creds` file. */
        readonly credentials: SecretRef | null;
      }
  );

/** Everything that one engine is told at its start. */
export interface Config {
  /** Name of the pair; the same on both engines. */
  readonly pair: string;
  readonly label: Label;
  /** `port` 0 takes any free port. */
  readonly listen: { readonly host: string; readonly port: number; readonly tls: ListenTlsConfig | null };
  /** `origins`: pages that may call from a browser, such as `https://panel.example:8443`. */
  readonly http: { readonly cors: { readonly origins: readonly string[] } };
  /** This engine's own folder; relative paths start at the working directory. */
  readonly dataDir: string;
  readonly peer: {
    readonly links: readonly PeerLinkConfig[];
    /** Where clients reach the peer's HTTP surface; null: at the address of the first link. */
    readonly url: string | null;
    /** Authorities of the peer's certificate; null: the system's. */
    readonly ca: string | null;
  };
  readonly witness: WitnessConfig;
  readonly failover: FailoverSettings;
  readonly commands: CommandSettings;
  readonly engine: EngineConfig;
  readonly clock: { readonly source: "ptp" | "chrony" | "peer" | "none" };
  readonly auth: { readonly tokens: readonly TokenRef[]; readonly controlPlaneSecret: SecretRef | null };
  readonly changeover: readonly ChangeoverTarget[];
  /** The hub that this engine is a spoke of; null: of none. */
  readonly replication: {
    readonly hub: HubConfig | null;
    /** Origins that one token of role `spoke` may write as. */
    readonly maxOriginsPerToken: number;
  };
  readonly outbox: OutboxConfig;
  readonly federation: FederationConfig;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error" };
}

/** What `backup.json` in a backup says. */
export interface BackupReport {
  readonly pair: string;
  readonly label: Label;
  readonly engineId: string;
  /** Unix ms. */
  readonly takenAt: number;
  /** The copy holds the command log at least through here. */
  readonly epoch: number;
  readonly lastCommandSeq: number;
  readonly bytes: number;
}

/** What a reload did, by the keys of the configuration. */
export interface ReloadReport {
  /** In force from now on. */
  readonly changed: readonly string[];
  /** Waits for a restart. */
  readonly needsRestart: readonly string[];
}
