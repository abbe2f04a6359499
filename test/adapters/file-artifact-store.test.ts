/** Artifacts in a folder: durable under their checksum, and read only as they were written. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FileArtifactStore } from "../../src/adapters/file-artifact-store.ts";

let folder: string;
let store: FileArtifactStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "changeover-artifacts-"));
  store = new FileArtifactStore({}, { folder: join(folder, "made", "when needed"), maxBytes: 1_000 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = (): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((it) => /[0-9a-f]{64}/.test(it));

test("gives back what was put, under the sha256 of the bytes", async () => {
  const artifact = await store.put(Buffer.from("graphics"));
  expect(artifact.checksum).toBe("57eb5aedb42b638bbf6c7c7fc40416a238ab7edb082ac90ae8b30fa95a96c33b");
  expect(artifact.artifactRef).toBe(`sha256-${artifact.checksum}`);
  expect(Buffer.from(await store.get(artifact)).toString()).toBe("graphics");
});

test("keeps the same bytes once, however many put them at once, and leaves no drafts", async () => {
  const [first, ...others] = await Promise.all(Array.from({ length: 8 }, async () => store.put(Buffer.from("logo"))));
  expect(others).toEqual(Array.from({ length: 7 }, () => first));
  expect(files()).toHaveLength(1);
});

test("an empty artifact is one too", async () => {
  expect(await store.get(await store.put(new Uint8Array()))).toHaveLength(0);
});

test("bytes that changed on the disk are an error, and are mended by putting them again", async () => {
  const artifact = await store.put(Buffer.from("titles"));
  writeFileSync(join(folder, "made", "when needed", artifact.checksum.slice(0, 2), artifact.checksum), "tampered");
  await expect(store.get(artifact)).rejects.toMatchObject({ code: "checksum_mismatch" });
  await store.put(Buffer.from("titles"));
  expect(Buffer.from(await store.get(artifact)).toString()).toBe("titles");
});

test("another checksum than that of the event is an error, even where the bytes are sound", async () => {
  const { artifactRef } = await store.put(Buffer.from("titles"));
  await expect(store.get({ artifactRef, checksum: "0".repeat(64) })).rejects.toMatchObject({
    code: "checksum_mismatch",
  });
});

test.each([
  "",
  "../../etc/passwd",
  "sha256-../../x",
  "/etc/passwd",
  `sha256-${"A".repeat(64)}`,
  `sha256-${"0".repeat(64)}`,
])("a name that was never given is missing: %j", async (artifactRef) => {
  await expect(store.get({ artifactRef, checksum: "0".repeat(64) })).rejects.toMatchObject({
    code: "artifact_missing",
  });
});

test("more bytes than the bound are refused with the bound, and nothing is written", async () => {
  await expect(store.put(new Uint8Array(1_001))).rejects.toMatchObject({
    code: "invalid_value",
    details: { value: 1_001, bound: 1_000 },
  });
  expect(files()).toEqual([]);
});
