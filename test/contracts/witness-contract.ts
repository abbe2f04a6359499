/** Contract of the port Witness, for every adapter: the record here, the lock in `witness-lock-contract.ts`. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Epoch } from "../../src/core/epoch.ts";
import { makeId } from "../../src/core/ids.ts";
import { MAX_NUMBER } from "../../src/core/reach.ts";
import type { Witness, WitnessRecord } from "../../src/ports/witness.ts";
import { witnessLockContract } from "./witness-lock-contract.ts";
import { aRecord, until, type WitnessUnderTest } from "./witness-under-test.ts";

export function witnessContract(name: string, make: () => Promise<WitnessUnderTest>): void {
  describe(`witness contract: ${name}`, () => {
    let given: WitnessUnderTest;
    let a: Witness;
    let b: Witness;

    beforeEach(async () => {
      given = await make();
      a = given.connect();
      b = given.connect();
    });
    afterEach(async () => given.end());

    const both = (): readonly [Witness, Witness] => [a, b];
    swapping(both);
    keeping(both);
    racing(both);
    forgetting(both, () => given);
    strange(both, () => given);
  });
  witnessLockContract(name, make);
}

function swapping(both: () => readonly [Witness, Witness]): void {
  it("[VT3] holds no record at first, and takes one where none is expected", async () => {
    const [a, b] = both();
    expect(await a.read()).toMatchObject({ outcome: "read", record: null });
    expect(await a.swap(null, aRecord())).toMatchObject({ outcome: "swapped" });
    expect(await b.read()).toMatchObject({ outcome: "read", record: aRecord() });
  });

  it("[VT3] a swap that expects no record loses against a standing one, and is told which", async () => {
    const [a, b] = both();
    await a.swap(null, aRecord());
    const late = aRecord({ holder: "b", epoch: 2 });
    expect(await b.swap(null, late)).toMatchObject({ outcome: "lost", record: aRecord() });
    expect(await a.read()).toMatchObject({ record: aRecord() });
  });

  it("[VT3] a swap that expects a record loses where none stands", async () => {
    const [a] = both();
    expect(await a.swap(aRecord(), aRecord({ seq: 2 }))).toMatchObject({ outcome: "lost", record: null });
    expect(await a.read()).toMatchObject({ record: null });
  });

  it.each<[string, Partial<WitnessRecord>]>([
    ["holder", { holder: "b" }],
    ["epoch", { epoch: 6 }],
    ["seq", { seq: 6 }],
  ])("[VT3] a swap that expects another %s changes nothing", async (_field, other) => {
    const [a, b] = both();
    const standing = aRecord({ epoch: 5, seq: 7 });
    await a.swap(null, standing);
    const next = aRecord({ epoch: 8, seq: 1 });
    expect(await b.swap({ ...standing, ...other }, next)).toMatchObject({ outcome: "lost", record: standing });
    expect(await a.read()).toMatchObject({ record: standing });
    expect(await b.swap(standing, next)).toMatchObject({ outcome: "swapped" });
    expect(await a.read()).toMatchObject({ record: next });
  });
}

function keeping(both: () => readonly [Witness, Witness]): void {
  it("gives a record back whole", async () => {
    const [a, b] = both();
    const whole = aRecord({
      holder: "b",
      epoch: MAX_NUMBER - 1,
      seq: 123_456_789,
      lastCommandSeq: 987_654,
      lastCommandEpoch: 41,
      clock: { eng_one: 12, "eng_Zürich ½": MAX_NUMBER - 1 },
      released: true,
    });
    await a.swap(null, whole);
    expect(await b.read()).toMatchObject({ record: whole });
  });

  it("[VT3] a leader rewrites its own record again and again", async () => {
    const [a, b] = both();
    let standing = aRecord();
    await a.swap(null, standing);
    for (let seq = 2; seq <= 20; seq += 1) {
      const next = aRecord({ seq });
      expect(await a.swap(standing, next)).toMatchObject({ outcome: "swapped" });
      standing = next;
    }
    expect(await b.read()).toMatchObject({ record: { seq: 20 } });
  });

  it("can be closed twice", async () => {
    const [a, b] = both();
    await a.read();
    await Promise.all([a.close(), a.close()]);
    await a.close();
    expect(await b.read()).toMatchObject({ outcome: "read" });
  });
}

function racing(both: () => readonly [Witness, Witness]): void {
  it("[VT3] of 200 swaps at once from one record, exactly one wins, and every loser sees the winner's", async () => {
    const witnesses = both();
    await witnesses[0].swap(null, aRecord());
    const bids = Array.from({ length: 200 }, (_, bid) => aRecord({ epoch: 2 + bid }));
    const answers = await Promise.all(bids.map((bid, index) => inTurn(witnesses, index).swap(aRecord(), bid)));
    const won = bids.filter((_, index) => answers[index]?.outcome === "swapped");
    expect(won).toHaveLength(1);
    const lost = answers.filter((answer) => answer.outcome === "lost");
    expect(lost).toHaveLength(199);
    for (const answer of lost) expect(answer.record).toEqual(won[0]);
    expect(await witnesses[1].read()).toMatchObject({ record: won[0] });
  });

  it("[VT3] two that swap against each other from what they last saw never both win one step", async () => {
    const steps = 50;
    const wins = await Promise.all(both().map((witness, index) => climb(witness, index, steps)));
    const taken = wins.flat().sort((x, y) => x - y);
    expect(new Set(taken).size).toBe(taken.length);
    expect(taken).toEqual(Array.from({ length: steps }, (_, step) => step + 1));
  });
}

/** Swaps the record upwards until it stands at `top`; the steps that this one won. */
async function climb(witness: Witness, client: number, top: Epoch): Promise<number[]> {
  const won: number[] = [];
  let standing: WitnessRecord | null = null;
  while ((standing?.seq ?? 0) < top) {
    const next = aRecord({ seq: (standing?.seq ?? 0) + 1, lastCommandSeq: client });
    const answer = await witness.swap(standing, next);
    if (answer.outcome === "swapped") won.push(next.seq);
    else if (answer.outcome !== "lost") throw new Error(`neither won nor lost: ${answer.outcome}`);
    standing = answer.outcome === "lost" ? answer.record : next;
  }
  return won;
}

function forgetting(both: () => readonly [Witness, Witness], given: () => WitnessUnderTest): void {
  it("[VT4] a record stands however much time passes", async () => {
    const [a, b] = both();
    await a.swap(null, aRecord());
    await given().pass(120);
    expect(await b.read()).toMatchObject({ record: aRecord() });
  });

  it("[CP5] one life of the memory has one run id, for both engines and for reads and swaps alike", async () => {
    const [a, b] = both();
    const answers = [await a.read(), await b.read(), await a.swap(null, aRecord()), await b.swap(null, aRecord())];
    answers.push(await a.read(), await b.read());
    expect(new Set(answers.map(runIdOf)).size).toBe(1);
  });

  it("[CP5] a memory that was lost shows itself to both by a new run id, which then stays", async () => {
    const [a, b] = both();
    await a.swap(null, aRecord());
    const before = runIdOf(await b.read());

    await given().forget();
    const found = await until(given(), async () => {
      const read = await b.read();
      return read.outcome === "read" ? read : null;
    });
    expect(found.record).toBeNull();
    expect(found.runId).not.toBe(before);

    const again = await until(given(), async () => {
      const swap = await a.swap(null, aRecord({ seq: 9 }));
      return swap.outcome === "swapped" ? swap : null;
    });
    expect(again.runId).toBe(found.runId);
    expect(await b.read()).toMatchObject({ record: { seq: 9 }, runId: found.runId });
  });

  it("[RL1] the fence rises over a lost memory too", async () => {
    const [a] = both();
    const acquire = async (body: string): Promise<number | null> => {
      const request = { lockId: makeId("lock", body), holder: "one", ttlMs: 60_000 };
      const answer = await a.acquireLock(request);
      return answer.outcome === "acquired" ? answer.fence : null;
    };
    const before = await acquire("before");
    await given().forget();
    const after = await until(given(), () => acquire("after"));
    expect(after).toBeGreaterThan(before ?? Number.NaN);
  });
}

/** Texts that are no record of Changeover. */
const NO_RECORDS = [
  "not a record",
  "",
  "null",
  "{}",
  JSON.stringify({ ...aRecord(), seq: Number.MAX_SAFE_INTEGER }),
  JSON.stringify({ ...aRecord(), seq: 1.5 }),
  JSON.stringify({ ...aRecord(), epoch: -1 }),
  JSON.stringify({ ...aRecord(), holder: "c" }),
];

function strange(both: () => readonly [Witness, Witness], given: () => WitnessUnderTest): void {
  it("P7 VT7: a swap that expects another engine under the same numbers changes nothing", async () => {
    const [a, b] = both();
    const stranger = aRecord({ engineId: makeId("engine", "stranger") });
    await b.swap(null, stranger);
    expect(await a.swap(aRecord(), aRecord({ seq: 2 }))).toMatchObject({ outcome: "lost", record: stranger });
    expect(await a.read()).toMatchObject({ record: stranger });
    expect(await a.swap(stranger, aRecord({ seq: 2 }))).toMatchObject({ outcome: "swapped" });
    expect(await b.read()).toMatchObject({ record: aRecord({ seq: 2 }) });
  });

  it.each(NO_RECORDS)("P10 VT7: %j is told as what it is, and only a swap that names it replaces it", async (text) => {
    const [a, b] = both();
    await a.swap(null, aRecord());
    await given().scribble(text);
    const found = { outcome: "corrupt", content: text };
    expect(await a.read()).toEqual(found);
    expect(await b.swap(aRecord(), aRecord({ seq: 2 }))).toEqual(found);
    expect(await b.swap(null, aRecord({ seq: 2 }))).toEqual(found);
    expect(await b.swap({ content: `${text} ` }, aRecord({ seq: 2 }))).toEqual(found);
    expect(await b.read()).toEqual(found);
    expect(await b.swap({ content: text }, aRecord({ seq: 2 }))).toMatchObject({ outcome: "swapped" });
    expect(await a.read()).toMatchObject({ outcome: "read", record: aRecord({ seq: 2 }) });
  });

  it("P10 VT7: a record with a position out of reach is told as damaged", async () => {
    const [a] = both();
    await a.swap(null, aRecord());
    await given().scribble(JSON.stringify({ ...aRecord(), lastCommandSeq: Number.MAX_SAFE_INTEGER }));
    expect(await a.read()).toMatchObject({ outcome: "corrupt" });
  });

  it("P10 VT7: a memory that was lost heals what was damaged", async () => {
    const [a, b] = both();
    await a.swap(null, aRecord());
    await given().scribble("not a record");
    await given().forget();
    const swapped = await until(given(), async () => {
      const swap = await a.swap(null, aRecord({ seq: 9 }));
      return swap.outcome === "swapped" ? swap : null;
    });
    expect(await b.read()).toMatchObject({ record: { seq: 9 }, runId: swapped.runId });
  });
}

function runIdOf(answer: object): unknown {
  return "runId" in answer ? answer.runId : `none: ${JSON.stringify(answer)}`;
}

function inTurn(witnesses: readonly [Witness, Witness], index: number): Witness {
  return index % 2 === 0 ? witnesses[0] : witnesses[1];
}
