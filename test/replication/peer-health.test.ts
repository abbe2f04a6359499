/** The health of a peer: what an exchange makes of it, and what of a stored one is believed. */
import { describe, expect, it } from "vitest";
import type { Progress } from "../../src/replication/exchange.ts";
import {
  afterExchange,
  NO_HEALTH,
  parseHealth,
  type PeerHealth,
  withVersion,
} from "../../src/replication/peer-health.ts";
import { HINTS, isSchemaWidening, type PeerReason } from "../../src/replication/reasons.ts";

const AT = "2026-11-21T04:05:06.789Z";
const LATER = "2026-11-21T04:06:06.789Z";
const FINE: Progress = { pulled: 1, applied: 1, pushed: 0, refused: null, refusals: [], stalled: false };
const failed = {
  outcome: "failed",
  reason: "network_reset",
  error: null,
  op: null,
  traceId: null,
  progress: FINE,
} as const;

describe("after an exchange", () => {
  it("counts failures until one ends well, and keeps when that was", () => {
    const once = afterExchange(NO_HEALTH, failed, AT);
    expect(once).toEqual({
      ...NO_HEALTH,
      consecutiveFailures: 1,
      lastError: { reason: "network_reset", observedAt: AT },
    });
    const twice = afterExchange(once, failed, LATER);
    expect(twice).toMatchObject({ consecutiveFailures: 2, lastSuccess: null, lastError: { observedAt: LATER } });
    const well = afterExchange(twice, { outcome: "done", progress: FINE }, LATER);
    expect(well).toEqual({ ...NO_HEALTH, lastSuccess: LATER });
    expect(afterExchange(well, failed, LATER)).toMatchObject({ consecutiveFailures: 1, lastSuccess: LATER });
  });

  it("names the operation that stands in the way, and the request under which the peer's log says more", () => {
    const refused = { ...FINE, refused: { reason: "unknown_type", op: "rec_x/7" }, stalled: true } as const;
    const error = { reason: "unknown_type", eventId: "rec_x/7", observedAt: AT };
    const known = afterExchange(NO_HEALTH, { outcome: "done", progress: refused }, AT);
    expect(known).toMatchObject({ consecutiveFailures: 1, lastError: error });
    const still = afterExchange(known, { outcome: "done", progress: { ...FINE, stalled: true } }, LATER);
    expect(still).toMatchObject({ consecutiveFailures: 2, lastError: error });
    const traced = afterExchange(NO_HEALTH, { ...failed, op: "rec_x/8", traceId: "req_1" }, AT);
    expect(traced.lastError).toMatchObject({ eventId: "rec_x/8", traceId: "req_1" });
  });

  it("holds back what is still held back for no known reason", () => {
    const stalled = { outcome: "done", progress: { ...FINE, stalled: true } } as const;
    expect(afterExchange(NO_HEALTH, stalled, AT)).toMatchObject({ lastError: { reason: "other" }, lastSuccess: null });
  });

  it("keeps no text that somebody wrote", () => {
    const told = afterExchange(NO_HEALTH, { ...failed, op: "two words", traceId: "x".repeat(200) }, AT);
    expect(told.lastError).toEqual({ reason: "network_reset", observedAt: AT });
    expect(withVersion(NO_HEALTH, "1.0 <script>", AT)).toBe(NO_HEALTH);
    expect(withVersion(NO_HEALTH, "1.0.3", AT)).toEqual({ ...NO_HEALTH, version: "1.0.3", versionObservedAt: AT });
  });
});

describe("a stored health", () => {
  const WHOLE: PeerHealth = {
    version: "0.1.0",
    versionObservedAt: AT,
    lastSuccess: null,
    consecutiveFailures: 3,
    lastError: { reason: "auth", eventId: "rec_x/1", observedAt: AT },
  };

  it("is read as it was written", () => {
    expect(parseHealth(JSON.stringify(WHOLE))).toEqual(WHOLE);
    expect(parseHealth(JSON.stringify({ ...WHOLE, ofALaterVersion: 1 }))).toEqual(WHOLE);
  });

  it.each<[string, string | null]>([
    ["none", null],
    ["no JSON", "{"],
    ["another value", "7"],
    ["null", "null"],
    ["a list", "[]"],
    ["an unknown reason", JSON.stringify({ ...WHOLE, lastError: { reason: "tired", observedAt: AT } })],
    ["an inherited reason", JSON.stringify({ ...WHOLE, lastError: { reason: "toString", observedAt: AT } })],
    [
      "free text as an operation",
      JSON.stringify({ ...WHOLE, lastError: { reason: "auth", eventId: "a b", observedAt: AT } }),
    ],
    ["a negative count", JSON.stringify({ ...WHOLE, consecutiveFailures: -1 })],
    ["another form of time", JSON.stringify({ ...WHOLE, lastSuccess: 17 })],
    ["a version that is none", JSON.stringify({ ...WHOLE, version: 1 })],
  ])("that is %s reads as none", (_what, text) => {
    expect(parseHealth(text)).toBeNull();
  });
});

it("every word of a schema that is wider than ours says to upgrade this peer", () => {
  const widening = (Object.keys(HINTS) as PeerReason[]).filter(isSchemaWidening).sort();
  expect(widening).toEqual(["invalid_frontmatter", "invalid_trace_id", "unknown_action", "unknown_type"]);
  for (const reason of widening) expect(HINTS[reason]).toMatch(/^upgrade this peer/);
});
