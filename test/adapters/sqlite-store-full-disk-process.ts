/**
 * A process on a tiny disk: fills it, reports, makes room, reports again as one line of JSON. Run by
 * `sqlite-store-full-disk.server.test.ts`.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { ChangeoverError } from "../../src/core/errors.ts";
import { command, CountedIds, everythingIn } from "../contracts/store-samples.ts";

const disk = process.argv[2] ?? "";
const ballast = join(disk, "ballast");
writeFileSync(ballast, Buffer.alloc(2 * 1024 * 1024));
const open = () => new SqliteStore({ ids: new CountedIds() }, { dataDir: join(disk, "data") });

const next = (seq: number) => command(seq, { payload: "x".repeat(20_000) });

let store = open();
let acknowledged = 0;
let code: string | null = null;
let before = "";
while (code === null) {
  before = JSON.stringify(everythingIn(store));
  try {
    store.append([next(acknowledged + 1)]);
    acknowledged += 1;
  } catch (error) {
    code = error instanceof ChangeoverError ? error.code : String(error);
  }
}
const unchanged = JSON.stringify(everythingIn(store)) === before;
rmSync(ballast);
for (let more = 0; more < 5; more += 1) store.append([next((acknowledged += 1))]);
store.close();
store = open();
const seqs = store.commandsAfter(0, 10_000).commands.map(({ seq }) => seq);
const whole = store.load().log.seq === acknowledged && seqs.every((seq, index) => seq === index + 1);
store.close();
process.stdout.write(JSON.stringify({ code, unchanged, acknowledged, whole }));
