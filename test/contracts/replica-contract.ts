/** What every replica promises, whatever it is made of: run on each store by `replica.test.ts`. */
import { describe, expect, it } from "vitest";
import { formatHlc } from "../../src/core/hlc.ts";
import type { Op } from "../../src/core/operation.ts";
import type { ArrivedOp, Replica } from "../../src/ports/replica.ts";
import type { Store } from "../../src/ports/store.ts";
import { altered } from "../support/replication-node.ts";
import { storeBench, type StorePlace } from "./store-bench.ts";
import { commands, START_UNIX_MS } from "./store-samples.ts";

/** Operation `originSeq` of `origin`. */
export function op(origin: string, originSeq: number, given: Partial<Op> = {}): Op {
  const hlc = formatHlc({ unixMs: START_UNIX_MS + originSeq, counter: 0, origin });
  const made = { origin, originSeq, hlc, epoch: 1, kind: "set", entity: "macros", field: `f${originSeq}` } as const;
  return altered({ ...made, payload: { n: originSeq }, clock: { [origin]: originSeq }, checksum: "" }, given);
}

const arrivalAt = (n: number): string => formatHlc({ unixMs: START_UNIX_MS + 1_000 + n, counter: 0, origin: "eng_a" });

function arrived(one: Op, n: number, via = ""): ArrivedOp {
  return { op: one, arrival: arrivalAt(n), via };
}

export function replicaContract(name: string, makePlace: () => StorePlace): void {
  describe(`the replica contract: ${name}`, () => {
    const bench = storeBench(makePlace);
    const replica = (): Replica => bench.replica;
    const reopen = (): Replica => bench.reopen().replica;
    logContract(replica, reopen);
    compactionContract(replica, reopen);
    closedHoleContract(replica, reopen);
    asideContract(replica, reopen);
    recordContract(replica, reopen);
    transactionContract(replica, reopen, () => bench.store);
  });
}

function logContract(replica: () => Replica, reopen: () => Replica): void {
  it("keeps operations as they were, by arrival, without those of one who brought or made them", () => {
    const ops = [op("rec_a", 1), op("rec_b", 1), op("rec_a", 2, { kind: "delete", payload: null, signature: "k.s" })];
    ops.forEach((one, index) => replica().ops.add(arrived(one, index, index === 1 ? "rec_b" : "")));
    for (const open of [replica, reopen]) {
      const held = open();
      expect(held.ops.arrivedAfter("", 10, 1e6).map((one) => one.op)).toEqual(ops);
      expect(held.ops.arrivedAfter("", 2, 1e6)).toHaveLength(2);
      expect(held.ops.arrivedAfter("", 10, 1)).toHaveLength(1);
      expect(held.ops.arrivedAfter(arrivalAt(0), 10, 1e6, "rec_b").map((one) => one.op)).toEqual([ops[2]]);
      // Null: what it brought is given; what it made is not.
      expect(held.ops.arrivedAfter("", 10, 1e6, "rec_b", null).map((one) => one.op)).toEqual([ops[0], ops[2]]);
      expect(held.ops.find("rec_b", 1)).toEqual(arrived(ops[1] as Op, 1, "rec_b"));
      expect(held.ops.lastArrival()).toBe(arrivalAt(2));
      expect(held.ops.newest(2).map((one) => one.op)).toEqual([ops[2], ops[1]]);
      expect(held.ops.newest(0)).toEqual([]);
      expect(held.ops.newest(10, 1).map((one) => one.op)).toEqual([ops[2]]);
      expect(held.ops.count()).toBe(3);
    }
    expect(() => replica().ops.add(arrived(op("rec_a", 1), 9))).toThrow();
  });

  it("raises the vector and never lowers it, and tells what somebody else lacks", () => {
    for (const seq of [1, 2, 3]) replica().ops.add(arrived(op("rec_a", seq), seq));
    replica().ops.raiseVector("rec_a", 3);
    replica().ops.raiseVector("rec_a", 2);
    for (const open of [replica, reopen]) {
      const held = open();
      expect(held.ops.vector()).toEqual({ rec_a: 3 });
      expect(held.ops.lackedBy({ rec_a: 1 }, 10, 1e6).map(({ originSeq }) => originSeq)).toEqual([2, 3]);
      expect(held.ops.lackedBy({}, 2, 1e6)).toHaveLength(2);
      expect(held.ops.lackedBy({ rec_a: 3 }, 10, 1e6)).toEqual([]);
    }
  });
}

function compactionContract(replica: () => Replica, reopen: () => Replica): void {
  it("tells through which arrival a clock counts everything", () => {
    expect(replica().ops.coveredBy({ rec_a: 9 }, "", 10)).toBe("");
    const came = [op("rec_a", 1), op("rec_b", 1), op("rec_a", 2), op("rec_b", 2)];
    came.forEach((one, index) => replica().ops.add(arrived(one, index + 1)));
    replica().ops.raiseVector("rec_a", 2);
    replica().ops.raiseVector("rec_b", 2);
    for (const open of [replica, reopen]) {
      const covered = (clock: Record<string, number>, after = "", limit = 10): string =>
        open().ops.coveredBy(clock, after, limit);
      expect(covered({ rec_a: 2, rec_b: 2, rec_c: 7 })).toBe(arrivalAt(4));
      expect(covered({ rec_a: 2, rec_b: 1 })).toBe(arrivalAt(3));
      expect(covered({ rec_a: 1, rec_b: 2 })).toBe(arrivalAt(2));
      expect(covered({ rec_a: 2 })).toBe(arrivalAt(1));
      expect(covered({ rec_b: 2 })).toBe("");
      expect(covered({})).toBe("");
      expect(covered({ rec_a: 2, rec_b: 1 }, "", 2)).toBe(arrivalAt(2));
      expect(covered({ rec_a: 2, rec_b: 1 }, arrivalAt(2), 9)).toBe(arrivalAt(3));
      expect(covered({ rec_a: 2, rec_b: 1 }, arrivalAt(3), 9)).toBe(arrivalAt(3));
    }
  });

  it("knows the digest of what comes in one transaction with a withdrawal of another origin", () => {
    const held = replica();
    held.ops.add(arrived(op("rec_a", 1), 1));
    held.ops.raiseVector("rec_a", 1);
    held.transaction(() => {
      held.ops.add(arrived(op("rec_a.2", 1), 2));
      held.ops.withdraw("rec_a", 0);
      held.ops.add(arrived(op("rec_a.2", 2), 3));
      held.ops.raiseVector("rec_a.2", 2);
    });
    for (const open of [replica, reopen]) expect(open().ops.headAt("rec_a.2", 2)).toMatch(/^[0-9a-f]+$/u);
  });

  it("forgets the digest of a compacted operation once more is counted, also what was never held here", () => {
    const { ops } = replica();
    ops.add(arrived(op("rec_a", 1), 1));
    ops.raiseVector("rec_a", 1);
    const head = ops.headAt("rec_a", 1);
    expect(head).not.toBeNull();
    expect(ops.compact(arrivalAt(1), 10).dropped).toBe(1);
    expect(ops.headAt("rec_a", 1)).toBe(head);
    ops.raiseVector("rec_a", 3);
    for (const open of [replica, reopen]) {
      expect([1, 3].map((n) => open().ops.headAt("rec_a", n))).toEqual([null, null]);
    }
  });

  it("compacts what no field needs, and remembers through where", () => {
    const [first, second] = [op("rec_a", 1, { field: "f" }), op("rec_a", 2, { field: "f" })];
    [first, second].forEach((one, index) => replica().ops.add(arrived(one, index)));
    replica().records.saveHeads([second]);
    replica().ops.raiseVector("rec_a", 2);
    expect(replica().ops.floor()).toBeNull();
    expect(replica().ops.compact(arrivalAt(5), 10)).toMatchObject({ dropped: 1, more: false });
    for (const open of [replica, reopen]) {
      const held = open();
      expect(held.ops.floor()).toEqual({ through: arrivalAt(5), clock: { rec_a: 2 } });
      expect(held.ops.arrivedAfter("", 10, 1e6).map((one) => one.op)).toEqual([second]);
    }
    replica().ops.raiseFloor({ through: arrivalAt(3), clock: { rec_a: 1, rec_b: 4 } });
    expect(reopen().ops.floor()).toEqual({ through: arrivalAt(5), clock: { rec_a: 2, rec_b: 4 } });
  });
}

function closedHoleContract(replica: () => Replica, reopen: () => Replica): void {
  it("drops and counts nothing above what came later over a hole that was closed", () => {
    const [, second, , fourth] = [1, 3, 2, 4].map((seq, index) => {
      const one = op("rec_a", seq, { field: seq === 2 ? "g" : "f" });
      replica().ops.add(arrived(one, index + 1));
      return one;
    });
    replica().records.saveHeads([fourth as Op]);
    replica().ops.raiseVector("rec_a", 1);
    expect(replica().ops.compact(arrivalAt(4), 10).dropped).toBe(0);
    replica().ops.raiseVector("rec_a", 4);
    const { ops } = reopen();
    expect(ops.compact(arrivalAt(2), 10).dropped).toBe(1);
    expect(ops.floor()).toEqual({ through: arrivalAt(2), clock: { rec_a: 1 } });
    expect(ops.find("rec_a", 3)?.op).toEqual(second);
    // What came out of order may need another run.
    expect(ops.compact(arrivalAt(4), 10).dropped + ops.compact(arrivalAt(4), 10).dropped).toBe(2);
    const floor = reopen().ops.floor();
    expect(floor?.through).toBe(arrivalAt(4));
    expect(floor?.clock["rec_a"]).toBeGreaterThanOrEqual(3);
  });

  it("looks at no more operations in one step than it may, and at none again where nothing has changed", () => {
    const made = Array.from({ length: 25 }, (_, n) => op("rec_a", n + 1, { field: `f${n % 5}` }));
    const keep = (one: Op, at: number): void => {
      replica().ops.add(arrived(one, at));
      replica().records.heads(one.entity, one.field);
      replica().records.saveHeads([one]);
      replica().ops.raiseVector("rec_a", one.originSeq);
    };
    made.forEach((one, at) => keep(one, at + 1));
    const run = (through: number): { dropped: number; steps: number } => {
      for (let [dropped, steps] = [0, 1]; ; steps += 1) {
        const step = replica().ops.compact(arrivalAt(through), 6);
        expect(step.looked).toBeLessThanOrEqual(6);
        dropped += step.dropped;
        if (!step.more) return { dropped, steps };
      }
    };
    expect(run(25).dropped).toBe(20);
    expect(replica().ops.floor()?.clock["rec_a"]).toBeGreaterThanOrEqual(20);
    expect(replica().ops.compact(arrivalAt(25), 6)).toEqual({ dropped: 0, looked: 0, more: false });
    // One new operation: itself, and the one over which it stands.
    keep(op("rec_a", 26, { field: "f0" }), 26);
    expect(replica().ops.compact(arrivalAt(25), 6).dropped).toBe(1);
    expect(run(26)).toEqual({ dropped: 0, steps: 1 });
    expect(
      reopen()
        .ops.arrivedAfter("", 10, 1e6)
        .map((one) => one.op.originSeq),
    ).toEqual([22, 23, 24, 25, 26]);
  });

  it("does not count under its floor what was withdrawn: others come under those numbers", () => {
    for (const [at, seq] of [1, 2, 3].entries()) replica().ops.add(arrived(op("rec_a", seq, { field: "f" }), at + 1));
    replica().records.saveHeads([op("rec_a", 3, { field: "f" })]);
    replica().ops.raiseVector("rec_a", 3);
    replica().ops.compact(arrivalAt(3), 10);
    expect(replica().ops.floor()?.clock).toEqual({ rec_a: 3 });
    replica().ops.withdraw("rec_a", 2);
    for (const open of [replica, reopen]) expect(open().ops.floor()?.clock).toEqual({ rec_a: 2 });
  });
}

function asideContract(replica: () => Replica, reopen: () => Replica): void {
  it("sets aside and forgets, dead ones first, and keeps the same claim once", () => {
    const note = {
      via: "hub",
      reason: "unknown_action",
      content: { kind: "x" },
      attempts: 1,
      dead: false,
      atUnixMs: 5.5,
    };
    replica().ops.setAside({ origin: "a", originSeq: 1, ...note, dead: true, attempts: 3 });
    replica().ops.setAside({ origin: "b", originSeq: 1, ...note });
    replica().ops.setAside({ origin: "c", originSeq: 4, ...note });
    replica().ops.forgetSetAside("c", 4);
    const claim = { origin: "a", originSeq: 1, via: "hub", reason: "quarantined", content: { n: 1 }, atUnixMs: 6 };
    for (const atUnixMs of [6, 7]) replica().ops.quarantine({ ...claim, atUnixMs });
    for (const open of [replica, reopen]) {
      const held = open();
      expect(held.ops.allSetAside(10).map(({ origin, dead }) => [origin, dead])).toEqual([
        ["a", true],
        ["b", false],
      ]);
      expect(held.ops.findSetAside("b", 1)).toEqual({ origin: "b", originSeq: 1, ...note });
      expect(held.ops.quarantined(10)).toEqual([claim]);
    }
  });
}

function recordContract(replica: () => Replica, reopen: () => Replica): void {
  it("keeps the heads of a field, and lists what holds a value by entity and field", () => {
    const ops = [
      op("rec_a", 1, { entity: "b", field: "x" }),
      op("rec_a", 2, { entity: "a", field: "y" }),
      op("rec_a", 3, { entity: "a", field: "x", kind: "delete", payload: null }),
      op("rec_b", 1, { entity: "b", field: "x" }),
    ];
    ops.forEach((one, index) => replica().ops.add(arrived(one, index)));
    const [bx, ay, ax, other] = ops as [Op, Op, Op, Op];
    for (const heads of [[other, bx], [ay], [ax]]) replica().records.saveHeads(heads);
    for (const open of [replica, reopen]) {
      const held = open();
      expect(held.records.heads("b", "x")).toEqual([other, bx]);
      expect(held.records.standing("b", "x")).toEqual(other);
      expect(held.records.standing("b", "z")).toBeNull();
      expect(held.records.list(null, null, 10)).toEqual([ay, other]);
      expect(held.records.list("b", null, 10)).toEqual([other]);
      expect(held.records.list(null, { entity: "a", field: "y" }, 10)).toEqual([other]);
      expect(held.records.all(null, 10)).toEqual([ax, ay, other]);
    }
    replica().records.saveHeads([bx]);
    expect(reopen().records.heads("b", "x")).toEqual([bx]);
  });

  it("keeps small facts by key; deleting what is not there is fine", () => {
    replica().peerState.set("peer:x:cursor", "1");
    replica().peerState.set("peer:x:cursor", "2");
    replica().peerState.set("peer:x%:id", "3");
    replica().peerState.set("other", "4");
    replica().peerState.delete("nothing");
    for (const open of [replica, reopen]) {
      const held = open();
      expect(held.peerState.get("peer:x:cursor")).toBe("2");
      expect(held.peerState.get("nothing")).toBeNull();
      expect(held.peerState.withPrefix("peer:x")).toEqual([
        ["peer:x%:id", "3"],
        ["peer:x:cursor", "2"],
      ]);
    }
  });
}

function transactionContract(replica: () => Replica, reopen: () => Replica, store: () => Store): void {
  it("undoes everything of a transaction that throws", () => {
    replica().ops.add(arrived(op("rec_a", 1), 1));
    replica().ops.raiseVector("rec_a", 1);
    replica().peerState.set("k", "before");
    const note = { via: "hub", reason: "clock_drift", content: {}, attempts: 1, dead: false, atUnixMs: 5 };
    for (const origin of ["older", "newer"]) replica().ops.setAside({ origin, originSeq: 1, ...note });
    const before = replica().hlc();
    expect(() =>
      replica().transaction(() => {
        replica().ops.add(arrived(op("rec_a", 2), 2));
        replica().ops.raiseVector("rec_a", 2);
        replica().ops.raiseVector("rec_b", 7);
        replica().records.saveHeads([op("rec_a", 1)]);
        replica().peerState.set("k", "after");
        replica().peerState.delete("k");
        for (const origin of ["older", "newer"]) replica().ops.forgetSetAside(origin, 1);
        replica().raiseHlc(arrivalAt(50));
        throw new Error("no");
      }),
    ).toThrow("no");
    for (const open of [replica, reopen]) {
      const held = open();
      expect(held.ops.vector()).toEqual({ rec_a: 1 });
      expect(held.ops.count()).toBe(1);
      expect(held.records.all(null, 10)).toEqual([]);
      expect(held.peerState.get("k")).toBe("before");
      expect(held.hlc()).toBe(before);
      expect(held.ops.allSetAside(10).map(({ origin }) => origin)).toEqual(["newer", "older"]);
    }
    expect(replica().transaction(() => 5)).toBe(5);
  });

  it("shares stamp, file and log with the commands, whose numbers and tail are not touched", () => {
    replica().ops.add(arrived(op("rec_a", 1), 1));
    replica().ops.raiseVector("rec_a", 1);
    replica().raiseHlc(arrivalAt(900_000));
    store().append(commands(1, 3));
    expect(store().load()).toMatchObject({ log: { seq: 3 }, hlc: arrivalAt(900_000) });
    expect(store().commandsAfter(0, 10).commands).toEqual(commands(1, 3));
    const position = { epoch: 1, seq: 3 };
    const state = store().draftState();
    state.add("null");
    store().saveCheckpoint({ position, state });
    store().compact(3, 0);
    const held = reopen();
    expect(held.ops.count()).toBe(1);
    expect(held.hlc()).toBe(arrivalAt(900_000));
    expect(store().load().hlc).toBe(arrivalAt(900_000));
  });
}
