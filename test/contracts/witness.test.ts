/** The witnesses that need no server, against the contract, and what each of them promises beyond it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MemoryWitness, MemoryWitnessServer } from "../../src/adapters/memory-witness.ts";
import { NoWitness } from "../../src/adapters/no-witness.ts";
import { recordFromText } from "../../src/adapters/witness-record.ts";
import { SqliteWitness } from "../../src/adapters/sqlite-witness.ts";
import { makeId } from "../../src/core/ids.ts";
import { ManualClock } from "../support/manual-clock.ts";
import {
  aRecord,
  witnessContract,
  witnessLockContract,
  type WitnessUnderTest,
} from "../../src/testing/witness-contract.ts";
import { runContract } from "./run-contract.ts";

runContract(
  "witness contract: memory",
  witnessContract(async () => {
    const clock = new ManualClock();
    const server = new MemoryWitnessServer({ clock });
    return {
      connect: () => new MemoryWitness({ server }),
      pass: async (ms) => clock.pass(ms),
      forget: async () => server.forget(),
      scribble: async (text) => server.scribble(recordFromText(text) ?? { content: text }),
      end: async () => undefined,
    };
  }),
);

runContract(
  "witness contract: sqlite",
  witnessContract(async () => sqliteUnderTest()),
);

runContract(
  "reconcile lock contract: none",
  witnessLockContract(async () => {
    const clock = new ManualClock();
    const only = new NoWitness({ clock });
    return {
      connect: () => only,
      pass: async (ms) => clock.pass(ms),
      forget: async () => undefined,
      scribble: async () => undefined,
      end: async () => only.close(),
    };
  }),
);

async function sqliteUnderTest(): Promise<WitnessUnderTest> {
  const dir = mkdtempSync(join(tmpdir(), "changeover-witness-"));
  const clock = new ManualClock();
  const clients: SqliteWitness[] = [];
  return {
    connect: () => {
      const client = new SqliteWitness({ clock }, { file: join(dir, "kept/witness.db"), pair: "studio-1" });
      clients.push(client);
      return client;
    },
    pass: async (ms) => clock.pass(ms),
    forget: async () => rmSync(join(dir, "kept"), { recursive: true }),
    scribble: async (text) => {
      const { default: Database } = await import("better-sqlite3");
      const file = new Database(join(dir, "kept/witness.db"));
      file.prepare("INSERT OR REPLACE INTO record (pair, body) VALUES ('studio-1', ?)").run(text);
      file.close();
    },
    end: async () => {
      for (const client of clients) await client.close();
      rmSync(dir, { recursive: true });
    },
  };
}

describe("witness none", () => {
  it("[CP3] never vouches for anybody", async () => {
    const witness = new NoWitness({ clock: new ManualClock() });
    const none = { outcome: "unreachable", reason: "none configured" };
    expect(witness.kind).toBe("none");
    expect(await witness.read()).toEqual(none);
    expect(await witness.swap()).toEqual(none);
  });

  it("[RL1] a restarted engine's fence rises above that of its life before", async () => {
    const clock = new ManualClock();
    const request = { lockId: makeId("lock", "x"), holder: "one", ttlMs: 10 };
    const before = await new NoWitness({ clock }).acquireLock(request);
    clock.pass(1_000);
    const after = await new NoWitness({ clock }).acquireLock(request);
    expect((after as { fence: number }).fence).toBeGreaterThan((before as { fence: number }).fence);
  });
});

describe("witness memory", () => {
  it("[CP5] goes back to an old copy, under a new run id and without the lock", async () => {
    const server = new MemoryWitnessServer({ clock: new ManualClock() });
    const witness = new MemoryWitness({ server });
    await witness.swap(null, aRecord({ seq: 1 }));
    await witness.swap(aRecord({ seq: 1 }), aRecord({ seq: 2 }));
    await witness.acquireLock({ lockId: makeId("lock", "x"), holder: "one", ttlMs: 60_000 });
    server.rollBack(aRecord({ seq: 1 }));
    expect(await witness.read()).toEqual({ outcome: "read", record: aRecord({ seq: 1 }), runId: "memory-2" });
    expect(await witness.readLock()).toEqual({ outcome: "read", lock: null });
  });

  it("answers the same to the same calls", async () => {
    const play = async (): Promise<unknown[]> => {
      const server = new MemoryWitnessServer({ clock: new ManualClock() });
      const witness = new MemoryWitness({ server });
      const lock = { lockId: makeId("lock", "x"), holder: "one", ttlMs: 5 };
      const answers: unknown[] = [await witness.swap(null, aRecord()), await witness.acquireLock(lock)];
      server.forget();
      return [...answers, await witness.read(), await witness.acquireLock(lock)];
    };
    expect(await play()).toEqual(await play());
  });
});
