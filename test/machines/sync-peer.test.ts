/** The exchange with one other place: what every event does in every state. */
import { describe, expect, test } from "vitest";
import type { StateValueFrom } from "xstate";
import { syncPeerMachine } from "../../machines/sync-peer.machine.ts";
import { proveTable, step, type EventTypeOf, type TransitionTable } from "./transition-table.ts";

type Table = TransitionTable<StateValueFrom<typeof syncPeerMachine>, EventTypeOf<typeof syncPeerMachine>>;

const NOTHING = {
  DUE: "ignored",
  IDENTIFIED: "ignored",
  MISMATCHED: "ignored",
  MORE: "ignored",
  FINISHED: "ignored",
  FAILED: "ignored",
  PAUSE: "paused",
  RESUME: "ignored",
  RESET: "ignored",
} as const;

const table: Table = {
  idle: { ...NOTHING, DUE: "identifying" },
  identifying: { ...NOTHING, IDENTIFIED: "pulling", MISMATCHED: "refused", FAILED: "backingOff" },
  pulling: { ...NOTHING, MORE: "pulling", FINISHED: "pushing", MISMATCHED: "refused", FAILED: "backingOff" },
  pushing: { ...NOTHING, MORE: "pushing", FINISHED: "idle", FAILED: "backingOff" },
  backingOff: { ...NOTHING, DUE: "identifying" },
  paused: { ...NOTHING, PAUSE: "ignored", RESUME: "identifying" },
  refused: { ...NOTHING, RESET: "identifying" },
};

describe("sync-peer", () => {
  test("does in every state what its table says", () => {
    proveTable(syncPeerMachine, table, (type) => (type === "FAILED" ? { type, reason: "other" } : { type }) as never);
  });

  test("breaks off what is under way when it is paused, and never speaks to one that is not the expected one", () => {
    for (const state of ["identifying", "pulling", "pushing"]) {
      expect(step(syncPeerMachine, state, { type: "PAUSE" }).ran).toContain("breakOff");
    }
    expect(step(syncPeerMachine, "refused", { type: "DUE" })).toEqual({ value: "refused", ran: [] });
  });
});
