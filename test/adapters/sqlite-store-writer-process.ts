/**
 * A process that appends until it is killed: batches of 1 to 5, and the last seq of each on stdout once `append` has
 * returned. Run by `sqlite-store-crash.test.ts`.
 */
import { writeSync } from "node:fs";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { command, CountedIds } from "../contracts/store-samples.ts";

const dataDir = process.argv[2] ?? "";
const store = new SqliteStore({ ids: new CountedIds() }, { dataDir });

for (let seq = store.load().log.seq; ;) {
  const count = 1 + (seq % 5);
  store.append(Array.from({ length: count }, (_, index) => command(seq + 1 + index)));
  seq += count;
  writeSync(1, `${seq}\n`);
}
