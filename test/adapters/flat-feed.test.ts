/** The flat format: what other readers of control events find in a folder, and that our own reader takes both formats. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryFeed, MemorySink } from "../../src/adapters/memory-sink.ts";
import { eventFromText, eventToText } from "../../src/adapters/sinks/event-text.ts";
import { FanOutSink } from "../../src/adapters/sinks/fan-out-sink.ts";
import { FileSink } from "../../src/adapters/sinks/file-sink.ts";
import { FileSource } from "../../src/adapters/sinks/file-source.ts";
import { anEvent, events, readAll } from "../../src/testing/feed-sink-contract.ts";
import { applierOf, appliedVersions, openData } from "../outbox/applier-rig.ts";
import { ManualClock } from "../support/manual-clock.ts";

describe("outbox.format flat in a folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-flat-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const sinkOf = (): FileSink => new FileSink({}, { folder, format: "flat" });
  const sourceOf = (): FileSource => new FileSource({}, { folder, format: "flat", consumer: "c" });
  const parsed = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));

  it("one <event_id>.json an event, in snake case, and no other file beside them", async () => {
    const artifact = { artifactRef: "show.bin", checksum: "ab".repeat(32) };
    const batch = [
      anEvent(1, { eventId: "cmd_eng_a_1" }),
      anEvent(2, {
        eventId: "rec_studio-1_rec_b.2_7",
        stackId: "records/rec_b.2",
        eventType: "record.set",
        ...artifact,
      }),
    ];
    const { published } = await sinkOf().publish(batch);
    expect(published.map(({ controlVersion }) => controlVersion)).toEqual([1, 2]);
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name).toSorted()).toEqual(["cmd_eng_a_1.json", "rec_studio-1_rec_b.2_7.json"]);
    expect(parsed("cmd_eng_a_1.json")).toEqual({
      control_version: 1,
      event_id: "cmd_eng_a_1",
      type: "command.accepted",
      tenant_id: "studio-1",
      stack_id: "programme",
      version: 1,
      base_version: 0,
      payload: { kind: "cut", to: 1 },
    });
    expect(parsed("rec_studio-1_rec_b.2_7.json")).toMatchObject({
      ...{ control_version: 2, type: "record.set", stack_id: "records/rec_b.2", base_version: 1 },
      ...{ artifact_ref: "show.bin", checksum: artifact.checksum },
    });
    expect(await readAll(sourceOf())).toEqual(batch.map((event, at) => ({ controlVersion: at + 1, event })));
  });

  it("the same event again keeps its file and its control version", async () => {
    await sinkOf().publish(events(1, 3));
    const again = await sinkOf().publish(events(2, 4));
    expect(again.published).toMatchObject([
      { controlVersion: 2, duplicate: true },
      { controlVersion: 3, duplicate: true },
      { controlVersion: 4, duplicate: false },
    ]);
  });

  it("F1: a folder whose visible content was removed is another feed: the consumer waits as lost", async () => {
    const sink = sinkOf();
    const { feedId = "" } = await sink.publish(events(1, 4));
    const db = openData();
    const applier = applierOf({ source: sourceOf(), db });
    applier.start();
    await expect.poll(() => appliedVersions(db)).toEqual([1, 2, 3, 4]);
    // As `rm -r DIR/*` does it: names that begin with a dot would stay.
    for (const name of readdirSync(folder)) if (!name.startsWith(".")) rmSync(join(folder, name), { recursive: true });
    expect((await sink.publish(events(5, 6), feedId)).failure?.reason).toBe("lost");
    await sink.publish(events(5, 10));
    await expect.poll(() => applier.status()).toMatchObject({ state: "lost", lost: "restarted", cursor: 4, feedId });
    await applier.stop();
  });

  it("a folder that changes its format is another feed", async () => {
    const { feedId = "" } = await new FileSink({}, { folder }).publish(events(1, 2));
    expect((await sinkOf().publish(events(3, 3), feedId)).failure?.reason).toBe("lost");
  });
});

it("a reader takes either format, and neither when the event is not whole", () => {
  const event = anEvent(7, { artifactRef: "x", checksum: "y" });
  for (const format of ["changeover", "flat"] as const) {
    expect(eventFromText(eventToText(event, format) ?? "")).toEqual(event);
  }
  expect(
    eventFromText('{"event_id":"e","type":"t","tenant_id":"p","stack_id":"s","version":1,"payload":1}'),
  ).toBeNull();
});

describe("several sinks", () => {
  const clock = new ManualClock();
  const twoFeeds = () => {
    const feeds = [new MemoryFeed(), new MemoryFeed()] as const;
    const [first, other] = feeds.map((feed) => new MemorySink({ clock, feed })) as [MemorySink, MemorySink];
    return { feeds, sink: new FanOutSink({ first, others: [other] }) };
  };

  for (const at of [0, 1] as const) {
    it(`F1: feed ${at + 1} of two that is started over is lost, and nothing counts as published`, async () => {
      const { feeds, sink } = twoFeeds();
      const { feedId = "" } = await sink.publish(events(1, 3));
      expect((await sink.publish(events(4, 4), feedId)).failure).toBeNull();
      feeds[at].startOver();
      expect(await sink.publish(events(5, 5), feedId)).toMatchObject({ published: [], failure: { reason: "lost" } });
      expect((await sink.publish(events(1, 5))).published).toHaveLength(5);
    });
  }

  it("a second sink that is added later takes part without a resync", async () => {
    const { sink } = twoFeeds();
    expect((await sink.publish(events(1, 1), "feed_1")).failure).toBeNull();
    expect((await sink.publish(events(2, 2), "feed_9")).failure?.reason).toBe("lost");
  });
});
