/** A hub on a real store that runs until it is killed: folder, port. Says its address on stdout. Run by `kills.suite.ts`. */
import { writeSync } from "node:fs";
import { NanoIds, SystemClock } from "../../src/adapters/basics.ts";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { startHub } from "./hub-server.ts";

const [dataDir = "", port = "0"] = process.argv.slice(2);
const store = new SqliteStore({ ids: new NanoIds() }, { dataDir });
const hub = await startHub({ store, clock: new SystemClock() as never }, Number(port));
writeSync(1, `${hub.url}\n`);
