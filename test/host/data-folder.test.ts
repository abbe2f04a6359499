/** C2: a data folder that cannot be made is an error at once. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { claimDataFolder } from "../../src/host/data-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-folder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["in a file system that makes no folders", "/proc/x", "ENOENT"],
  ["below one that is missing there", "/proc/x/y/z", "ENOENT"],
  ["below a file", "/etc/passwd/x", "ENOTDIR"],
  ["that is a file", "/etc/passwd", "ENOTDIR"],
])("C2: a data folder %s names the key, the path and the reason", (_what, dataDir, reason) => {
  expect(() => claimDataFolder(dataDir, { pair: "studio-1", label: "a" })).toThrow(
    expect.objectContaining({
      code: "data_folder_unusable",
      message: `dataDir ${dataDir} cannot be used: ${reason}; name a folder that this user can read and write`,
    }),
  );
});

test("the folders above a new data folder are made with it", () => {
  const dataDir = join(folder, "one", "two");
  claimDataFolder(dataDir, { pair: "studio-1", label: "a" });
  expect(() => claimDataFolder(dataDir, { pair: "studio-1", label: "b" })).toThrow(/belongs to engine a/);
  writeFileSync(join(dataDir, "engine.json"), "{");
  expect(() => claimDataFolder(dataDir, { pair: "studio-1", label: "a" })).toThrow(/cannot be used/);
});
