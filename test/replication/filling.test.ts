/** What is held beyond the vector, while a snapshot of another log is taken in: bounded, kept, and counted in the end. */
import { beforeEach, describe, expect, it } from "vitest";
import { MAX_CLOCK_ENTRIES } from "../../src/core/vector-clock.ts";
import type { Op } from "../../src/core/operation.ts";
import type { SyncTransport } from "../../src/ports/sync-transport.ts";
import { altered, makePlace, originOf, shown, wired, type Place } from "../support/replication-node.ts";

const MAKER = "rec_maker";
const BY = { origin: originOf("spoke"), token: null };

let written: Op;
let place: Place;
let fails: boolean;

beforeEach(() => {
  const outcome = makePlace({ name: "maker" }).replication.records.set("macro", "f", 1);
  if (outcome.outcome !== "written") throw new Error(`the change is ${outcome.outcome}`);
  written = outcome.op;
  fails = false;
  place = makePlace({ name: "place", joint: { committed: () => tell() } });
});

describe("operations beyond the vector", () => {
  it("are of no more origins than a clock has room for", () => {
    const reports = Array.from({ length: MAX_CLOCK_ENTRIES + 10 }, (_, n) => {
      const origin = `${MAKER}${n}`;
      return place.replication.hub.push(BY, [opOf(origin, 2)], { clock: { [origin]: 2 }, complete: false });
    });
    // One place is kept for the engine itself.
    expect(reports.filter(({ applied }) => applied === 1)).toHaveLength(MAX_CLOCK_ENTRIES - 1);
    expect(reports.at(-1)?.results).toMatchObject([{ outcome: "rejected", reason: "clock_cap" }]);
    place.replication.records.set("macro", "own", 1);
    expect(place.replication.records.get("macro", "own")?.value).toBe(1);
  });

  it("are still known where those who are told of them fail", () => {
    const delivery = { via: BY.origin, ops: [opOf(MAKER, 3)], base: { [MAKER]: 3 } };
    fails = true;
    expect(() => place.replication.intake.take(delivery)).toThrow("nobody listens");
    expect(place.replication.intake.filling).toBe(true);
    expect(place.replication.intake.take(delivery)).toMatchObject([{ outcome: "duplicate" }]);
  });

  it("count once a person has skipped the one before them", () => {
    const poison = { ...opOf(MAKER, 1), checksum: "0".repeat(64) };
    const ops = [poison, opOf(MAKER, 2), opOf(MAKER, 3)].map(wired);
    place.replication.intake.take({ via: BY.origin, ops, base: { [MAKER]: 3 } });
    expect(place.replication.records.skip(MAKER, 1).outcome).toBe("skipped");
    expect(place.store.replica.ops.vector()).toEqual({ [MAKER]: 3 });
    expect(place.replication.intake.take({ via: BY.origin, ops: [opOf(MAKER, 4)], base: null })).toMatchObject([
      { outcome: "applied" },
    ]);
    expect(place.replication.intake.filling).toBe(false);
  });
});

describe("compaction of a log that is being filled", () => {
  it("goes on for everything else, also where whoever brought them never comes again", () => {
    const { hub, intake, records } = place.replication;
    for (const value of [1, 2, 3]) records.set("layout", "main", value);
    records.set("macro", "under", 1);
    place.clock.nowMs += 10;
    const over = altered(opOf(MAKER, 2), { field: "under", hlc: place.store.replica.ops.lastArrival() });
    expect(hub.push(BY, [over], { clock: { [MAKER]: 2 }, complete: false }).applied).toBe(1);
    expect(intake.filling).toBe(true);
    hub.pull({ caller: BY, after: place.store.replica.ops.lastArrival(), limit: 10, maxBytes: 1e6 });
    expect(hub.compact()).toBe(2);
    const left = place.store.replica.ops.arrivedAfter("", 10, 1e6).map(({ op }) => `${op.field}/${op.originSeq}`);
    expect(left).toEqual(["main/3", "under/4", "under/2"]);
    expect(place.store.replica.ops.floor()?.clock).toEqual({ [originOf("place")]: 4 });
  });

  it("does not say of what came after a hole was closed that it is needed no more", async () => {
    const inField = (field: string, seq: number): Op => altered(opOf(MAKER, seq), { field });
    const { hub, intake } = place.replication;
    intake.take({ via: BY.origin, ops: [inField("f", 2), inField("f", 5)], base: { [MAKER]: 5 } });
    // Whoever brought them is not given them: it has everything so far.
    const { nextCursor } = hub.pull({ caller: BY, after: "", limit: 10, maxBytes: 1e6 });
    hub.pull({ caller: BY, after: nextCursor, limit: 10, maxBytes: 1e6 });
    intake.take({ via: "rec_other", ops: [inField("f", 1), inField("g", 3), inField("f", 4)], base: null });
    expect(intake.filling).toBe(false);
    hub.compact();
    const late = makePlace({ name: "late", hub: pageByPage(place) });
    // What it is given out of order it asks for again.
    for (let round = 0; round < 8; round += 1) await late.replication.spoke?.exchangeNow();
    expect(shown(late)).toEqual(shown(place));
  });
});

/** The way to `place` for one that takes one operation at a time. */
function pageByPage(place: Place): SyncTransport {
  const way = place.wayFor(originOf("late"));
  return {
    identity: (challenge) => way.identity(challenge),
    pull: (request) => way.pull({ ...request, limit: 1 }),
    push: (ops, base) => way.push(ops, base),
    close: () => way.close(),
  };
}

function tell(): void {
  if (fails) throw new Error("nobody listens");
}

function opOf(origin: string, originSeq: number): Op {
  return altered(written, { origin, originSeq, clock: { [origin]: originSeq } });
}

describe("a number that nobody can have reached [EP6]", () => {
  const told: string[] = [];
  const OVER = 2 ** 48 + 1;

  beforeEach(() => {
    told.length = 0;
    const alarm = (code: string, detail: string): void => void told.push(`${code}: ${detail}`);
    place = makePlace({ name: "place", joint: { alarm } });
  });

  it("in the clock of a snapshot is refused and told, and nothing of the push is taken", () => {
    const push = (): unknown =>
      place.replication.hub.push(BY, [opOf(MAKER, 1)], { clock: { [MAKER]: OVER }, complete: true });
    expect(push).toThrow(`snapshot.clock of ${MAKER} is ${OVER}, out of reach`);
    expect(told).toEqual([expect.stringMatching(/^number-out-of-reach: .*rec_spoke.*out of reach.*reset-numbers/u)]);
    expect(place.store.replica.ops.vector()).toEqual({});
  });

  it.each([
    ["epoch", { epoch: OVER }],
    ["counter", { originSeq: OVER }],
    ["clock of another", { clock: { [MAKER]: 1, rec_other: OVER } }],
  ])("as %s of an operation: refused and told", (_what, change) => {
    const report = place.replication.hub.push(BY, [altered(opOf(MAKER, 1), change)]);
    expect(report).toMatchObject({ applied: 0, results: [{ outcome: "rejected" }] });
    expect(told[0]).toMatch(/^number-out-of-reach: .*out of reach/u);
    expect(place.store.replica.ops.vector()).toEqual({});
  });
});
