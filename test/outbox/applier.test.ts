/** What stops a stack, what does not, and how a person brings it on. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileArtifactStore } from "../../src/adapters/file-artifact-store.ts";
import { MemoryFeed } from "../../src/adapters/memory-sink.ts";
import type { Applier, ApplierInit } from "../../src/outbox/applier.ts";
import type { Handler } from "../../src/outbox/applier-step.ts";
import type { HoldReason } from "../../src/ports/feed-sink.ts";
import { anEvent, events } from "../../src/testing/feed-sink-contract.ts";
import { MemorySource } from "../contracts/memory-source.ts";
import { applierOf, appliedVersions, type ApplierParts, type Db, keep, openData } from "./applier-rig.ts";

const PROGRAMME = { tenantId: "studio-1", stackId: "programme" };
let feed: MemoryFeed;
let source: MemorySource;
let db: Db;
let applier: Applier;
beforeEach(() => {
  feed = new MemoryFeed();
  source = new MemorySource(feed);
  db = openData();
});
afterEach(async () => {
  await applier.stop();
  db.close();
});

function begin(init: Partial<ApplierInit<Db>> = {}, more: Partial<ApplierParts> = {}): void {
  applier = applierOf({ source, db, ...more }, init);
  applier.start();
}

const publish = (...all: readonly ReturnType<typeof anEvent>[]): void =>
  void all.forEach((event) => feed.publish(event));
const applied =
  (stackId?: string): (() => number[]) =>
  () =>
    appliedVersions(db, stackId);

/** Waits until the stack stands still for good. */
async function stands(reason: HoldReason, eventId: string): Promise<void> {
  const hold = { reason, eventId, final: true };
  await expect.poll(async () => (await applier.status()).held).toMatchObject([{ ...PROGRAMME, hold }]);
}

describe("an applier", () => {
  it("applies what is there and what comes, and tells the feed how far it is", async () => {
    publish(...events(1, 3));
    begin();
    await expect.poll(applied()).toEqual([1, 2, 3]);
    publish(...events(4, 700));
    await expect.poll(applied()).toHaveLength(700);
    await expect.poll(() => source.acknowledged).toBe(700);
    expect(await applier.status()).toMatchObject({
      state: "running",
      cursor: 700,
      applied: 700,
      held: [],
      lastError: null,
    });
  });

  it("goes on where it was when it is started again, and stop can be called twice", async () => {
    publish(...events(1, 3));
    begin();
    await expect.poll(applied()).toHaveLength(3);
    await Promise.all([applier.stop(), applier.stop()]);
    expect((await applier.status()).state).toBe("stopped");
    publish(...events(4, 6));
    applier.start();
    await expect.poll(applied()).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe("a stack that stands still for a person", () => {
  it("stops a stack at an event upon another version, overwrites nothing, and goes on with others", async () => {
    publish(...events(1, 2), anEvent(9), anEvent(10), anEvent(1, { stackId: "other" }));
    begin();
    await stands("conflict", "programme:9");
    await expect.poll(applied("other")).toEqual([1]);
    expect(applied()()).toEqual([1, 2]);
    expect(await applier.decide(PROGRAMME, "retry")).toBe("decided");
    await stands("conflict", "programme:9");
    await applier.decide(PROGRAMME, "accept");
    await expect.poll(applied()).toEqual([1, 2, 9, 10]);
    await expect.poll(async () => (await applier.status()).held).toEqual([]);
    publish(anEvent(11));
    await expect.poll(applied()).toEqual([1, 2, 9, 10, 11]);
  });

  it("takes an event that stands upon any version wherever its stack is", async () => {
    publish(...events(1, 2), anEvent(40, { baseVersion: 0 }), anEvent(41));
    begin();
    await expect.poll(applied()).toEqual([1, 2, 40, 41]);
  });

  it("sets a type that it does not know aside, and applies it once it is known", async () => {
    publish(anEvent(1), anEvent(2, { eventType: "constructor" }), anEvent(3), anEvent(1, { stackId: "other" }));
    begin();
    await stands("unknown_type", "programme:2");
    await expect.poll(applied("other")).toEqual([1]);
    await applier.stop();
    begin({ handlers: { "command.accepted": keep, constructor: keep } });
    await applier.decide(PROGRAMME, "retry");
    await expect.poll(applied()).toEqual([1, 2, 3]);
  });

  it("steps over an event that a person skips, and over types it is told to ignore", async () => {
    publish(anEvent(1), anEvent(2, { eventType: "new.kind" }), anEvent(3, { eventType: "dull.kind" }), anEvent(4));
    begin({ handlers: { "command.accepted": keep, "dull.kind": "ignore" } });
    await stands("unknown_type", "programme:2");
    await applier.decide(PROGRAMME, "skip");
    await expect.poll(applied()).toEqual([1, 4]);
    expect(await applier.decide(PROGRAMME, "skip")).toBe("not_held");
  });
});

describe("a stack whose event fails", () => {
  it("tries a failing handler a bounded number of times, in order, then stops the stack", async () => {
    let calls = 0;
    const poison: Handler<Db> = (event, context) => {
      keep(event, context);
      calls += event.version === 2 ? 1 : 0;
      if (event.version === 2) throw new Error("not today");
    };
    publish(...events(1, 4), ...events(1, 3, { stackId: "other", eventType: "sound" }));
    begin({ handlers: { "command.accepted": poison, sound: keep }, maxAttempts: 3 });
    await expect.poll(applied("other")).toEqual([1, 2, 3]);
    await stands("handler_failed", "programme:2");
    expect(calls).toBe(3);
    expect(applied()()).toEqual([1]);
    expect((await applier.status()).lastError).toBe("handler_failed");
  });

  it("brings a stack back by itself when its handler succeeds later, with what came meanwhile", async () => {
    let failures = 2;
    const moody: Handler<Db> = (event, context) => {
      if (event.version === 2 && failures-- > 0) throw new Error("not yet");
      keep(event, context);
    };
    publish(...events(1, 600));
    begin({ handlers: { "command.accepted": moody }, pageSize: 50 });
    await expect.poll(applied()).toEqual(events(1, 600).map(({ version }) => version));
    await expect.poll(async () => (await applier.status()).held).toEqual([]);
  });
});

describe("a feed that is not what it was", () => {
  it("passes by what is no event, and says so", async () => {
    publish(anEvent(1));
    feed.entries.push({ controlVersion: 2, event: null as never });
    publish(anEvent(2));
    feed.entries[2] = { controlVersion: 3, event: anEvent(2) };
    begin();
    await expect.poll(applied()).toEqual([1, 2]);
    expect((await applier.status()).malformed).toBe(1);
  });

  it("waits for a person when the feed has lost what comes next", async () => {
    publish(...events(1, 3));
    begin();
    await expect.poll(applied()).toHaveLength(3);
    feed.entries.splice(0);
    await expect.poll(async () => (await applier.status()).state).toBe("lost");
    publish(anEvent(7, { baseVersion: 0 }));
    await applier.acceptLoss();
    await expect.poll(applied()).toEqual([1, 2, 3, 7]);
    expect((await applier.status()).state).toBe("running");
  });
});

describe("an applier with artifacts", () => {
  let folder: string;
  let artifacts: FileArtifactStore;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-artifacts-"));
    artifacts = new FileArtifactStore({}, { folder });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("hands a handler the checked bytes", async () => {
    const seen: string[] = [];
    publish(anEvent(1, await artifacts.put(Buffer.from("titles"))), anEvent(2));
    const look: Handler<Db> = (event, context) => {
      seen.push(context.artifact === null ? "none" : Buffer.from(context.artifact).toString());
      keep(event, context);
    };
    begin({ handlers: { "command.accepted": look } }, { artifacts });
    await expect.poll(() => seen).toEqual(["titles", "none"]);
  });

  it("stops the stack at an artifact that is not what the event says", async () => {
    const { artifactRef } = await artifacts.put(Buffer.from("titles"));
    publish(anEvent(1), anEvent(2, { artifactRef, checksum: "0".repeat(64) }));
    begin({ maxAttempts: 2 }, { artifacts });
    await stands("checksum_mismatch", "programme:2");
    expect(applied()()).toEqual([1]);
  });

  it("waits for an artifact that is late", async () => {
    const late = new FileArtifactStore({}, { folder: join(folder, "late") });
    const artifact = await artifacts.put(Buffer.from("titles"));
    publish(anEvent(1, artifact), anEvent(2));
    begin({ maxAttempts: 100 }, { artifacts: late });
    await expect
      .poll(async () => (await applier.status()).held)
      .toMatchObject([{ hold: { reason: "artifact_missing" } }]);
    await late.put(Buffer.from("titles"));
    await expect.poll(applied()).toEqual([1, 2]);
  });
});
