/** Two sites, each a real pair, that federate: they converge, keep conflicts, and take what comes late, each of it once. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSpoke } from "../../src/host/spoke.ts";
import { type EnginePair, startPair } from "../cli/engine-pair.ts";
import { KeptLog } from "../http/rig.ts";
import { freePort } from "../support/free-port.ts";

const ENGINES = ["east-a", "east-b", "west-a", "west-b"] as const;
type Engine = (typeof ENGINES)[number];

let east: EnginePair;
let west: EnginePair;
const folder = mkdtempSync(join(tmpdir(), "changeover-late-"));
/** The spoke that was offline, with the hub that it knows. */
const openLate = (hubUrl: string): ReturnType<typeof openSpoke> =>
  openSpoke({
    dataDir: folder,
    hubUrl,
    token: null,
    intervalMs: 60_000,
    signatures: "enforce",
    logger: new KeptLog(),
    onProgress: () => undefined,
    onExchanged: () => undefined,
  });
const late = openLate("http://127.0.0.1:9");

beforeAll(async () => {
  // Made before anybody else has made anything, and given to nobody yet.
  late.replication.records.set("show", "late", "made offline");
  late.close();
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const;
  const at = (name: string, one: number, other: number) => ({
    intervalMs: 1_000,
    signatures: "enforce",
    peers: [one, other].map((port, n) => ({ name: `${name}-${"ab"[n]}`, endpoint: `http://127.0.0.1:${port}` })),
  });
  [east, west] = await Promise.all([
    startPair({ pair: "east", federation: at("west", ports[2], ports[3]) }, { a: ports[0], b: ports[1] }),
    startPair({ pair: "west", federation: at("east", ports[0], ports[1]) }, { a: ports[2], b: ports[3] }),
  ]);
}, 60_000);
afterAll(async () => {
  await Promise.all([east.close(), west.close()]);
  rmSync(folder, { recursive: true, force: true });
});

function urlOf(engine: Engine): string {
  const label = engine.endsWith("a") ? "a" : "b";
  return engine.startsWith("east") ? east.urls[label] : west.urls[label];
}

async function get<T>(engine: Engine, path: string): Promise<T> {
  return (await (await fetch(urlOf(engine) + path)).json()) as T;
}

async function write(engine: Engine, field: string, value: unknown): Promise<void> {
  const init = { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ value }) };
  expect((await fetch(`${urlOf(engine)}/api/records/show/${field}`, init)).status).toBe(200);
}

const valuesOf = (field: string) =>
  Promise.all(
    ENGINES.map(async (engine) => (await get<{ value?: unknown }>(engine, `/api/records/show/${field}`)).value),
  );
const everywhere = (value: unknown): unknown[] => ENGINES.map(() => value);

async function everyPeer(what: "pause" | "resume"): Promise<void> {
  for (const engine of ENGINES) {
    const { peers } = await get<{ peers: { name: string }[] }>(engine, "/api/peers");
    for (const { name } of peers) {
      expect((await fetch(`${urlOf(engine)}/api/peers/${name}/${what}`, { method: "POST" })).status).toBe(200);
    }
  }
}

it("what is written on any of four engines stands on all of them, signed by who wrote it", async () => {
  for (const engine of ENGINES) await write(engine, engine, `by ${engine}`);
  for (const engine of ENGINES) await expect.poll(() => valuesOf(engine)).toEqual(everywhere(`by ${engine}`));
  const { ops } = await get<{ ops: { op: { origin: string; signature?: string } }[] }>("west-b", "/api/ops");
  const others = ops.filter(({ op }) => op.signature !== undefined);
  expect(new Set(others.map(({ op }) => op.origin)).size).toBe(3);
});

it("a conflict between two sites that were apart is kept on both, the same on all engines", async () => {
  await everyPeer("pause");
  await write("east-a", "title", "Monday");
  await write("west-b", "title", "Tuesday");
  await everyPeer("resume");
  await expect.poll(() => valuesOf("title")).toEqual(everywhere("Tuesday"));
  const open = async (engine: Engine) => {
    const { conflicts } = await get<{ conflicts: { id: string; outcome: string }[] }>(engine, "/api/conflicts");
    return conflicts.filter(({ outcome }) => outcome === "open").map(({ id }) => id);
  };
  await expect.poll(() => open("west-a")).toHaveLength(1);
  const [id] = await open("west-a");
  for (const engine of ENGINES) await expect.poll(() => open(engine)).toEqual([id]);
});

it("[A21] a late operation of a spoke that was offline reaches every engine of both sites, each once", async () => {
  await write("west-a", "newer", "than the late one");
  await expect.poll(() => valuesOf("newer")).toEqual(everywhere("than the late one"));
  const spoke = openLate(urlOf("east-b"));
  const { origin } = spoke.replication.records;
  const result = await spoke.replication.spoke?.exchangeNow();
  spoke.close();
  expect(result).toMatchObject({ outcome: "done" });
  await expect.poll(() => valuesOf("late")).toEqual(everywhere("made offline"));
  for (const engine of ENGINES) {
    const { ops } = await get<{ ops: { op: { origin: string; originSeq: number } }[] }>(engine, "/api/ops?limit=1000");
    expect(ops.filter(({ op }) => op.origin === origin).map(({ op }) => op.originSeq)).toEqual([1]);
    const { peers } = await get<{ peers: { health: { lastError: unknown } }[] }>(engine, "/api/peers");
    expect(peers.map(({ health }) => health.lastError)).toEqual([null, null]);
  }
});
