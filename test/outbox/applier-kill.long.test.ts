/** As `applier-kill.test.ts`, 200 rounds. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { FileSink } from "../../src/adapters/sinks/file-sink.ts";
import { applyUnderKills } from "./applier-kills.ts";

test("over 200 kills", async () => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-feed-"));
  const sink = new FileSink({}, { folder });
  await applyUnderKills({ sink, kind: "file", address: folder, rounds: 200 });
  await sink.close();
  rmSync(folder, { recursive: true, force: true });
});
