/** R5 and its kind: a clock that was ahead and was put right, on a spoke, in a pair, and while it is still wrong. */
import { afterEach, describe, expect, it } from "vitest";
import { Stamps } from "../../src/actors/stamps.ts";
import { ClockEvidence } from "../../src/replication/clock-evidence.ts";
import { formatHlc, hlcZero, parseHlc } from "../../src/core/hlc.ts";
import { makePlace, originOf, type Place, SetClock, shown } from "../support/replication-node.ts";

const DAY_MS = 86_400_000;
const places: Place[] = [];
afterEach(() => {
  for (const { replication } of places.splice(0)) replication.stop();
});

function place(init: Parameters<typeof makePlace>[0]): Place {
  const made = makePlace(init);
  places.push(made);
  return made;
}

const value = (at: Place, field: string) => at.replication.records.get("macros", field)?.value;
const exchange = async (at: Place) => at.replication.spoke?.exchangeNow();

describe.each([
  ["a minute", 60_000],
  ["an hour", 3_600_000],
  ["a year", 365 * DAY_MS],
])("R5 CK2: the clock of a spoke was ahead by %s", (_what, aheadMs) => {
  const start = () => {
    const hub = place({ name: "hub" });
    const clock = new SetClock();
    const spoke = place({ name: "s1", clock, hub: hub.wayFor(originOf("s1")) });
    return { hub, clock, spoke };
  };

  it("what it wrote meanwhile, and what it writes later, reaches the hub once it is put right", async () => {
    const { hub, clock, spoke: first } = start();
    first.replication.records.set("macros", "before", 1);
    await exchange(first);
    hub.replication.records.set("macros", "both", "of the hub");
    await exchange(first);
    // It starts again, and has heard of nobody's clock yet.
    const spoke = place({ name: "s1", clock, store: first.store, hub: hub.wayFor(originOf("s1")) });
    clock.nowMs += aheadMs;
    spoke.replication.records.set("macros", "wrong", 1);
    spoke.replication.records.set("macros", "both", "of the spoke");
    clock.nowMs -= aheadMs;
    expect(spoke.replication.records.set("macros", "after", 1).outcome).toBe("written");
    expect(await exchange(spoke)).toMatchObject({ outcome: "done", progress: { refused: null, stalled: false } });
    expect(shown(hub)).toEqual(shown(spoke));
    expect(["before", "wrong", "both", "after"].map((field) => value(hub, field))).toEqual([1, 1, "of the spoke", 1]);
    expect(spoke.replication.records.origin).toBe(`${originOf("s1")}.2`);
    expect(shown(hub).vector).toMatchObject({ [originOf("s1")]: 1, [`${originOf("s1")}.2`]: 4 });
    const { hlc } = spoke.replication.records.get("macros", "after") ?? { hlc: "" };
    expect(parseHlc(hlc).unixMs).toBeLessThanOrEqual(clock.nowMs);
    // The hub can overwrite what the wrong clock had stamped.
    hub.replication.records.set("macros", "wrong", 2);
    await exchange(spoke);
    expect(value(spoke, "wrong")).toBe(2);
    expect(shown(spoke).open).toEqual([]);
  });

  it("CK3: nobody can take a record while it is wrong, so writing one is refused", async () => {
    const { hub, clock, spoke } = start();
    await exchange(spoke);
    clock.nowMs += aheadMs;
    expect(spoke.replication.records.set("macros", "x", 1)).toMatchObject({ outcome: "clock-wrong" });
    expect(spoke.replication.clockWrongMs()).toBeGreaterThan(aheadMs - 1_000);
    expect(shown(spoke).records).toEqual([]);
    clock.nowMs -= aheadMs;
    expect(spoke.replication.records.set("macros", "x", 1)).toMatchObject({ outcome: "written" });
    await exchange(spoke);
    expect(value(hub, "x")).toBe(1);
  });

  it("a hub that had refused its operations drops what it had set aside", async () => {
    const { hub, clock, spoke } = start();
    clock.nowMs += aheadMs;
    spoke.replication.records.set("macros", "x", 1);
    for (let turn = 0; turn < 4; turn += 1) await exchange(spoke);
    expect(hub.replication.records.setAside(10)).toHaveLength(1);
    clock.nowMs -= aheadMs;
    expect(await exchange(spoke)).toMatchObject({ progress: { stalled: false } });
    expect(hub.replication.records.setAside(10)).toEqual([]);
    expect(value(hub, "x")).toBe(1);
  });

  it("also where it restarted in between, and twice in a row", async () => {
    const hub = place({ name: "hub" });
    const clock = new SetClock();
    const first = place({ name: "s1", clock, hub: hub.wayFor(originOf("s1")) });
    const { store } = first;
    for (const turn of [1, 2]) {
      clock.nowMs += aheadMs;
      const wrong = place({ name: "s1", clock, store, hub: hub.wayFor(originOf("s1")) });
      wrong.replication.records.set("macros", `wrong ${turn}`, turn);
      clock.nowMs -= aheadMs - 1_000;
      const right = place({ name: "s1", clock, store, hub: hub.wayFor(originOf("s1")) });
      hub.clock.nowMs = clock.nowMs;
      expect(await exchange(right)).toMatchObject({ progress: { stalled: false } });
      expect(shown(hub)).toEqual(shown(right));
      expect(value(hub, `wrong ${turn}`)).toBe(turn);
    }
  });
});

it("CK2: two that were ahead together take back what they took from each other", async () => {
  const hub = place({ name: "hub" });
  const [clock, further] = [new SetClock(), new SetClock()];
  const middle = place({ name: "m", clock, hub: hub.wayFor(originOf("m")) });
  const spoke = place({ name: "s1", clock: further, hub: middle.wayFor(originOf("s1")) });
  for (const each of [clock, further]) each.nowMs += DAY_MS;
  spoke.replication.records.set("macros", "x", "far");
  await exchange(spoke);
  expect(value(middle, "x")).toBe("far");
  for (const each of [clock, further]) each.nowMs -= DAY_MS;
  await exchange(spoke);
  await exchange(middle);
  expect(value(hub, "x")).toBe("far");
  hub.replication.records.set("macros", "x", "now");
  await exchange(middle);
  await exchange(spoke);
  for (const one of [hub, middle, spoke]) expect(shown(one)).toEqual(shown(hub));
  expect(value(spoke, "x")).toBe("now");
  expect(shown(spoke).open).toEqual([]);
});

it("R1 CK2: a conflict with what is taken back is open nowhere, though the other change stands now", async () => {
  const ahead = new SetClock();
  const hub = place({ name: "hub", clock: ahead });
  const clock = new SetClock();
  const { store } = place({ name: "s1", clock, hub: hub.wayFor(originOf("s1")) });
  const wrong = place({ name: "s1", clock, store, hub: hub.wayFor(originOf("s1")) });
  clock.nowMs += 60_000;
  wrong.replication.records.set("macros", "x", "of the spoke");
  // Within the drift that each takes, and later than what the spoke issues again.
  ahead.nowMs += 400;
  hub.replication.records.set("macros", "x", "of the hub");
  await exchange(wrong);
  expect(shown(wrong).open).toHaveLength(1);
  clock.nowMs -= 60_000;
  for (let turn = 0; turn < 3; turn += 1) await exchange(wrong);
  expect(value(hub, "x")).toBe("of the hub");
  expect(shown(wrong)).toEqual(shown(hub));
  expect(shown(wrong).open).toHaveLength(1);
});

it("CK2: a clock that falls far behind is not a clock that was put right: what it wrote stays as it is", async () => {
  const hub = place({ name: "hub" });
  const clock = new SetClock();
  const spoke = place({ name: "s1", clock, hub: hub.wayFor(originOf("s1")) });
  for (const field of ["x", "y"]) spoke.replication.records.set("macros", field, "before");
  await exchange(spoke);
  const { vector } = shown(hub);
  clock.nowMs -= DAY_MS;
  await exchange(spoke);
  expect(spoke.replication.records.set("macros", "y", "behind").outcome).toBe("written");
  await exchange(spoke);
  expect(spoke.replication.records.origin).toBe(originOf("s1"));
  expect(shown(hub).vector).toEqual({ ...vector, [originOf("s1")]: 3 });
  expect(value(hub, "y")).toBe("behind");
  // Others can change what it wrote with a clock that is behind, and it stands over what they wrote before.
  clock.nowMs += DAY_MS;
  hub.replication.records.set("macros", "y", "later");
  await exchange(spoke);
  expect(shown(spoke)).toEqual(shown(hub));
  expect(value(spoke, "y")).toBe("later");
});

it.each([
  ["of another writer", "rec_newer", 1],
  ["that this engine wrote itself, and issues again", originOf("s1"), 2],
])(
  "R1 CK2: an operation of a kind that only a newer version knows stands nowhere: one %s",
  async (_what, origin, originSeq) => {
    const hub = place({ name: "hub" });
    const clock = new SetClock();
    const { store } = place({ name: "s1", clock });
    const { replica } = store;
    const made = {
      origin,
      originSeq,
      hlc: formatHlc({ unixMs: clock.nowMs + DAY_MS, counter: 9, origin: "eng_newer" }),
      epoch: 0,
      checksum: "0".repeat(64),
    };
    const op = {
      ...made,
      entity: "macros",
      field: "x",
      payload: null,
      clock: { [origin]: originSeq },
      kind: "explode" as "set",
    };
    const spoke = place({ name: "s1", clock, store, hub: hub.wayFor(originOf("s1")) });
    clock.nowMs += DAY_MS;
    spoke.replication.records.set("macros", "x", 1);
    replica.transaction(() => {
      replica.ops.add({ op, arrival: replica.ops.lastArrival().replace("eng_s1", "eng_zz"), via: "" });
      replica.ops.raiseVector(origin, originSeq);
    });
    clock.nowMs -= DAY_MS;
    await exchange(spoke);
    expect(spoke.replication.records.origin).toBe(`${originOf("s1")}.2`);
    expect(replica.records.heads("macros", "x").map(({ kind }) => kind)).toEqual(["set"]);
  },
);

it.each([
  ["a few seconds, and passes by itself", 5_000],
  ["a minute", 60_000],
])(
  "R6 CK2: stamps that nobody was given go back to the present; what was kept is ahead by %s",
  (_what, keptAheadMs) => {
    const clock = new SetClock();
    const stamps = new Stamps({ clock }, { origin: "eng_e", last: hlcZero("eng_e") });
    const { replication, store } = place({ name: "e", clock, joint: { stamps } });
    clock.nowMs += keptAheadMs;
    const kept = stamps.next();
    store.replica.raiseHlc(kept);
    clock.nowMs += DAY_MS;
    stamps.next();
    clock.nowMs -= DAY_MS + keptAheadMs;
    replication.peerClock(clock.nowMs - clock.monoMs());
    const mostMs = keptAheadMs > 10_000 ? 0 : keptAheadMs;
    expect(parseHlc(store.replica.hlc()).unixMs - clock.nowMs).toBe(mostMs);
    expect(stamps.next() > store.replica.hlc()).toBe(true);
    expect(stamps.aheadMs).toBe(mostMs);
  },
);

it("[CK3] an answer that was held up for seconds does not put the others' clocks behind", () => {
  const now = { monoMs: 1_000, unixMs: 1_900_000_000_000 };
  const clock = { monoMs: () => now.monoMs, unixMs: () => now.unixMs };
  const evidence = new ClockEvidence({ clock });
  const asked = { ...now };
  now.monoMs += 3_000;
  now.unixMs += 3_000;
  evidence.noted("hub", asked.unixMs, asked.monoMs);
  expect(evidence.aheadMs(clock.unixMs())).toBeLessThanOrEqual(0);
  expect(evidence.aheadMs(clock.unixMs() + 600)).toBeCloseTo(600);
});
