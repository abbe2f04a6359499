/**
 * A second process at the witness file, for `sqlite-witness.test.ts`.
 * `climb FILE NAME TOP`: says "ready", waits for a word, then swaps the record upwards against its rivals until it stands
 * at TOP, and takes and gives back the lock on the way; prints the steps it won and the fences it got as JSON.
 * `hold FILE`: begins a transaction, says "holding", and keeps it.
 */
import Database from "better-sqlite3";
import { once } from "node:events";
import { SqliteWitness } from "../../src/adapters/sqlite-witness.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { makeId } from "../../src/core/ids.ts";
import type { WitnessRecord } from "../../src/ports/witness.ts";
import { aRecord } from "../../src/testing/witness-contract.ts";

/** Calls that may find the file busy before a rival gives up. */
const MAX_CALLS = 200_000;

const [role, file = "", name = "", top = "0"] = process.argv.slice(2);

async function climb(): Promise<void> {
  const witness = new SqliteWitness({ clock: new SystemClock() }, { file, pair: "studio-1" });
  const won: number[] = [];
  const fences: number[] = [];
  let standing: WitnessRecord | null = null;
  for (let call = 0; call < MAX_CALLS && (standing?.seq ?? 0) < Number(top); call += 1) {
    const next = aRecord({ engineId: makeId("engine", name), seq: (standing?.seq ?? 0) + 1 });
    const swap = await witness.swap(standing, next);
    if (swap.outcome === "swapped") won.push(next.seq);
    if (swap.outcome === "swapped") standing = next;
    else if (swap.outcome === "lost") standing = swap.record;
    const lockId = makeId("lock", `${name}-${call}`);
    const lock = await witness.acquireLock({ lockId, holder: name, ttlMs: 60_000 });
    if (lock.outcome !== "acquired") continue;
    fences.push(lock.fence);
    while ((await witness.releaseLock(lockId)).outcome === "unreachable");
  }
  await witness.close();
  process.stdout.write(JSON.stringify({ won, fences }));
}

function hold(): void {
  const db = new Database(file);
  db.exec("BEGIN IMMEDIATE");
  process.stdout.write("holding");
  setInterval(() => db.inTransaction, 1_000);
}

if (role === "climb") {
  process.stdout.write("ready\n");
  await once(process.stdin, "data");
  process.stdin.destroy();
  await climb();
} else {
  hold();
}
