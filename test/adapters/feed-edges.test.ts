/** What the contracts of the feed do not see: what a killed publisher leaves in a folder, foreign files, names, addresses. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileFeed } from "../../src/adapters/sinks/file-feed.ts";
import { FileSink } from "../../src/adapters/sinks/file-sink.ts";
import { FileSource } from "../../src/adapters/sinks/file-source.ts";
import { parseNatsUrl } from "../../src/adapters/nats/link.ts";
import { NopSink } from "../../src/adapters/sinks/fan-out-sink.ts";
import { headerText, safeName } from "../../src/adapters/sinks/event-text.ts";
import { anEvent, events, readAll, versionsOf } from "../../src/testing/feed-sink-contract.ts";

describe("a feed in a folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-feed-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const reader = (): FileSource => new FileSource({}, { folder, consumer: "reader" });

  it("a publisher that was killed between place and key leaves no double", async () => {
    await new FileSink({}, { folder }).publish(events(1, 2));
    const dying = new FileFeed(folder);
    expect(await dying.takePlace(await dying.draft(anEvent(3), 3), 3)).toBe(true);
    const result = await new FileSink({}, { folder }).publish(events(3, 4));
    expect(result.published).toEqual([
      { eventId: "programme:3", controlVersion: 3, duplicate: true },
      { eventId: "programme:4", controlVersion: 4, duplicate: false },
    ]);
    expect(versionsOf(await readAll(reader()))).toEqual([1, 2, 3, 4]);
  });

  it("never writes outside its folder, and leaves no drafts", async () => {
    const hostile = ["../../../x", "/etc/passwd", "..", ".", "a\0b", "\\..\\x"];
    const sink = new FileSink({}, { folder: join(folder, "feed") });
    const batch = hostile.map((eventId, at) => anEvent(at + 1, { eventId, stackId: eventId, tenantId: eventId }));
    expect((await sink.publish(batch)).failure).toBeNull();
    expect(readdirSync(folder)).toEqual(["feed"]);
    expect(readdirSync(join(folder, "feed")).toSorted()).toEqual(["drafts", "events", "feed.json", "order"]);
    expect(readdirSync(join(folder, "feed", "drafts"))).toEqual([]);
  });

  it("tells a reader that the oldest were removed, and shows what is no event", async () => {
    await new FileSink({}, { folder }).publish(events(1, 9));
    for (const place of [1, 2, 3, 4]) rmSync(new FileFeed(folder).placeOf(place));
    writeFileSync(new FileFeed(folder).placeOf(6), "{");
    expect(await reader().read(2, 10)).toEqual({ outcome: "lost", why: "trimmed", oldest: 5 });
    const entries = await readAll(reader());
    expect(entries.map(({ controlVersion }) => controlVersion)).toEqual([5, 6, 7, 8, 9]);
    expect(entries[1]?.event).toBeNull();
  });

  it("says that a folder cannot be used, and refuses an id that is too long for a name", async () => {
    writeFileSync(join(folder, "file"), "");
    const nowhere = await new FileSink({}, { folder: join(folder, "file") }).publish([anEvent(1)]);
    expect(nowhere).toMatchObject({ published: [], failure: { reason: "unavailable" } });
    const long = await new FileSink({}, { folder }).publish([anEvent(1, { eventId: "x".repeat(201) })]);
    expect(long).toMatchObject({ published: [], failure: { reason: "refused" } });
  });
});

describe("names", () => {
  it("differ where texts differ, and hold nothing that means anything", () => {
    const property = fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (one, other) => {
      const [name, otherName] = [safeName(one), safeName(other)];
      if (name !== null && name === otherName) expect(one).toBe(other);
      if (name !== null) expect(name).toMatch(/^[A-Za-z0-9_%-]{1,200}$/);
      expect(headerText(one) ?? "none").toMatch(/^[!-~]{1,500}$/);
    });
    fc.assert(property);
  });
});

describe("the address of NATS", () => {
  it("is read with its hosts, user and TLS", () => {
    expect(parseNatsUrl("tls://ann:p%40ss@one,two:5222")).toEqual({
      servers: ["one:4222", "two:5222"],
      tls: true,
      user: "ann",
      password: "p@ss",
    });
    expect(parseNatsUrl("nats://token@[::1]:4222/")).toMatchObject({
      servers: ["[::1]:4222"],
      user: "token",
      password: null,
    });
  });

  it.each([
    "",
    "http://x",
    "nats://",
    "nats://a:0",
    "nats://a:99999",
    "nats://a/b",
    "nats://%@a",
    "nats://u:secret@a:x",
  ])("of no known form is refused without its password: %j", (url) => {
    expect(() => parseNatsUrl(url)).toThrow(
      expect.objectContaining({
        code: "invalid_configuration",
        message: expect.not.stringContaining("secret") as string,
      }),
    );
  });
});

it("no feed takes everything and numbers it", async () => {
  const sink = new NopSink();
  await sink.publish(events(1, 2));
  const { published, failure } = await sink.publish(events(3, 3));
  expect([published, failure]).toEqual([[{ eventId: "programme:3", controlVersion: 3, duplicate: false }], null]);
  await sink.close();
});
