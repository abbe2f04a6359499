/** What the outbox of every store promises, whatever it is made of: run on each by `outbox.test.ts`. */
import { describe, expect, it } from "vitest";
import type { ControlEvent } from "../../src/core/control-event.ts";
import type { OutboxRow } from "../../src/ports/replica.ts";
import { appendOutbox } from "../../src/outbox/append.ts";
import { storeBench, type StoreBench, type StorePlace } from "./store-bench.ts";
import { START_UNIX_MS } from "./store-samples.ts";

/** Event `version` of a stack. */
export function controlEvent(stackId: string, version: number, given: Partial<ControlEvent> = {}): ControlEvent {
  return {
    ...{ eventId: `${stackId}-${version}`, eventType: "command.accepted", tenantId: "studio-1", stackId, version },
    ...{ baseVersion: version - 1, payload: { n: version } },
    ...given,
  };
}

const ALL = { limit: 1_000, maxBytes: 1e9, throughVersion: Number.MAX_SAFE_INTEGER };
const ids = (rows: readonly OutboxRow[]): string[] => rows.map(({ event }) => event.eventId);
const stand = (stackId: string, ...versions: number[]) =>
  versions.map((n) => ({ eventId: `${stackId}-${n}`, controlVersion: 100 + n, duplicate: false }));

export function outboxContract(name: string, makePlace: () => StorePlace): void {
  describe(`the outbox contract: ${name}`, () => {
    const bench = storeBench(makePlace);
    waitingContract(bench);
    publishedContract(bench);
    failureContract(bench);
    transactionContract(bench);
  });
}

function add(bench: StoreBench, ...events: ControlEvent[]): void {
  events.forEach((event, index) => bench.replica.outbox.add(event, START_UNIX_MS + index));
}

function waitingContract(bench: StoreBench): void {
  it("keeps events as they were, each once, by stack and version", () => {
    const artifact = controlEvent("s2", 1, { artifactRef: "sha256-1", checksum: "c".repeat(64) });
    add(bench, controlEvent("s1", 2), controlEvent("s1", 1), artifact, controlEvent("s1", 2, { payload: "other" }));
    for (const again of [false, true]) {
      if (again) bench.reopen();
      expect(bench.replica.outbox.stacksAfter("", 10)).toEqual(["s1", "s2"]);
      expect(bench.replica.outbox.stacksAfter("s1", 10)).toEqual(["s2"]);
      expect(bench.replica.outbox.stacksAfter("", 1)).toEqual(["s1"]);
      expect(bench.replica.outbox.waiting("s1", ALL).map(({ event }) => event)).toEqual([
        controlEvent("s1", 1),
        controlEvent("s1", 2),
      ]);
      expect(bench.replica.outbox.find("s2-1")).toMatchObject({ event: artifact, attempts: 0, dead: false });
      expect(bench.replica.outbox.find("none")).toBeNull();
      expect(bench.replica.outbox.depth()).toMatchObject({
        waiting: 3,
        dead: 0,
        oldest: { event: { eventId: "s1-2" } },
      });
    }
  });

  it("gives what is wanted of a stack, and takes back what is told to go", () => {
    add(bench, ...[1, 2, 3, 4].map((n) => controlEvent("s1", n)), controlEvent("s2", 9));
    expect(ids(bench.replica.outbox.waiting("s1", { ...ALL, limit: 2 }))).toEqual(["s1-1", "s1-2"]);
    expect(ids(bench.replica.outbox.waiting("s1", { ...ALL, maxBytes: 1 }))).toEqual(["s1-1"]);
    expect(ids(bench.replica.outbox.waiting("s1", { ...ALL, throughVersion: 3 }))).toEqual(["s1-1", "s1-2", "s1-3"]);
    bench.replica.outbox.published(stand("s1", 1, 2, 3), START_UNIX_MS);
    bench.replica.outbox.withdraw("s1", 2);
    bench.reopen();
    expect(bench.replica.outbox.stacksAfter("", 10)).toEqual(["s2"]);
    expect(bench.replica.outbox.find("s1-3"), "it was published: it stays").toMatchObject({
      controlVersion: 103,
    });
    expect(bench.replica.outbox.mark("s1"), "nothing is said of versions that were taken back").toBeNull();
  });
}

function publishedContract(bench: StoreBench): void {
  it("remembers what was published and through where, and drops it when it is old", () => {
    add(bench, ...[1, 2, 3].map((n) => controlEvent("s1", n)), controlEvent("s2", 1));
    bench.replica.outbox.published(stand("s1", 1, 2), START_UNIX_MS + 50);
    bench.reopen();
    expect(bench.replica.outbox.find("s1-2")).toMatchObject({
      controlVersion: 102,
      publishedAtUnixMs: START_UNIX_MS + 50,
    });
    expect(ids(bench.replica.outbox.waiting("s1", ALL))).toEqual(["s1-3"]);
    expect(bench.replica.outbox.mark("s1")).toEqual({
      stackId: "s1",
      version: 2,
      eventId: "s1-2",
      controlVersion: 102,
    });
    expect(bench.replica.outbox.dropPublished(START_UNIX_MS + 50, 10)).toBe(0);
    expect(bench.replica.outbox.dropPublished(START_UNIX_MS + 51, 1)).toBe(1);
    expect(bench.replica.outbox.dropPublished(START_UNIX_MS + 51, 10)).toBe(1);
    expect(bench.replica.outbox.find("s1-1")).toBeNull();
    expect(bench.replica.outbox.depth().waiting).toBe(2);
    expect(bench.replica.outbox.mark("s1")?.version).toBe(2);
  });

  it("takes another's word for everything through a version; a mark never falls", () => {
    add(bench, ...[1, 2, 3].map((n) => controlEvent("s1", n)), controlEvent("s2", 1));
    const mark = { stackId: "s1", version: 2, eventId: "s1-2", controlVersion: 7 };
    bench.replica.outbox.publishedThrough(mark, START_UNIX_MS);
    expect(ids(bench.replica.outbox.waiting("s1", ALL))).toEqual(["s1-3"]);
    bench.replica.outbox.publishedThrough({ ...mark, version: 1, eventId: "s1-1" }, START_UNIX_MS);
    bench.replica.outbox.publishedThrough({ ...mark, stackId: "s9", eventId: "s9-2" }, START_UNIX_MS);
    bench.reopen();
    expect(bench.replica.outbox.marksAfter("", 10)).toEqual([mark, { ...mark, stackId: "s9", eventId: "s9-2" }]);
    expect(bench.replica.outbox.marksAfter("s1", 10)).toHaveLength(1);
    expect(bench.replica.outbox.marksAfter("", 1)).toEqual([mark]);
  });
}

function failureContract(bench: StoreBench): void {
  it("notes failures, lists dead letters, and forgets both once one is published or replaced", () => {
    add(bench, ...[1, 2, 3].map((n) => controlEvent("s1", n)));
    for (const n of [2, 1]) bench.replica.outbox.noteFailure(`s1-${n}`, { attempts: 5, dead: true, reason: "refused" });
    bench.reopen();
    expect(ids(bench.replica.outbox.deadLetters(10))).toEqual(["s1-1", "s1-2"]);
    expect(ids(bench.replica.outbox.deadLetters(1))).toEqual(["s1-1"]);
    expect(bench.replica.outbox.find("s1-1")).toMatchObject({ attempts: 5, dead: true, reason: "refused" });
    expect(bench.replica.outbox.depth()).toMatchObject({ waiting: 3, dead: 2 });
    bench.replica.outbox.replace(controlEvent("s1", 1, { eventType: "event.skipped", payload: { by: "ops" } }));
    expect(bench.replica.outbox.find("s1-1")).toMatchObject({
      attempts: 0,
      dead: false,
      event: { eventType: "event.skipped" },
    });
    bench.replica.outbox.published(stand("s1", 1, 2), START_UNIX_MS);
    bench.replica.outbox.drop("s1-3");
    expect(bench.replica.outbox.depth()).toEqual({ waiting: 0, dead: 0, oldest: null });
    bench.replica.outbox.drop("s1-1");
    bench.replica.outbox.noteFailure("s1-1", { attempts: 9, dead: true, reason: "refused" });
    expect(bench.replica.outbox.find("s1-1"), "what was published is beyond all that").toMatchObject({
      attempts: 0,
    });
  });
}

function transactionContract(bench: StoreBench): void {
  it("is part of the transaction that is under way, and of no other", () => {
    const { replica } = bench.store;
    const failing = (): void =>
      replica.transaction(() => {
        appendOutbox(replica, controlEvent("s1", 1), START_UNIX_MS);
        replica.outbox.published(stand("s1", 1), START_UNIX_MS);
        throw new Error("no");
      });
    expect(failing).toThrow("no");
    expect(replica.outbox.find("s1-1")).toBeNull();
    expect(replica.outbox.mark("s1")).toBeNull();
    replica.transaction(() => appendOutbox(replica, controlEvent("s1", 2), START_UNIX_MS));
    bench.reopen();
    expect(ids(bench.replica.outbox.waiting("s1", ALL))).toEqual(["s1-2"]);
  });

  it.each([
    ["eventId", { eventId: "" }],
    ["eventType", { eventType: "" }],
    ["payload", { payload: null }],
    ["payload", { payload: "" }],
    ["checksum", { artifactRef: "sha256-1" }],
    ["eventId", { eventId: undefined }],
    ["payload", { payload: undefined }],
    ["version", { version: -1 }],
    ["baseVersion", { baseVersion: "1" }],
  ])("refuses an event whose %s is missing or no such thing: %j", (field, given) => {
    const { replica } = bench.store;
    const event = controlEvent("s1", 1, given as object);
    const { eventId: id } = event;
    const append = (): void => appendOutbox(replica, event, START_UNIX_MS);
    expect(append).toThrow(expect.objectContaining({ code: "invalid_event", details: { eventId: id, field } }));
    expect(replica.outbox.depth().waiting).toBe(0);
  });

  it("refuses when there is no room, and changes nothing", () => {
    bench.place.setFull(true);
    bench.reopen();
    const { replica } = bench.store;
    const fill = (): void => {
      const payload = { text: "x".repeat(100_000) };
      for (let n = 1; n < 100; n += 1) appendOutbox(replica, controlEvent("s1", n, { payload }), START_UNIX_MS);
    };
    expect(fill).toThrow(expect.objectContaining({ code: "store_full" }));
    const { waiting } = bench.replica.outbox.depth();
    expect(waiting).toBeLessThan(99);
    expect(bench.replica.outbox.waiting("s1", ALL)).toHaveLength(waiting);
  });
}
