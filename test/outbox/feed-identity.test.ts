/** A feed that is started over is noticed by those who read it and by those who publish to it, and nothing is skipped. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryFeed } from "../../src/adapters/memory-sink.ts";
import { FileSink } from "../../src/adapters/sinks/file-sink.ts";
import { FileSource } from "../../src/adapters/sinks/file-source.ts";
import { events } from "../../src/testing/feed-sink-contract.ts";
import { MemorySource } from "../contracts/memory-source.ts";
import { applierOf, appliedVersions, openData } from "./applier-rig.ts";
import { expectOrdered, onStage } from "./feed-stage.ts";

describe("a consumer of a file feed", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-identity-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  for (const count of [2, 4, 6]) {
    it(`F1: waits as lost when the feed was wiped and ${count} events were published anew; resync() applies them`, async () => {
      const first = new FileSink({}, { folder });
      await first.publish(events(1, 4));
      const db = openData();
      const applier = applierOf({ source: new FileSource({}, { folder, consumer: "c" }), db });
      applier.start();
      await expect.poll(() => appliedVersions(db)).toEqual([1, 2, 3, 4]);
      const { feedId } = await applier.status();
      expect(feedId).toMatch(/^feed_/);

      rmSync(folder, { recursive: true });
      const sink = new FileSink({}, { folder });
      await sink.publish(
        events(5, 4 + count).map((event, at) => ({ ...event, baseVersion: at === 0 ? 0 : event.version - 1 })),
      );
      await expect.poll(() => applier.status()).toMatchObject({ state: "lost", lost: "restarted", cursor: 4, feedId });
      expect(appliedVersions(db)).toEqual([1, 2, 3, 4]);

      await applier.resync();
      const all = Array.from({ length: 4 + count }, (_, at) => at + 1);
      await expect.poll(() => appliedVersions(db)).toEqual(all);
      const after = await applier.status();
      expect(after).toMatchObject({ state: "running", lost: null, cursor: count });
      expect(after.feedId).not.toBe(feedId);
      await applier.stop();
      await Promise.all([first.close(), sink.close()]);
    });
  }

  it("F1: a restart of the consumer does not forget which feed it has read", async () => {
    await new FileSink({}, { folder }).publish(events(1, 4));
    const db = openData();
    const source = new FileSource({}, { folder, consumer: "c" });
    const before = applierOf({ source, db });
    before.start();
    await expect.poll(() => appliedVersions(db)).toEqual([1, 2, 3, 4]);
    await before.stop();
    rmSync(folder, { recursive: true });
    await new FileSink({}, { folder }).publish(events(1, 9));
    const after = applierOf({ source, db });
    after.start();
    await expect.poll(() => after.status()).toMatchObject({ state: "lost", lost: "restarted", cursor: 4 });
    await after.stop();
  });
});

describe("a feed that changes under its name", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-identity-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("F1: another event at the cursor is noticed although the feed kept its name", async () => {
    await new FileSink({}, { folder }).publish(events(1, 4));
    const db = openData();
    const applier = applierOf({ source: new FileSource({}, { folder, consumer: "c" }), db });
    applier.start();
    await expect.poll(() => appliedVersions(db)).toEqual([1, 2, 3, 4]);
    await applier.stop();
    for (const part of ["order", "events"]) rmSync(join(folder, part), { recursive: true });
    await new FileSink({}, { folder }).publish(events(11, 16));
    applier.start();
    await expect.poll(() => applier.status()).toMatchObject({ state: "lost", lost: "restarted", cursor: 4 });
    await applier.stop();
  });

  it("F1: a sink that is still open gives a wiped folder a new name, and publishes only to the feed that was named", async () => {
    const sink = new FileSink({}, { folder });
    const { feedId = "" } = await sink.publish(events(1, 3));
    rmSync(folder, { recursive: true });
    expect(await sink.publish(events(4, 5), feedId)).toMatchObject({ published: [], failure: { reason: "lost" } });
    const anew = await sink.publish(events(4, 5));
    expect(anew.published.map(({ controlVersion }) => controlVersion)).toEqual([1, 2]);
    expect(anew.feedId).not.toBe(feedId);
  });

  it("F1: a folder that was restored from an older copy gets nothing, also from a sink that is still open", async () => {
    const open = new FileSink({}, { folder });
    const { feedId = "", published } = await open.publish(events(1, 6));
    const reached = published.at(-1)?.controlVersion;
    expect(reached).toBe(6);
    for (const sink of [open, new FileSink({}, { folder })]) {
      for (const part of ["order", "events"]) rmSync(join(folder, part), { recursive: true });
      await new FileSink({}, { folder }).publish(events(1, 4));
      const { failure, published: none } = await sink.publish(events(7, 8), feedId, reached);
      expect([failure?.reason, none]).toEqual(["lost", []]);
      expect(String(failure?.error)).toContain("published was through 6");
      const missing = await sink.publish(events(1, 8));
      expect(missing.published.map(({ controlVersion }) => controlVersion)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    }
  });

  it("F1: a stack that stood still goes on after resync()", async () => {
    const feed = new MemoryFeed();
    for (const event of events(1, 3)) feed.publish(event);
    const db = openData();
    let broken = true;
    const handlers = {
      "command.accepted": (event: { version: number }, { tx }: { tx: typeof db }) => {
        if (broken && event.version === 3) throw new Error("not now");
        tx.prepare("INSERT INTO data (stack, version, event_id) VALUES ('programme', ?, '')").run(event.version);
      },
    };
    const applier = applierOf({ source: new MemorySource(feed), db }, { handlers, maxAttempts: 1 });
    applier.start();
    await expect.poll(async () => (await applier.status()).held).toHaveLength(1);
    feed.startOver();
    for (const event of events(1, 5)) feed.publish(event);
    await expect.poll(() => applier.status()).toMatchObject({ state: "lost" });
    broken = false;
    await applier.resync();
    await expect.poll(() => appliedVersions(db)).toEqual([1, 2, 3, 4, 5]);
    expect((await applier.status()).held).toEqual([]);
    await applier.stop();
  });
});

describe("a pair that publishes", () => {
  onStage("F1: the follower takes over and does not adopt a feed that was started over meanwhile", async (stage) => {
    for (let at = 0; at < 3; at += 1) await stage.submit("a");
    await stage.published();
    stage.feed.startOver();
    stage.process("a").kill(3);
    await stage.until("b leads", () => stage.leads("b"), 30_000);
    await stage.submit("b");
    await stage.until("a person is told", () => stage.alarms("b").includes("feed-lost"), 60_000);
    expect(stage.feed.entries).toEqual([]);
  });

  onStage("F1: a feed that was restored from an older copy gets nothing until resync fills it again", async (stage) => {
    for (let at = 0; at < 5; at += 1) await stage.submit("a");
    stage.coordinator("a").replication.records.set("macros", "m1", 1);
    await stage.published();
    stage.feed.restoreOlder(3);
    const older = stage.feed.entries.length;
    await stage.submit("a");
    await stage.until("a person is told", () => stage.alarms("a").includes("feed-lost"), 30_000);
    expect(stage.feed.entries).toHaveLength(older);
    expect(stage.coordinator("a").resyncFeed("ops")).toEqual({ outcome: "resyncing" });
    await stage.until("all is published", () => stage.versions("programme").length === 6, 60_000);
    await stage.until("nothing waits", () => stage.waiting("a") === 0, 60_000);
    expect(stage.versions("programme")).toEqual([1, 2, 3, 4, 5, 6]);
    expectOrdered(stage);
    expect(stage.alarms("a")).not.toContain("feed-lost");
  });

  onStage("F1: the follower takes over and notices that the feed is an older copy", async (stage) => {
    for (let at = 0; at < 4; at += 1) await stage.submit("a");
    await stage.published();
    stage.feed.restoreOlder(2);
    stage.process("a").kill(3);
    await stage.until("b leads", () => stage.leads("b"), 30_000);
    await stage.submit("b");
    await stage.until("a person is told", () => stage.alarms("b").includes("feed-lost"), 60_000);
    expect(stage.versions("programme")).toEqual([1, 2]);
  });

  onStage(
    "F1: to a feed that was started over waits with an alarm; resync sends everything that stands",
    async (stage) => {
      for (let at = 0; at < 5; at += 1) await stage.submit("a");
      stage.coordinator("a").replication.records.set("macros", "m1", 1);
      await stage.published();
      // The retention has passed: what was published is no longer among the rows.
      stage.process("a").ports?.store.replica.outbox.dropPublished(Number.MAX_SAFE_INTEGER, 10_000);
      const before = stage.feed.entries.map(({ event }) => event.eventId).sort();
      stage.feed.startOver();
      await stage.submit("a");
      await stage.until("a person is told", () => stage.alarms("a").includes("feed-lost"), 30_000);
      await stage.until("and that an event waits", () => stage.alarms("a").includes("outbox-behind"), 60_000);
      expect(stage.feed.entries).toEqual([]);
      expect(stage.coordinator("b").resyncFeed("ops")).toMatchObject({ outcome: "not-leader" });
      expect(stage.coordinator("a").resyncFeed("ops")).toEqual({ outcome: "resyncing" });
      await stage.until("all is published again", () => stage.versions("programme").length === 6, 60_000);
      await stage.until("nothing waits", () => stage.waiting("a") === 0, 60_000);
      expect(stage.versions("programme")).toEqual([1, 2, 3, 4, 5, 6]);
      expect(stage.events("programme")[0]).toMatchObject({ baseVersion: 0 });
      expect(stage.feed.entries.map(({ event }) => event.eventId)).toEqual(expect.arrayContaining(before));
      expectOrdered(stage);
      await stage.submit("a");
      await stage.until("it goes on", () => stage.versions("programme").length === 7, 60_000);
      expect(stage.alarms("a")).not.toContain("feed-lost");
    },
  );
});
