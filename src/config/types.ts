/**
 * Purpose: the configuration as the program holds it: complete, validated, frozen, and without a single secret in it.
 * A secret is named here (`{env}` or `{file}`) and read by `secrets.ts` where it is needed.
 */
import type { Label } from "../core/ids.ts";
import type { CommandSettings, FailoverSettings } from "../core/settings.ts";

/** Where a secret is to be read: an environment variable, or a file whose last line break is dropped. */
export type SecretRef = { readonly env: string } | { readonly file: string };

/** Who may do what: see the section on access in the documentation of the HTTP surface. */
export type TokenRole = "viewer" | "operator" | "peer";

/** One bearer token: a name for the audit, one role, and where its value is. */
export type TokenRef = { readonly name: string; readonly role: TokenRole } & SecretRef;

/** One way to the other engine; plants have a red and a blue network. */
export interface PeerLinkConfig {
  readonly name: string;
  /** `ws://host:port` or `wss://host:port`: the other engine's own listener, not a load balancer before it [DP1]. */
  readonly url: string;
}

export type WitnessConfig =
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "redis"; readonly url: string }
  | { readonly kind: "none" };

export type EngineConfig =
  | { readonly kind: "reference" }
  | { readonly kind: "http"; readonly url: string; readonly timeoutMs: number }
  | { readonly kind: "exec"; readonly command: readonly string[]; readonly timeoutMs: number };

export type ChangeoverTarget =
  | { readonly name: string; readonly kind: "http"; readonly url: string; readonly timeoutMs: number }
  | { readonly name: string; readonly kind: "exec"; readonly command: readonly string[]; readonly timeoutMs: number };

/** Everything that one engine is told at its start. */
export interface Config {
  /** Name of the pair; the same on both engines. */
  readonly pair: string;
  readonly label: Label;
  /** `port` 0 takes any free port. */
  readonly listen: { readonly host: string; readonly port: number };
  /** This engine's own folder; relative paths start at the working directory. */
  readonly dataDir: string;
  readonly peer: {
    readonly links: readonly PeerLinkConfig[];
    /** Where clients reach the peer's HTTP surface; null: at the address of the first link. */
    readonly url: string | null;
  };
  readonly witness: WitnessConfig;
  readonly failover: FailoverSettings;
  readonly commands: CommandSettings;
  readonly engine: EngineConfig;
  readonly clock: { readonly source: "ptp" | "chrony" | "peer" | "none" };
  readonly auth: { readonly tokens: readonly TokenRef[]; readonly controlPlaneSecret: SecretRef | null };
  readonly changeover: readonly ChangeoverTarget[];
  readonly outbox: { readonly sink: "nop" };
  readonly federation: { readonly mode: "sync" | "publish" | "subscribe"; readonly intervalMs: number };
  readonly log: { readonly level: "debug" | "info" | "warn" | "error" };
}
