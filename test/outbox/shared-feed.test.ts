/** Two pairs that hold the same operations and tell of them in one feed are not taken for each other's doubles. */
import { expect, it } from "vitest";
import { conflictEvent, recordEvent } from "../../src/outbox/events.ts";
import { op } from "../contracts/replica-contract.ts";
import { conflict } from "../contracts/store-samples.ts";

it("gives each pair its own identity of an event about what both hold", () => {
  const told = ["studio", "south"].flatMap((tenantId) => [
    recordEvent(tenantId, op("rec_a", 1)).eventId,
    conflictEvent(tenantId, conflict("cfl_1")).eventId,
  ]);
  expect(new Set(told).size).toBe(4);
  expect(recordEvent("studio", op("rec_a", 1)).eventId).toBe(told[0]);
});
