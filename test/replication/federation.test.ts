/** Federation peers in one process: who is let in, what is kept of them, what a person can do, and what modes mean. */
import { afterEach, describe, expect, it } from "vitest";
import type { Json } from "../../src/core/canonical-json.ts";
import type { Op } from "../../src/core/operation.ts";
import type { PullRequest, SyncAnswer, SyncTransport } from "../../src/ports/sync-transport.ts";
import { keptOf as kept, newKey, peerOf, peerPort, Places, poll, wayTo } from "../support/federation.ts";
import { waitUntil } from "../support/wait-until.ts";
import { altered, originOf, SetClock, wired } from "../support/replication-node.ts";

const places = new Places();
const { place, asking } = places;
afterEach(places.stop);

describe("an exchange", () => {
  it("takes the peer's operations, and keeps id, cursor, seen, health, key and clock", async () => {
    const there = place({ name: "there", signatures: newKey() });
    there.replication.records.set("show", "title", "Monday");
    const here = asking(() => there.wayFor(originOf("here")), { signatures: newKey() });
    const status = await poll(here, "there");
    expect(here.replication.records.get("show", "title")?.value).toBe("Monday");
    expect(status).toMatchObject({ id: "eng_there", version: "0.1.0", versionSkew: false, lag: 0, hint: null });
    expect(status.fingerprint).toBe(there.replication.federation.status().fingerprint);
    expect(status.health).toMatchObject({ consecutiveFailures: 0, lastError: null, version: "0.1.0" });
    expect(status.keys).toEqual(["id", "cursor", "seen", "health", "key", "clock"].map((fact) => `peer:there:${fact}`));
    expect(kept(here, "clock")).toBe(JSON.stringify({ [originOf("there")]: 1 }));
    expect(here.store.replica.peerState.get("clock")).toBe(JSON.stringify(here.store.replica.ops.vector()));
    expect(JSON.stringify(status)).not.toContain(kept(here, "key"));
  });

  it("asks a peer that gives no proof by its id alone", async () => {
    const there = place({ name: "there" });
    const here = asking(() => there.wayFor(originOf("here")));
    expect(await poll(here, "there")).toMatchObject({
      id: "eng_there",
      fingerprint: null,
      health: { lastError: null },
    });
  });

  it("asks a peer with a key by its id alone where it cannot look at keys itself", async () => {
    const there = place({ name: "there", signatures: newKey() });
    const here = asking(() => there.wayFor(originOf("here")));
    expect(await poll(here, "there")).toMatchObject({ fingerprint: null, health: { lastError: null } });
    const pinned = asking(() => there.wayFor(originOf("here")), {}, { pinnedKey: `sha256:${"0".repeat(32)}` });
    expect((await poll(pinned, "there")).health?.lastError?.reason).toBe("identity_mismatch");
  });

  it("marks a peer of another version", async () => {
    const there = place({ name: "there", init: { version: "0.0.9" } });
    const here = asking(() => there.wayFor(originOf("here")));
    expect(await poll(here, "there")).toMatchObject({ version: "0.0.9", versionSkew: true });
  });

  it("is not made by one that only publishes, nor served by one that only subscribes", () => {
    const there = place({ name: "there", init: { mode: "subscribe" } });
    expect(there.replication.hub.serves).toBe(false);
    const here = asking(() => there.wayFor(originOf("here")), { init: { mode: "publish" } });
    expect(peerOf(here, "there")).toMatchObject({ state: "idle", health: null });
    expect(here.replication.federation.resume("there")).toEqual({ outcome: "not-pulling" });
    expect(here.replication.federation.reset("there", { keyRotated: false })).toMatchObject({ outcome: "done" });
    expect(peerOf(here, "there").state).toBe("idle");
  });
});

describe("a person", () => {
  it("pauses and resumes a peer; one that is paused stays so over a reset", async () => {
    const there = place({ name: "there" });
    const here = asking(() => there.wayFor(originOf("here")), {}, { mode: "paused" });
    expect(peerOf(here, "there")).toMatchObject({ mode: "paused", health: null });
    await poll(here, "there");
    expect(peerOf(here, "there")).toMatchObject({ mode: "sync", health: { lastError: null } });
    const { federation } = here.replication;
    expect(federation.pause("there")).toMatchObject({ outcome: "done", peer: { mode: "paused" } });
    expect(federation.reset("there", { keyRotated: false })).toMatchObject({ peer: { mode: "paused", keys: [] } });
    expect(federation.pause("nobody")).toEqual({ outcome: "not-found" });
    expect(federation.reset("nobody", { keyRotated: false })).toEqual({ outcome: "not-found" });
  });

  it("is obeyed over a restart: a paused peer stays paused, a resumed one is asked, whatever the configuration says", () => {
    const there = place({ name: "there" });
    const way = () => there.wayFor(originOf("here"));
    for (const [mode, word] of [
      ["sync", "pause"],
      ["paused", "resume"],
    ] as const) {
      const before = asking(way, {}, { mode });
      before.replication.federation[word]("there");
      before.replication.stop();
      const after = asking(way, { store: before.store }, { mode });
      expect(peerOf(after, "there").mode).toBe(word === "pause" ? "paused" : "sync");
    }
  });

  it("resets a peer that has become another one: all of its keys go, its records stay", async () => {
    const there = place({ name: "there" });
    const successor = place({ name: "successor" });
    there.replication.records.set("show", "title", "kept");
    let end = there;
    const here = asking(() => end.wayFor(originOf("here")));
    await poll(here, "there");
    end = successor;
    expect((await poll(here, "there")).state).toBe("refused");
    const reset = here.replication.federation.reset("there", { keyRotated: false });
    expect(reset).toMatchObject({
      outcome: "done",
      removed: ["id", "cursor", "seen", "health", "clock"].map((fact) => `peer:there:${fact}`),
    });
    expect(await poll(here, "there")).toMatchObject({ id: "eng_successor", health: { lastError: null } });
    expect(here.replication.records.get("show", "title")?.value).toBe("kept");
  });

  it("lets a peer come back with a new key: only the key goes", async () => {
    let there = place({ name: "there", signatures: newKey() });
    const here = asking(() => there.wayFor(originOf("here")), { signatures: newKey() });
    await poll(here, "there");
    const cursor = kept(here, "cursor");
    there = place({ name: "there", store: there.store, signatures: newKey() });
    expect((await poll(here, "there")).state).toBe("refused");
    const reset = here.replication.federation.reset("there", { keyRotated: true });
    expect(reset).toMatchObject({ removed: ["peer:there:key"] });
    expect(await poll(here, "there")).toMatchObject({ health: { lastError: null } });
    expect(JSON.parse(kept(here, "cursor") ?? "")).toEqual(JSON.parse(cursor ?? ""));
  });
});

it("a corrupt clock of a peer is an error, never an empty clock", async () => {
  const there = place({ name: "there" });
  const here = asking(() => there.wayFor(originOf("here")));
  await poll(here, "there");
  here.store.replica.peerState.set("peer:there:clock", '{"rec_there":-1}');
  expect(await poll(here, "there")).toMatchObject({ lag: null, health: { lastError: { reason: "other" } } });
  expect(kept(here, "clock")).toBe('{"rec_there":-1}');
});

describe("what cannot be taken", () => {
  it("keeps the cursor before it, becomes a dead letter, and once it is given up all goes on", async () => {
    const there = place({ name: "there" });
    for (const value of [1, 2, 3]) there.replication.records.set("macro", "steps", value);
    const second = there.replication.records.log("", 3).ops[1]?.op;
    if (second === undefined) throw new Error("three were written");
    const good = there.wayFor(originOf("here"));
    const spoiling = wayTo(() => good);
    const way = { ...spoiling, pull: async (request: PullRequest) => spoilt(await good.pull(request), second) };
    const here = asking(() => way);
    const eventId = `${originOf("there")}/2`;
    for (let exchange = 1; exchange <= 8; exchange += 1) {
      const { health, lag, cursor } = await poll(here, "there");
      expect(health).toMatchObject({ consecutiveFailures: exchange, lastSuccess: null });
      expect(health?.lastError).toMatchObject({ reason: "unknown_action", eventId });
      expect({ lag, cursor }).toEqual({ lag: 2, cursor: null });
    }
    const { records } = here.replication;
    expect(records.setAside(10)).toMatchObject([{ originSeq: 2, dead: true, reason: "unknown_action" }]);
    // CK2: in its place stands the same stamp, which no clock that is ahead here can make unfit for others.
    expect(records.skip(originOf("there"), 2)).toMatchObject({ outcome: "skipped", op: { hlc: second.hlc } });
    const { health, lag } = await poll(here, "there");
    expect(records.get("macro", "steps")?.value).toBe(3);
    expect({ lag, ...health }).toMatchObject({ lag: 0, consecutiveFailures: 0, lastError: null });
  });

  /** The page with its operation `op` made one of an unknown kind. */
  function spoilt(answer: SyncAnswer<Json>, op: Op): SyncAnswer<Json> {
    if (answer.outcome !== "answered") return answer;
    const page = answer.value as unknown as { readonly ops: readonly Op[] };
    const ops = page.ops.map((one) => (one.originSeq === op.originSeq ? altered(one, { kind: "explode" }) : one));
    return { outcome: "answered", value: wired({ ...page, ops }) };
  }
});

describe("between two exchanges", () => {
  /** Keeps how long was waited for each, and begins the next one at once. */
  class Waits extends SetClock {
    readonly waited: number[] = [];
    override setTimeout = (fn: () => void, delayMs: number): object => {
      this.waited.push(delayMs);
      return setImmediate(fn);
    };
    override clearTimeout = (handle: object | number): void => clearImmediate(handle as NodeJS.Immediate);
  }

  const gone: SyncTransport = wayTo(() => {
    throw Object.assign(new Error("gone"), { code: "ECONNREFUSED" });
  });

  it("the wait doubles with each failure up to five minutes, and is never below the interval", async () => {
    const clock = new Waits();
    const here = place({
      name: "here",
      clock,
      federation: [peerPort("there", gone)],
      init: { federationIntervalMs: 30_000 },
    });
    here.replication.federation.start();
    await waitUntil(() => clock.waited.length >= 8);
    here.replication.stop();
    // Chance is half: half of 60 s, of 120 s, of 240 s, then of 300 s.
    expect(clock.waited.slice(0, 6)).toEqual([30_000, 60_000, 120_000, 150_000, 150_000, 150_000]);
  });

  it("a good peer is asked again after the interval and a little more, by chance", async () => {
    const clock = new Waits();
    const there = place({ name: "there" });
    const federation = [peerPort("there", there.wayFor(originOf("here")))];
    const here = place({ name: "here", clock, federation, init: { federationIntervalMs: 10_000 } });
    here.replication.federation.start();
    await waitUntil(() => clock.waited.length >= 3);
    here.replication.stop();
    expect(clock.waited.slice(0, 3)).toEqual([10_500, 10_500, 10_500]);
  });
});
