/** Purpose: one federation peer as it is configured, and the way to it. */
import type { SyncTransport } from "./sync-transport.ts";

export interface FederationPeerPort {
  /** What it is called here; letters, digits and `._-`. */
  readonly name: string;
  /** Where it is, as people are shown it. */
  readonly endpoint: string;
  /** `paused`: it is not asked before a person resumes it. */
  readonly mode: "sync" | "paused";
  /** Who must answer there; null: whoever answered first. */
  readonly pinnedId: string | null;
  /** Fingerprint of the key that must be proved there; null: the first one. */
  readonly pinnedKey: string | null;
  readonly transport: SyncTransport;
}
