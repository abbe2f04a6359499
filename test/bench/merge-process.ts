/** Merges so many operations of several places in pages, as an engine does; tells its memory after every tenth: folder, count. */
import { NodeDigest, NanoIds } from "../../src/adapters/basics.ts";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { formatHlc } from "../../src/core/hlc.ts";
import { type Op, MAX_PAGE_OPS } from "../../src/core/operation.ts";
import { checksumOfOp } from "../../src/replication/record-log.ts";
import { makePlace, START_MS } from "../support/replication-node.ts";

/** What the process holds after a tenth of its work. */
export interface MergeSample {
  readonly tookMs: number;
  readonly rssMiB: number;
  /** After a collection. */
  readonly heapMiB: number;
}

const [dataDir = "", count = "0"] = process.argv.slice(2);
const ORIGINS = 4;
const FIELDS = 20_000;
const TENTHS = 10;
const MIB = 1_048_576;

const digest = new NodeDigest();
const place = makePlace({ name: "merging", store: new SqliteStore({ ids: new NanoIds() }, { dataDir }) });
const pages = Math.ceil(Number(count) / MAX_PAGE_OPS);
const samples: MergeSample[] = [];
let tookMs = 0;
for (let page = 0; page < pages; page += 1) {
  const ops = Array.from({ length: MAX_PAGE_OPS }, (_, index) => opOf(page, index));
  const startMs = performance.now();
  const { applied } = place.replication.hub.push({ origin: `rec_source${page % ORIGINS}`, token: null }, ops);
  tookMs += performance.now() - startMs;
  if (applied !== ops.length) throw new Error(`${applied} of ${ops.length} operations were taken`);
  if (page + 1 === Math.round(((samples.length + 1) * pages) / TENTHS)) samples.push(sample());
}
place.store.close();
process.send?.(samples);

/** Made on the way, so that none of the memory is the source's. Each place has seen what the others wrote on a field. */
function opOf(page: number, index: number): Op {
  const n = page * MAX_PAGE_OPS + index;
  const origin = `rec_source${page % ORIGINS}`;
  const originSeq = Math.floor(page / ORIGINS) * MAX_PAGE_OPS + index + 1;
  const clock = Object.fromEntries(
    Array.from({ length: ORIGINS }, (_, place) => [
      `rec_source${place}`,
      Math.floor((page - place + ORIGINS - 1) / ORIGINS) * MAX_PAGE_OPS,
    ]),
  );
  const made = {
    ...{ origin, originSeq, epoch: 0, kind: "set" as const, entity: "source names", field: `source ${n % FIELDS}` },
    hlc: formatHlc({ unixMs: START_MS - pages + page, counter: index, origin }),
    payload: { name: `camera ${n}`, short: `C${n}` },
    clock: { ...clock, [origin]: originSeq },
  };
  return { ...made, checksum: checksumOfOp(digest, made) };
}

function sample(): MergeSample {
  const rssMiB = process.memoryUsage().rss / MIB;
  globalThis.gc?.();
  return { tookMs, rssMiB, heapMiB: process.memoryUsage().heapUsed / MIB };
}
