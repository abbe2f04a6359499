/**
 * Watches this process's event loop from outside it [EN5]. While the loop of a leader stands still for longer than
 * `engine.stallMs`, the watch gives the role to the peer in the leader's place.
 */
import type { PeerHello } from "./peer-channel.ts";

/** What the peer answered, heard once the loop runs again. */
export interface StallOutcome {
  /** The epoch whose leadership was offered. */
  readonly epoch: number;
  /** How long the loop stood still when the peer was asked, ms. */
  readonly stoodMs: number;
  /** `null`: nobody knows, so the role counts as given away. */
  readonly taken: boolean | null;
  readonly detail: string;
}

export interface StallWatch {
  /** Called once, before anything else. */
  open(self: PeerHello, onOutcome: (outcome: StallOutcome) => void): void;
  /** This engine leads in `epoch`, and `n` is its last heartbeat. Called at every heartbeat of a leader. */
  lead(leadership: { readonly epoch: number; readonly n: number }): void;
  /** This engine does not lead. */
  rest(): void;
  /** Whether the role has been offered to the peer in this engine's name, and was not refused. Read at every effect [VT5]. */
  readonly gaveAway: boolean;
  close(): Promise<void>;
}
