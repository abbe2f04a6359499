/** The key file of an engine: made once, kept, and refused where others could have read it. */
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Ed25519Signatures } from "../../src/adapters/basics.ts";
import { engineKey } from "../../src/host/data-folder.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "changeover-key-"));
  file = join(folder, "engine.key");
});
afterEach(() => rmSync(folder, { recursive: true }));

const publicKey = (): string => new Ed25519Signatures(engineKey(folder)).key;

it("is made at the first start, for this user alone, and is the same at the next", () => {
  const first = publicKey();
  expect(first).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["engine.key"]);
  expect(publicKey()).toBe(first);
});

it("is refused when others can read it", () => {
  publicKey();
  chmodSync(file, 0o640);
  expect(() => engineKey(folder)).toThrow(/engine\.key cannot be used: others can read it; must be mode 0600/);
});

it.each<[string, () => string, RegExp]>([
  ["no key at all", () => "hush", /it holds no key|ERR_OSSL/],
  [
    "a key of another kind",
    () =>
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    /holds a key of type ec; must be an Ed25519 private key/,
  ],
])("is refused when it is %s, and stays as it was", (_what, text, told) => {
  const written = text();
  writeFileSync(file, written, { mode: 0o600 });
  expect(() => engineKey(folder)).toThrow(told);
  expect(readFileSync(file, "utf8")).toBe(written);
});
