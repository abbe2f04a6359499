/** The contract of the port Witness: the record, and the reconcile lock. */
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { type Epoch, MAX_NUMBER } from "../core/epoch.ts";
import { type LockId, makeId } from "../core/ids.ts";
import type { LockAcquire, Witness, WitnessRecord } from "../ports/witness.ts";
import { type ContractCase, type Declare, collectCases, like } from "./contract.ts";

/** A witness on a real server passes time by itself; one with a clock of its own is driven by `pass`. */
export interface WitnessUnderTest {
  /** A further engine's way to the same, at first empty, memory. */
  readonly connect: () => Witness;
  /** Lets at least `ms` pass. */
  readonly pass: (ms: number) => Promise<void>;
  /** The memory loses everything and answers again. */
  readonly forget: () => Promise<void>;
  /** Someone else writes `text` where the record belongs. */
  readonly scribble: (text: string) => Promise<void>;
  /** Closes every client and lets the memory go. */
  readonly end: () => Promise<void>;
}

/** A record of engine a, changed in what a test is about. */
export function aRecord(changed: Partial<WitnessRecord> = {}): WitnessRecord {
  return {
    holder: "a",
    engineId: makeId("engine", "one"),
    epoch: 1,
    seq: 1,
    lastCommandSeq: 0,
    lastCommandEpoch: 0,
    clock: {},
    released: false,
    ...changed,
  };
}

/** Asks until there is an answer: a witness that came back may take a moment to be reached. */
export async function until<Answer>(given: WitnessUnderTest, ask: () => Promise<Answer | null>): Promise<Answer> {
  for (let asked = 0; asked < 1_000; asked += 1) {
    const answer = await ask();
    if (answer !== null) return answer;
    await given.pass(10);
  }
  throw new Error("no such answer came");
}

/** Two engines' ways to one memory. */
interface Stage {
  readonly a: Witness;
  readonly b: Witness;
  readonly given: WitnessUnderTest;
}

async function play(make: () => Promise<WitnessUnderTest>, body: (stage: Stage) => Promise<void>): Promise<void> {
  const given = await make();
  try {
    await body({ a: given.connect(), b: given.connect(), given });
  } finally {
    await given.end();
  }
}

/** The cases that a witness has to pass: the record, then the lock. */
export function witnessContract(make: () => Promise<WitnessUnderTest>): readonly ContractCase[] {
  const record = collectCases<Stage>([swapping, keeping, racing, forgetting, strange], async (body) =>
    play(make, body),
  );
  return [...record, ...witnessLockContract(make)];
}

/** The cases of the reconcile lock alone. */
export function witnessLockContract(make: () => Promise<WitnessUnderTest>): readonly ContractCase[] {
  return collectCases<Stage>([holding, givingBack, lapsing], async (body) => play(make, body));
}

function swapping(it: Declare<Stage>): void {
  it("[VT3] holds no record at first, and takes one where none is expected", async ({ a, b }) => {
    like(await a.read(), { outcome: "read", record: null });
    like(await a.swap(null, aRecord()), { outcome: "swapped" });
    like(await b.read(), { outcome: "read", record: aRecord() });
  });

  it("[VT3] a swap that expects no record loses against a standing one, and is told which", async ({ a, b }) => {
    await a.swap(null, aRecord());
    const late = aRecord({ holder: "b", epoch: 2 });
    like(await b.swap(null, late), { outcome: "lost", record: aRecord() });
    like(await a.read(), { record: aRecord() });
  });

  it("[VT3] a swap that expects a record loses where none stands", async ({ a }) => {
    like(await a.swap(aRecord(), aRecord({ seq: 2 })), { outcome: "lost", record: null });
    like(await a.read(), { record: null });
  });

  const others: readonly (readonly [string, Partial<WitnessRecord>])[] = [
    ["holder", { holder: "b" }],
    ["epoch", { epoch: 6 }],
    ["seq", { seq: 6 }],
  ];
  for (const [field, other] of others) {
    it(`[VT3] a swap that expects another ${field} changes nothing`, async ({ a, b }) => {
      const standing = aRecord({ epoch: 5, seq: 7 });
      await a.swap(null, standing);
      const next = aRecord({ epoch: 8, seq: 1 });
      like(await b.swap({ ...standing, ...other }, next), { outcome: "lost", record: standing });
      like(await a.read(), { record: standing });
      like(await b.swap(standing, next), { outcome: "swapped" });
      like(await a.read(), { record: next });
    });
  }
}

function keeping(it: Declare<Stage>): void {
  it("gives a record back whole", async ({ a, b }) => {
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
    like(await b.read(), { record: whole });
  });

  it("[VT3] a leader rewrites its own record again and again", async ({ a, b }) => {
    let standing = aRecord();
    await a.swap(null, standing);
    for (let seq = 2; seq <= 20; seq += 1) {
      const next = aRecord({ seq });
      like(await a.swap(standing, next), { outcome: "swapped" });
      standing = next;
    }
    like(await b.read(), { record: { seq: 20 } });
  });

  it("can be closed twice", async ({ a, b }) => {
    await a.read();
    await Promise.all([a.close(), a.close()]);
    await a.close();
    like(await b.read(), { outcome: "read" });
  });
}

function racing(it: Declare<Stage>): void {
  it("[VT3] of 200 swaps at once from one record, exactly one wins, and every loser sees the winner's", async ({
    a,
    b,
  }) => {
    const witnesses = [a, b] as const;
    await witnesses[0].swap(null, aRecord());
    const bids = Array.from({ length: 200 }, (_, bid) => aRecord({ epoch: 2 + bid }));
    const answers = await Promise.all(bids.map((bid, index) => inTurn(witnesses, index).swap(aRecord(), bid)));
    const won = bids.filter((_, index) => answers[index]?.outcome === "swapped");
    equal(won.length, 1);
    const lost = answers.filter((answer) => answer.outcome === "lost");
    equal(lost.length, 199);
    for (const answer of lost) deepEqual(answer.record, won[0]);
    like(await witnesses[1].read(), { record: won[0] });
  });

  it("[VT3] two that swap against each other from what they last saw never both win one step", async ({ a, b }) => {
    const steps = 50;
    const wins = await Promise.all([a, b].map((witness, index) => climb(witness, index, steps)));
    const taken = wins.flat().sort((x, y) => x - y);
    equal(new Set(taken).size, taken.length);
    deepEqual(
      taken,
      Array.from({ length: steps }, (_, step) => step + 1),
    );
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

function forgetting(it: Declare<Stage>): void {
  it("[VT4] a record stands however much time passes", async ({ a, b, given }) => {
    await a.swap(null, aRecord());
    await given.pass(120);
    like(await b.read(), { record: aRecord() });
  });

  it("[CP5] one life of the memory has one run id, for both engines and for reads and swaps alike", async ({
    a,
    b,
  }) => {
    const answers = [await a.read(), await b.read(), await a.swap(null, aRecord()), await b.swap(null, aRecord())];
    answers.push(await a.read(), await b.read());
    equal(new Set(answers.map(runIdOf)).size, 1);
  });

  it("[CP5] a memory that was lost shows itself to both by a new run id, which then stays", async ({ a, b, given }) => {
    await a.swap(null, aRecord());
    const before = runIdOf(await b.read());

    await given.forget();
    const found = await until(given, async () => {
      const read = await b.read();
      return read.outcome === "read" ? read : null;
    });
    equal(found.record, null);
    notEqual(found.runId, before);

    const again = await until(given, async () => {
      const swap = await a.swap(null, aRecord({ seq: 9 }));
      return swap.outcome === "swapped" ? swap : null;
    });
    equal(again.runId, found.runId);
    like(await b.read(), { record: { seq: 9 }, runId: found.runId });
  });

  it("[RL1] the fence rises over a lost memory too", async ({ a, given }) => {
    const acquire = async (body: string): Promise<number | null> => {
      const request = { lockId: makeId("lock", body), holder: "one", ttlMs: 60_000 };
      const answer = await a.acquireLock(request);
      return answer.outcome === "acquired" ? answer.fence : null;
    };
    const before = await acquire("before");
    await given.forget();
    const after = await until(given, () => acquire("after"));
    ok(before !== null && after > before);
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

function strange(it: Declare<Stage>): void {
  it("P7 VT7: a swap that expects another engine under the same numbers changes nothing", async ({ a, b }) => {
    const stranger = aRecord({ engineId: makeId("engine", "stranger") });
    await b.swap(null, stranger);
    like(await a.swap(aRecord(), aRecord({ seq: 2 })), { outcome: "lost", record: stranger });
    like(await a.read(), { record: stranger });
    like(await a.swap(stranger, aRecord({ seq: 2 })), { outcome: "swapped" });
    like(await b.read(), { record: aRecord({ seq: 2 }) });
  });

  for (const text of NO_RECORDS) {
    it(`P10 VT7: ${JSON.stringify(text)} is told as what it is, and only a swap that names it replaces it`, async ({
      a,
      b,
      given,
    }) => {
      await a.swap(null, aRecord());
      await given.scribble(text);
      const found = { outcome: "corrupt", content: text };
      deepEqual(await a.read(), found);
      deepEqual(await b.swap(aRecord(), aRecord({ seq: 2 })), found);
      deepEqual(await b.swap(null, aRecord({ seq: 2 })), found);
      deepEqual(await b.swap({ content: `${text} ` }, aRecord({ seq: 2 })), found);
      deepEqual(await b.read(), found);
      like(await b.swap({ content: text }, aRecord({ seq: 2 })), { outcome: "swapped" });
      like(await a.read(), { outcome: "read", record: aRecord({ seq: 2 }) });
    });
  }

  it("P10 VT7: a record with a position out of reach is told as damaged", async ({ a, given }) => {
    await a.swap(null, aRecord());
    await given.scribble(JSON.stringify({ ...aRecord(), lastCommandSeq: Number.MAX_SAFE_INTEGER }));
    like(await a.read(), { outcome: "corrupt" });
  });

  it("P10 VT7: a memory that was lost heals what was damaged", async ({ a, b, given }) => {
    await a.swap(null, aRecord());
    await given.scribble("not a record");
    await given.forget();
    const swapped = await until(given, async () => {
      const swap = await a.swap(null, aRecord({ seq: 9 }));
      return swap.outcome === "swapped" ? swap : null;
    });
    like(await b.read(), { record: { seq: 9 }, runId: swapped.runId });
  });
}

function runIdOf(answer: object): unknown {
  return "runId" in answer ? answer.runId : `none: ${JSON.stringify(answer)}`;
}

function inTurn(witnesses: readonly [Witness, Witness], index: number): Witness {
  return index % 2 === 0 ? witnesses[0] : witnesses[1];
}

const LONG_MS = 60_000;
const SHORT_MS = 40;

function lockId(body: string): LockId {
  return makeId("lock", body);
}

async function acquire(witness: Witness, body: string, ttlMs = LONG_MS): Promise<LockAcquire> {
  return witness.acquireLock({ lockId: lockId(body), holder: `engine of ${body}`, ttlMs });
}

async function acquired(witness: Witness, body: string, ttlMs = LONG_MS): Promise<number> {
  const answer = await acquire(witness, body, ttlMs);
  if (answer.outcome !== "acquired") throw new Error(`not acquired: ${JSON.stringify(answer)}`);
  return answer.fence;
}

function holding(it: Declare<Stage>): void {
  it("[RL1] is free at first, and then held by the one that acquired it", async ({ a, b }) => {
    deepEqual(await b.readLock(), { outcome: "read", lock: null });
    const answer = await acquire(a, "x");
    like(answer, { outcome: "acquired", lockId: lockId("x"), expiresMs: LONG_MS });

    const { lock } = (await b.readLock()) as { lock: { expiresMs: number; fence: number } };
    like(lock, { holder: "engine of x", lockId: lockId("x") });
    equal(lock.fence, (answer as { fence: number }).fence);
    ok(lock.expiresMs > 0);
    ok(lock.expiresMs <= LONG_MS);
  });

  it("[RL3] tells another who holds it and for how long", async ({ a, b }) => {
    await acquired(a, "x");
    const refused = await acquire(b, "y");
    like(refused, { outcome: "held", holder: "engine of x" });
    ok((refused as { expiresMs: number }).expiresMs > 0);
    ok((refused as { expiresMs: number }).expiresMs <= LONG_MS);
  });

  it("[RL1] [I14] of 50 that want it at once, one gets it", async ({ a, b }) => {
    const wanting = Array.from({ length: 50 }, (_, index) => acquire(index % 2 === 0 ? a : b, `w${index}`));
    const outcomes = (await Promise.all(wanting)).map(({ outcome }) => outcome);
    equal(outcomes.filter((outcome) => outcome === "acquired").length, 1);
    equal(outcomes.filter((outcome) => outcome === "held").length, 49);
  });

  it("[RL1] gives a higher fence each time, whoever asks", async ({ a, b }) => {
    let last = 0;
    for (let round = 0; round < 12; round += 1) {
      const witness = round % 2 === 0 ? a : b;
      const fence = await acquired(witness, `r${round}`);
      equal(Number.isSafeInteger(fence), true);
      ok(fence > last);
      last = fence;
      deepEqual(await witness.releaseLock(lockId(`r${round}`)), { outcome: "released" });
    }
  });
}

function givingBack(it: Declare<Stage>): void {
  it("[RL1] extends the lock of the one that holds it, with the same fence", async ({ a, b }) => {
    const fence = await acquired(a, "x", 5_000);
    deepEqual(await a.refreshLock(lockId("x"), LONG_MS), { outcome: "refreshed", fence, expiresMs: LONG_MS });
    const { lock } = (await b.readLock()) as { lock: { expiresMs: number } };
    ok(lock.expiresMs > 5_000);
  });

  it("P11 RL1: extends by the time it was acquired for, whoever asks, unless told another, which then stands", async ({
    a,
    b,
  }) => {
    const fence = await acquired(a, "x", 5_000);
    deepEqual(await b.refreshLock(lockId("x")), { outcome: "refreshed", fence, expiresMs: 5_000 });
    like(await b.readLock(), { lock: { ttlMs: 5_000, holder: "engine of x" } });
    deepEqual(await a.refreshLock(lockId("x"), 9_000), { outcome: "refreshed", fence, expiresMs: 9_000 });
    deepEqual(await b.refreshLock(lockId("x")), { outcome: "refreshed", fence, expiresMs: 9_000 });
    const { lock } = (await b.readLock()) as { lock: { expiresMs: number } };
    like(lock, { ttlMs: 9_000, lockId: lockId("x"), holder: "engine of x", fence });
    ok(lock.expiresMs <= 9_000);
  });

  it("SB7: is broken under its holder and fence, and under no other", async ({ a, b }) => {
    const fence = await acquired(a, "x");
    const holder = "engine of x";
    deepEqual(await b.breakLock({ holder: "engine of", fence }), { outcome: "wrong-id" });
    deepEqual(await b.breakLock({ holder, fence: fence + 1 }), { outcome: "wrong-id" });
    like(await a.readLock(), { lock: { lockId: lockId("x"), fence } });
    like(await acquire(b, "y"), { outcome: "held", holder, fence });
    deepEqual(await b.breakLock({ holder, fence }), { outcome: "released" });
    deepEqual(await b.breakLock({ holder, fence }), { outcome: "expired" });
    ok((await acquired(b, "y")) > fence);
    deepEqual(await a.refreshLock(lockId("x")), { outcome: "wrong-id" });
    deepEqual(await a.breakLock({ holder, fence }), { outcome: "wrong-id" });
  });

  it("[RL3] refuses a wrong id, and the lock stays with its holder", async ({ a, b }) => {
    const fence = await acquired(a, "x");
    deepEqual(await b.refreshLock(lockId("y"), LONG_MS), { outcome: "wrong-id" });
    deepEqual(await b.releaseLock(lockId("y")), { outcome: "wrong-id" });
    // A beginning of the right id is a wrong id.
    deepEqual(await b.releaseLock("lock_" as LockId), { outcome: "wrong-id" });
    like(await a.readLock(), { lock: { lockId: lockId("x"), fence } });
  });

  it("[RL1] is free again once released; a second release finds nothing", async ({ a, b }) => {
    await acquired(a, "x");
    deepEqual(await a.releaseLock(lockId("x")), { outcome: "released" });
    deepEqual(await a.releaseLock(lockId("x")), { outcome: "expired" });
    deepEqual(await a.refreshLock(lockId("x"), LONG_MS), { outcome: "expired" });
    deepEqual(await b.readLock(), { outcome: "read", lock: null });
  });
}

function lapsing(it: Declare<Stage>): void {
  const lapsed = async (witness: Witness, given: WitnessUnderTest): Promise<true> =>
    until(given, async () => {
      const read = await witness.readLock();
      return read.outcome === "read" && read.lock === null ? true : null;
    });

  it("[RL1] lapses by its time; the id that lapsed is told so", async ({ a, b, given }) => {
    await acquired(a, "x", SHORT_MS);
    await lapsed(b, given);
    deepEqual(await a.refreshLock(lockId("x"), LONG_MS), { outcome: "expired" });
    deepEqual(await a.releaseLock(lockId("x")), { outcome: "expired" });
  });

  it("[RL3] [I14] an id that lapsed can do nothing once another holds the lock", async ({ a, b, given }) => {
    const first = await acquired(a, "x", SHORT_MS);
    await lapsed(b, given);
    const second = await acquired(b, "y");
    ok(second > first);
    deepEqual(await a.refreshLock(lockId("x"), LONG_MS), { outcome: "wrong-id" });
    deepEqual(await a.releaseLock(lockId("x")), { outcome: "wrong-id" });
    like(await b.readLock(), { lock: { lockId: lockId("y"), fence: second } });
  });

  it("[RL1] a lock that was extended outlives its first time", async ({ a, b, given }) => {
    await acquired(a, "x", 2_000);
    await a.refreshLock(lockId("x"), LONG_MS);
    await given.pass(100);
    like(await acquire(b, "y"), { outcome: "held" });
    const { lock } = (await a.readLock()) as { lock: { expiresMs: number } };
    ok(lock.expiresMs > 2_000);
  });
}
