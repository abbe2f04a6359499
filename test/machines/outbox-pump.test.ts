/** The pump of the outbox: what every event does in every state. */
import { describe, expect, test } from "vitest";
import type { StateValueFrom } from "xstate";
import { outboxPumpMachine } from "../../machines/outbox-pump.machine.ts";
import { proveTable, step, type EventTypeOf, type TransitionTable } from "./transition-table.ts";

type Table = TransitionTable<StateValueFrom<typeof outboxPumpMachine>, EventTypeOf<typeof outboxPumpMachine>>;

const NOTHING = {
  LEAD: "ignored",
  YIELD: "ignored",
  WAKE: "ignored",
  DUE: "ignored",
  DRAINED: "ignored",
  WAITING: "ignored",
  STOP: "ignored",
  LANDED: "ignored",
} as const;

const LOOKS = { WAKE: "draining", DUE: "draining", YIELD: "resting", STOP: "finishing" } as const;

const table: Table = {
  resting: { ...NOTHING, LEAD: "draining" },
  idle: { ...NOTHING, ...LOOKS },
  draining: { ...NOTHING, ...LOOKS, DRAINED: "idle", WAITING: "backingOff" },
  backingOff: { ...NOTHING, ...LOOKS },
  finishing: { ...NOTHING, YIELD: "resting", LANDED: "resting" },
};

describe("outbox-pump", () => {
  test("does in every state what its table says", () => {
    proveTable(outboxPumpMachine, table);
  });

  test("drains when it may, and begins nothing at rest or while it finishes", () => {
    for (const state of ["idle", "draining", "backingOff"]) {
      expect(step(outboxPumpMachine, state, { type: "WAKE" }).ran, state).toContain("drain");
      expect(step(outboxPumpMachine, state, { type: "STOP" }).ran, state).toContain("finish");
      expect(step(outboxPumpMachine, state, { type: "YIELD" }).ran, state).toContain("breakOff");
    }
    for (const state of ["resting", "finishing"]) {
      for (const type of ["WAKE", "DUE"]) expect(step(outboxPumpMachine, state, { type }).ran).not.toContain("drain");
    }
  });
});
