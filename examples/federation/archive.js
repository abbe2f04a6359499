/**
 * An archive that subscribes to engines: takes the records of several sites, writes none, serves nobody. Started as
 * `node examples/federation/archive.js FOLDER NAME=URL [NAME=URL …]`; the peers' token of role peer, if any, in PEER_TOKEN.
 */
import { generateKeyPairSync } from "node:crypto";
import { NanoIds, NodeDigest, SqliteStore, SystemClock, SystemRandom } from "changeover";
import { Ed25519Signatures, HINTS, HttpSyncTransport, recordOrigin, Replication } from "changeover/replication";

const [dataDir = "./var/archive", ...places] = process.argv.slice(2);
if (places.length === 0 || !places.every((place) => /^[^=]+=https?:/.test(place))) {
  console.error("node examples/federation/archive.js FOLDER NAME=URL [NAME=URL …]");
  process.exit(2);
}
const clock = new SystemClock();
const ids = new NanoIds();
const store = new SqliteStore({ ids }, { dataDir });
const origin = recordOrigin(store.load().engineId);
const token = process.env.PEER_TOKEN ?? null;

const federation = places.map((place) => {
  const [name, url] = place.split("=");
  const transport = new HttpSyncTransport({ clock }, { url, token, origin, timeoutMs: 5_000 });
  return { name, endpoint: url, mode: "sync", pinnedId: null, pinnedKey: null, transport };
});

let exchanged = () => {};
const replication = new Replication(
  {
    store,
    clock,
    ids,
    federation,
    digest: new NodeDigest(),
    random: new SystemRandom(),
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: console.error },
    // Signs nothing, for it writes nothing; with a key it can look at the keys of others, and pin them.
    signatures: new Ed25519Signatures(generateKeyPairSync("ed25519").privateKey),
  },
  { hubId: "archive", version: "1.0.0", mode: "subscribe", hubIntervalMs: 0, signatures: "off" },
  { federationChanged: () => exchanged() },
);

const heard = () =>
  replication.federation.status().peers.every(({ health }) => health && (health.lastSuccess || health.lastError));
const all = new Promise((resolve) => (exchanged = () => heard() && resolve()));
replication.start();
await all;

for (const { name, health, lag } of replication.federation.status().peers) {
  const { lastError } = health;
  console.log(lastError ? `${name}: ${lastError.reason}: ${HINTS[lastError.reason]}` : `${name}: good, ${lag} behind`);
}
for (const { entity, field, value } of replication.records.list(null, null, 100).records) {
  console.log(`${entity}/${field} = ${JSON.stringify(value)}`);
}
replication.stop();
store.close();
