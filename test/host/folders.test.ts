/** Folders that cannot be used are refused by `config check`, which makes nothing, and where it lasts by a start too. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { resolveConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/types.ts";
import { checkFolders, checkLastingFolders } from "../../src/host/folders.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-folders-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function configOf(more: object): Config {
  const peer = { links: [{ name: "red", url: "ws://127.0.0.1:7402" }] };
  const dataDir = join(folder, "a");
  return resolveConfig({ pair: "studio-1", label: "a", peer, dataDir, witness: { kind: "none" }, ...more });
}

const RIGHTS = "name another, or change its rights";
const witnessIn = (file: string) => ({ witness: { kind: "sqlite", file } });

test.each<[string, object, string]>([
  ["dataDir", { dataDir: "/proc/x" }, `"/proc/x": must be a folder .*: /proc is not on a disk; ${RIGHTS}`],
  ["dataDir", { dataDir: "/etc/passwd/x" }, `: /etc/passwd is not a folder; ${RIGHTS}`],
  ["dataDir", { dataDir: `/tmp/${"x".repeat(300)}` }, ": ENAMETOOLONG;"],
  ["witness.file", witnessIn("/proc/x/w.db"), `"/proc/x/w.db": must be a file in a folder .*: /proc is not on a disk`],
  ["witness.file", witnessIn(folder), ": it is a folder;"],
  ["witness.file", witnessIn(join(folder, "a", "changeover.db")), ": is this engine's own store; must be a file"],
  ["outbox.dir", { outbox: { sink: "file", dir: "/proc/x" } }, ": /proc is not on a disk;"],
])("%s %j", (key, more, told) => {
  const config = configOf(more);
  expect(() => checkFolders(config, "engine.yaml")).toThrow(new RegExp(`^engine\\.yaml: ${key} is .*${told}`));
  if (key !== "dataDir") expect(() => checkLastingFolders(config)).toThrow(new RegExp(`^folders: ${key} is .*${told}`));
});

test("folders that are still to be made are taken, and not made", () => {
  const outbox = { sink: "file", dir: join(folder, "feed", "deep") };
  const config = configOf({ ...witnessIn(join(folder, "w", "w.db")), outbox });
  checkFolders(config, "engine.yaml");
  checkLastingFolders(config);
  expect(readdirSync(folder)).toEqual([]);
});

test("the folder of another engine", () => {
  const dataDir = join(folder, "b");
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, "engine.json"), JSON.stringify({ pair: "studio-1", label: "b" }));
  expect(() => checkFolders(configOf({ dataDir }), "engine.yaml")).toThrow(/belongs to engine b of pair "studio-1"/);
  expect(existsSync(join(dataDir, "changeover.db"))).toBe(false);
});
