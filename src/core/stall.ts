/**
 * What a leader's worker thread says while the leader's event loop stands still [EN5]. The report is signed with the
 * engine's own key, so it means the same over any connection. It names the leader's last heartbeat: once a newer one has
 * been heard, the report is void, so a recorded one is worth nothing.
 */
import type { Label } from "./ids.ts";

export interface StallReport {
  readonly pair: string;
  /** Of the engine whose loop stands still. */
  readonly label: Label;
  readonly engineId: string;
  readonly incarnation: string;
  /** The epoch that it leads in. */
  readonly epoch: number;
  /** Its last heartbeat. */
  readonly n: number;
  /** How long its loop has stood still, ms. */
  readonly stoodMs: number;
  /** False: not yet longer than it may. The engine is busy and lives: its silence is no reason to take over. */
  readonly stalled: boolean;
  readonly signature: string;
}

/** `taken`: the peer leads now. Otherwise `detail` says why it does not. */
export interface StallAnswer {
  readonly taken: boolean;
  readonly detail: string;
}

/** What of a report is signed. */
export function stallText({ signature: _, ...report }: StallReport): string {
  const { pair, label, engineId, incarnation, epoch, n, stoodMs, stalled } = report;
  return JSON.stringify(["changeover.stall.v1", pair, label, engineId, incarnation, epoch, n, stoodMs, stalled]);
}
