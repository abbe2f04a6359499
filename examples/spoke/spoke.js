/**
 * A spoke of its own: opens a folder, changes one record when it is told to, exchanges with the hub, shows all records.
 * Started as `node examples/spoke/spoke.js HUB FOLDER [ENTITY FIELD VALUE]`; the hub's token, if any, in HUB_TOKEN.
 */
import { NanoIds, NodeDigest, SqliteStore, SystemClock, SystemRandom } from "changeover";
import { HINTS, HttpSyncTransport, recordOrigin, Replication } from "changeover/replication";

const [hubUrl = "http://127.0.0.1:7401", dataDir = "./var/spoke", entity, field, value] = process.argv.slice(2);

const clock = new SystemClock();
const ids = new NanoIds();
const store = new SqliteStore({ ids }, { dataDir });
const origin = recordOrigin(store.load().engineId);
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error };
const hub = new HttpSyncTransport({ clock }, { url: hubUrl, token: process.env.HUB_TOKEN ?? null, origin });

const replication = new Replication(
  { store, clock, ids, hub, logger, digest: new NodeDigest(), random: new SystemRandom() },
  { hubId: origin, version: "1.0.0", mode: "sync", hubIntervalMs: 30_000 },
);

// Kept here at once, whether the hub is there or not.
if (entity && field) replication.records.set(entity, field, value ?? null);

const result = await replication.spoke.exchangeNow();
if (result.outcome === "done") console.log(`in step with ${hubUrl}`, result.progress);
else console.log(`offline (${result.reason}): ${HINTS[result.reason]}`);

for (const record of replication.records.list(null, null, 100).records) {
  console.log(
    `${record.entity}/${record.field} = ${JSON.stringify(record.value)}${record.contested ? " (contested)" : ""}`,
  );
}

replication.stop();
store.close();
