/** Purpose: the settings of one coordinator, resolved and checked before they come here. */
import type { Label } from "../core/ids.ts";
import type { CommandSettings, FailoverSettings, OutboxSettings } from "../core/settings.ts";

export interface CoordinatorOptions {
  readonly pair: string;
  readonly label: Label;
  readonly version: string;
  readonly failover: FailoverSettings;
  readonly commands: CommandSettings;
  /** Where the peer's HTTP surface is, as clients should be told: `http://host:port`; null when unknown. */
  readonly peerUrl: string | null;
  /** Repairs of a state that has drifted, in an hour, before a person is asked [EN10]; left out: 3. */
  readonly restoreLimit?: number;
  /** How records are replicated; left out: mode `sync`, and no hub. */
  readonly replication?: {
    readonly mode: "sync" | "publish" | "subscribe";
    readonly hubIntervalMs: number;
    /** Between two exchanges with one federation peer; left out: 30 s. */
    readonly federationIntervalMs?: number;
    /** What is done about signatures of operations; left out: nothing. */
    readonly signatures?: "off" | "auto" | "warn" | "enforce";
    /** Origins that one token of role `spoke` may write as; left out: 8. */
    readonly maxOriginsPerToken?: number;
  };
  /** How the outbox is emptied; needed with a sink. */
  readonly outbox?: OutboxSettings;
  /** Every inspection event of every statechart, as XState gives it; only while someone looks. */
  readonly inspect?: (event: object) => void;
}
