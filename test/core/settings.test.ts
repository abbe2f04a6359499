/** The relations between the timings [VT6] and the defaults that depend on others. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brokenRelations, DEFAULT_FAILOVER, type FailoverSettings, resolveFailover } from "../../src/core/settings.ts";

const keysOf = (changed: Partial<FailoverSettings>) =>
  brokenRelations({ ...DEFAULT_FAILOVER, ...changed }).map(({ key }) => key);

describe("relations between timings", () => {
  it("[VT6] hold for the defaults", () => {
    expect(brokenRelations(DEFAULT_FAILOVER)).toEqual([]);
  });

  it.each<[string, Partial<FailoverSettings>, readonly string[]]>([
    ["a wait that is no longer than the lease", { campaignWaitMs: 650 }, ["failover.campaignWaitMs"]],
    ["more drift than the wait allows for", { maxClockDriftPpm: 100_000 }, ["failover.campaignWaitMs"]],
    ["more time to end than the wait allows for", { quiesceMs: 150 }, ["failover.campaignWaitMs"]],
    ["a lease that ends before the peer is silent", { missLimit: 4 }, ["failover.leaseMs"]],
    ["a witness that answers after the next beat", { witnessTimeoutMs: 200 }, ["failover.witnessTimeoutMs"]],
    ["two at once", { missLimit: 4, witnessTimeoutMs: 500 }, ["failover.leaseMs", "failover.witnessTimeoutMs"]],
  ])("[VT6] refuse %s", (_title, changed, keys) => {
    expect(keysOf(changed)).toEqual(keys);
  });

  it("[VT6] are exact at their edges", () => {
    expect(keysOf({ heartbeatMs: 200, missLimit: 3, leaseMs: 600 })).toEqual([]);
    expect(keysOf({ witnessTimeoutMs: 199 })).toEqual([]);
    expect(keysOf({ maxClockDriftPpm: 0, campaignWaitMs: 651 })).toEqual([]);
    expect(keysOf({ maxClockDriftPpm: 0, campaignWaitMs: 650 })).toEqual(["failover.campaignWaitMs"]);
  });

  it("[VT6] name the value and a bound that, once kept, mends it", () => {
    const settings = fc.record({
      leaseMs: fc.integer({ min: 100, max: 5_000 }),
      quiesceMs: fc.integer({ min: 0, max: 500 }),
      campaignWaitMs: fc.integer({ min: 100, max: 8_000 }),
      maxClockDriftPpm: fc.integer({ min: 0, max: 200_000 }),
    });
    fc.assert(
      fc.property(settings, (changed) => {
        const timings = { ...DEFAULT_FAILOVER, ...changed };
        const broken = brokenRelations(timings).find(({ key }) => key === "failover.campaignWaitMs");
        if (broken === undefined) return;
        expect(broken.value).toBe(timings.campaignWaitMs);
        const campaignWaitMs = Number(broken.bound.replace("> ", "")) + 1;
        expect(keysOf({ ...changed, campaignWaitMs })).not.toContain("failover.campaignWaitMs");
      }),
    );
  });

  it("[I4] keep a leader's count shorter than the grant for all clocks within the drift", () => {
    const drift = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 600, max: 3_000 }), drift, drift, (campaignWaitMs, leaders, followers) => {
        const settings = { ...DEFAULT_FAILOVER, campaignWaitMs };
        fc.pre(brokenRelations(settings).length === 0);
        const rho = settings.maxClockDriftPpm / 1_000_000;
        // A clock that runs fast by x shows d ms after d / (1 + x) ms of true time.
        const leaderEndsMs = settings.leaseMs / (1 + leaders * rho) + settings.quiesceMs;
        const grantEndsMs = campaignWaitMs / (1 + followers * rho);
        expect(leaderEndsMs).toBeLessThan(grantEndsMs);
      }),
    );
  });
});

describe("defaults that depend on others", () => {
  it("[DP1] trust a refused connection on air, and not under consistency", () => {
    expect(resolveFailover({}, "redis").deathProof).toBe("refused");
    expect(resolveFailover({ policy: "consistency" }, "redis").deathProof).toBe("none");
    expect(resolveFailover({ policy: "consistency", deathProof: "refused" }, "redis").deathProof).toBe("refused");
  });

  it("[CP3] lead blind only on air and only without a witness", () => {
    expect(resolveFailover({}, "none").blindPromoteMs).toBe(1_000);
    expect(resolveFailover({}, "redis").blindPromoteMs).toBe("never");
    expect(resolveFailover({ policy: "consistency" }, "none").blindPromoteMs).toBe("never");
    expect(resolveFailover({ blindPromoteMs: 3_000 }, "redis").blindPromoteMs).toBe(3_000);
  });
});
