/** Contract of the port FeedSource, for every feed that is read. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { events, type FeedUnderTest, publishAll, readAll, versionsOf } from "../../src/testing/feed-sink-contract.ts";

export function feedSourceContract(name: string, make: () => Promise<FeedUnderTest>): void {
  describe(`feed source contract: ${name}`, () => {
    let given: FeedUnderTest;
    beforeEach(async () => {
      given = await make();
    });
    afterEach(async () => given.end());

    it("reads page by page, also while more is published, and has nothing at the end", async () => {
      const sink = given.sink();
      await publishAll(sink, events(1, 25));
      const source = given.source("reader");
      const first = await readAll(source);
      await publishAll(sink, events(26, 60));
      const cursor = first.at(-1)?.controlVersion ?? 0;
      await source.acknowledge(cursor);
      const rest = await readAll(source, cursor);
      expect(versionsOf([...first, ...rest])).toEqual(events(1, 60).map((e) => e.version));
      expect(await source.read(rest.at(-1)?.controlVersion ?? 0, 10)).toMatchObject({ outcome: "read", entries: [] });
    });

    it("never gives more than it was asked for", async () => {
      await publishAll(given.sink(), events(1, 25));
      const read = await given.source("reader").read(0, 4);
      expect(read).toMatchObject({ outcome: "read" });
      expect(read.outcome === "read" && versionsOf(read.entries).length).toBeLessThanOrEqual(4);
    });

    it("reads again from an older cursor, whatever was acknowledged", async () => {
      await publishAll(given.sink(), events(1, 20));
      const source = given.source("reader");
      const all = await readAll(source);
      await source.acknowledge(all.at(-1)?.controlVersion ?? 0);
      expect(versionsOf(await readAll(source, all[4]?.controlVersion))).toEqual(events(6, 20).map((e) => e.version));
      expect(versionsOf(await readAll(source))).toHaveLength(20);
    });

    it("serves readers that know nothing of each other", async () => {
      await publishAll(given.sink(), events(1, 20));
      const [one, other] = await Promise.all([readAll(given.source("one")), readAll(given.source("other"))]);
      expect(one).toEqual(other);
      expect(versionsOf(one)).toHaveLength(20);
    });

    it("says so when the feed ends before the cursor", async () => {
      const { published } = await given.sink().publish(events(1, 3));
      const beyond = (published.at(-1)?.controlVersion ?? 0) + 5;
      expect(await given.source("reader").read(beyond, 10)).toMatchObject({ outcome: "lost", why: "restarted" });
    });

    it("can be closed twice", async () => {
      const source = given.source("reader");
      await source.close();
      await source.close();
    });
  });
}
