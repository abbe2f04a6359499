/** The stream over real sockets: without gaps, at each viewer's pace, and with the peer's beside one's own. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { MAX_RECORDED, MAX_VIEWERS, STATE_EVERY_MS } from "../../src/visualiser/inspected.ts";
import { parseMessage } from "../../src/visualiser/stream-message.ts";
import { lockId } from "../support/samples.ts";
import { waitUntil } from "../support/wait-until.ts";
import { Onlooker, StreamEnd } from "./stream-rig.ts";

let a: StreamEnd;
let b: StreamEnd;
let urls: { a: string; b: string };
let onlookers: Onlooker[];

beforeEach(async () => {
  [a, b] = [new StreamEnd(), new StreamEnd()];
  urls = { a: await a.listen(), b: await b.listen() };
  a.show("a", urls.b);
  b.show("b", urls.a);
  onlookers = [];
});
afterEach(() => {
  for (const { socket } of onlookers) socket.terminate();
  a.close();
  b.close();
});

function lookAt(url: string, query?: string): Onlooker {
  const onlooker = new Onlooker(url, query);
  onlookers.push(onlooker);
  return onlooker;
}

const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at);

test("a viewer hears how things stand, what was before, and what follows, of both engines", async () => {
  a.move();
  b.move();
  const viewer = lookAt(urls.a);
  await waitUntil(() => viewer.of("hello").length === 2 && viewer.of("state", "b").length > 0);
  expect(viewer.of("hello", "a")[0]).toMatchObject({ seq: 3, values: { leadership: { follower: "waiting" } } });
  expect(viewer.of("state", "a")[0]).toMatchObject({ settings: { leaseMs: 600 }, conflicts: { open: 0 } });
  a.move();
  b.move();
  await waitUntil(() => viewer.seqs("a").length === 5 && viewer.seqs("b").length === 5);
  expect([viewer.seqs("a"), viewer.seqs("b")]).toEqual([upTo(5), upTo(5)]);
});

test("a viewer that comes back gets what it missed, and nothing twice", async () => {
  const first = lookAt(urls.a);
  await waitUntil(() => first.of("hello").length === 2);
  const runs = { a: first.of("hello", "a")[0]?.run, b: first.of("hello", "b")[0]?.run };
  first.socket.terminate();
  await waitUntil(() => a.viewers?.count === 0);
  a.move();
  b.move();
  const again = lookAt(urls.a, `?after=${runs.a}:1&after=${runs.b}:1&after=nonsense&after=old-run:99`);
  await waitUntil(() => again.seqs("a").length === 2 && again.seqs("b").length === 2);
  expect([again.seqs("a"), again.seqs("b")]).toEqual([upTo(3, 2), upTo(3, 2)]);
});

test("a peer that goes is told of, and is followed again without a gap when it is back", async () => {
  const viewer = lookAt(urls.a);
  await waitUntil(() => viewer.of("hello", "b").length === 1);
  for (const client of b.sockets.clients) client.terminate();
  b.move();
  await waitUntil(() => viewer.of("gone", "b").length === 1 && viewer.seqs("b").length === 3);
  expect(viewer.seqs("b")).toEqual(upTo(3));
  expect(viewer.of("hello", "b")).toHaveLength(1);
});

test("who looks again is not told that the peer is gone", async () => {
  const first = lookAt(urls.a);
  await waitUntil(() => first.of("state", "b").length > 0);
  first.socket.terminate();
  await waitUntil(() => a.viewers?.count === 0);
  const again = lookAt(urls.a);
  await waitUntil(() => again.of("state", "b").length > 0);
  expect(again.of("gone")).toEqual([]);
});

const event = { seq: 1, atUnixMs: 1, machine: "m", type: "event", event: "E", to: "x" };
const hello = { type: "hello", engine: "b", run: "b-1", seq: 1, values: {}, events: [event] };

test.each<[string, string]>([
  ["no JSON", "{"],
  ["null", "null"],
  ["a number", "7"],
  ["another type", JSON.stringify({ ...hello, type: "surprise" })],
  ["another engine", JSON.stringify({ ...hello, engine: "c" })],
  ["no events", JSON.stringify({ ...hello, events: undefined })],
  ["events that are none", JSON.stringify({ ...hello, events: [null] })],
  ["an event without a name", JSON.stringify({ ...hello, events: [{ ...event, event: 7 }] })],
  ["a number out of reach", JSON.stringify({ ...hello, events: [{ ...event, seq: 1e300 }] })],
  ["a last number out of reach", JSON.stringify({ ...hello, seq: 1e300, events: [] })],
  ["values that are none", JSON.stringify({ ...hello, values: null })],
  ["a value nested without end", `{"type":"snapshot","engine":"b","seq":1,"missed":0,"values":${deep(100_000)}}`],
  ["a state that is none", JSON.stringify({ type: "state", engine: "b", atUnixMs: 1, state: null })],
])("%s is no message of the stream", (_what, text) => {
  expect(parseMessage(text)).toBeNull();
});

test.each<[string, string | Buffer]>([
  ["no JSON", "{"],
  ["bytes", Buffer.from(JSON.stringify(hello))],
  ["a number out of reach", JSON.stringify({ ...hello, events: [{ ...event, seq: 1e300 }] })],
])("A20: an impostor at the peer's address that sends %s ends nothing", async (_what, sent) => {
  const impostor = new StreamEnd();
  let calls = 0;
  impostor.sockets.on("connection", (socket) => {
    calls += 1;
    socket.on("error", () => undefined).send(sent);
  });
  const engine = new StreamEnd();
  const [url, peerUrl] = [await engine.listen(), await impostor.listen()];
  engine.show("a", peerUrl);
  const viewer = lookAt(url);
  try {
    // It is dialled again, so the first message was dealt with.
    await waitUntil(() => calls > 1 && viewer.of("state", "a").length > 1);
    expect(viewer.heard.filter(({ engine: told }) => told === "b")).toEqual([]);
  } finally {
    engine.close();
    impostor.close();
  }
});

function deep(levels: number): string {
  return `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
}

test("a viewer that does not read keeps one message waiting, and then gets a snapshot of what the ring has lost", async () => {
  const stalled = lookAt(urls.a, "?only=own");
  await waitUntil(() => stalled.of("hello").length === 1);
  stalled.socket.pause();
  const held = (): number => [...a.sockets.clients].reduce((sum, socket) => sum + socket.bufferedAmount, 0);
  for (let round = 0; round < 200; round += 1) {
    for (let step = 0; step < 200; step += 1) a.move();
    await new Promise((resolve) => setImmediate(resolve));
    if (round % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 25));
  }
  expect(held()).toBeLessThan(200_000);
  const last = a.recorder.ring.lastSeq;
  expect(a.recorder.ring.firstSeq).toBe(last - MAX_RECORDED + 1);
  stalled.socket.resume();
  await waitUntil(() => stalled.of("snapshot").some(({ seq }) => seq === last) || stalled.seqs("a").at(-1) === last);
  const seqs = stalled.seqs("a");
  expect(seqs).toEqual([...seqs].sort((one, other) => one - other));
  expect(stalled.of("state").length).toBeGreaterThan(0);
});

test("who holds the reconcile lock is told, also where it is neither engine; the witness is asked once a second", async () => {
  for (const { coordinator } of [a, b]) coordinator.now = { ...coordinator.now, reconcileLock: null };
  a.coordinator.lock = {
    outcome: "read",
    lock: { lockId, holder: "a technician", ttlMs: 30_000, expiresMs: 20_000, fence: 3 },
  };
  b.coordinator.lock = { outcome: "unreachable", reason: "refused" };
  const viewer = lookAt(urls.a);
  const lastLock = (label: "a" | "b") => viewer.of("state", label).at(-1)?.lock;
  await waitUntil(() => viewer.of("state", "a").length >= 4 && viewer.of("state", "b").length > 0);
  expect(lastLock("a")).toMatchObject({ holder: "a technician" });
  expect(lastLock("a")?.expiresMs).toBeLessThan(20_000);
  expect(lastLock("b")).toBeNull();
  expect(a.coordinator.argsOf("readLock").length).toBeLessThan(3);
  a.coordinator.now = { ...a.coordinator.now, reconcileLock: { holder: "engine a", expiresMs: 9_000 } };
  await waitUntil(() => lastLock("a")?.holder === "engine a");
});

test("both engines are looked at in the same moments", async () => {
  const viewer = lookAt(urls.a);
  for (const label of ["a", "b"] as const) {
    await waitUntil(() => viewer.of("state", label).length >= 6);
    const late = viewer.of("state", label).map(({ atUnixMs }) => atUnixMs % STATE_EVERY_MS);
    const off = late.slice(1).map((ms) => Math.min(ms, STATE_EVERY_MS - ms));
    expect(off.sort((one, other) => one - other)[2]).toBeLessThan(20);
  }
});

test("nobody looking, nothing runs: no listener, no events in detail, no socket to the peer", async () => {
  const viewer = lookAt(urls.a);
  await waitUntil(() => viewer.of("hello", "b").length === 1);
  expect([a.coordinator.listeners, b.viewers?.count]).toEqual([1, 1]);
  viewer.socket.terminate();
  await waitUntil(() => a.viewers?.count === 0 && b.viewers?.count === 0);
  expect([a.coordinator.listeners, b.coordinator.listeners]).toEqual([0, 0]);
  const before = a.recorder.ring.lastSeq;
  a.actor.send({ type: "VOTED" });
  expect(a.recorder.ring.lastSeq).toBe(before);
});

test("more viewers than there is room for are asked to come back later", async () => {
  for (let at = 0; at < MAX_VIEWERS; at += 1) lookAt(urls.b, "?only=own");
  await waitUntil(() => onlookers.every((onlooker) => onlooker.of("hello").length === 1));
  const late = lookAt(urls.b, "?only=own");
  let code = 0;
  late.socket.on("close", (given) => (code = given));
  await waitUntil(() => code !== 0);
  expect(code).toBe(1013);
});
