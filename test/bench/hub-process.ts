/** A hub with so many operations of one other place, on a free port: folder, count. Tells its address to its parent. */
import { NanoIds, SystemClock } from "../../src/adapters/basics.ts";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { startHub } from "../replication/hub-server.ts";
import { makePlace } from "../support/replication-node.ts";

const [dataDir = "", count = "0"] = process.argv.slice(2);
const FIELDS = 2_000;
const BATCH = 1_000;

const clock = new SystemClock() as never;
const hub = await startHub({ clock, store: new SqliteStore({ ids: new NanoIds() }, { dataDir }) });
const { records } = makePlace({ name: "source", clock }).replication;
for (let made = 0; made < Number(count); made += BATCH) {
  const ops = Array.from({ length: Math.min(BATCH, Number(count) - made) }, (_, index) => {
    const n = made + index;
    const written = records.set("source names", `source ${n % FIELDS}`, { name: `camera ${n}`, short: `C${n}` });
    if (written.outcome !== "written") throw new Error(written.detail);
    return written.op;
  });
  hub.place.replication.hub.push({ origin: "rec_source", token: null }, ops);
}
process.send?.(hub.url);
