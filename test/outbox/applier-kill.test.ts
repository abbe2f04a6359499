/** A consumer of a feed in a folder, killed again and again: everything is applied once and in order. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { FileSink } from "../../src/adapters/sinks/file-sink.ts";
import { applyUnderKills } from "./applier-kills.ts";

test("over 10 kills (`applier-kill.long.test.ts`: 200)", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-feed-"));
  const sink = new FileSink({}, { folder });
  await applyUnderKills({ sink, kind: "file", address: folder, rounds: 10 });
  await sink.close();
  rmSync(folder, { recursive: true, force: true });
});
