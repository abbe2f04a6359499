/** The launcher must say what to do before anything native is loaded. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openDatabase } from "../../src/adapters/local-lock.ts";
import { nodeAdvice } from "../../src/core/node-version.ts";

test.each(["22.12.0", "22.20.1", "24.0.0", "25.1.0"])("Node %s will do", (version) => {
  expect(nodeAdvice(version, null)).toBeNull();
});

test.each(["20.20.2", "22.11.0", "18.0.0"])("Node %s is too old, and the user is told what to do", (version) => {
  expect(nodeAdvice(version, null)).toBe(
    `needs Node.js 22.12 or newer, and this is ${version}; install a newer one from https://nodejs.org/`,
  );
  expect(nodeAdvice(version, "/clone/node_modules/node/bin/node")).toContain('"npx changeover …"');
});

test("the launcher imports nothing at its top that an old Node has not", () => {
  const imports = (file: string): string[] =>
    [...readFileSync(file, "utf8").matchAll(/^import .* from "(.*)";$/gm)].map(([, name]) => name ?? "");
  expect(imports("src/cli/main.ts")).toEqual([
    "node:fs",
    "node:path",
    "node:url",
    "../core/node-version.ts",
    "./young-generation.ts",
  ]);
  expect(imports("src/cli/young-generation.ts")).toEqual(["node:v8"]);
  expect(imports("src/core/node-version.ts")).toEqual([]);
});

test("a program that embeds the store is told the same, where it would crash", () => {
  const open = (): unknown => openDatabase("no-such-folder/x.db", {}, "20.20.2");
  expect(open).toThrow(expect.objectContaining({ code: "unsupported_runtime" }));
  expect(open).toThrow(/^Changeover needs Node\.js 22\.12 or newer, and this is 20\.20\.2; install/);
});
