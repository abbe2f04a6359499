/**
 * Proves that the linter enforces the rules of the house, on a fixture in which every rule is broken.
 * Keeps true: a rule that is dropped, misspelt or switched off for a folder makes this fail, and so does a rule that
 * reports what is allowed.
 */
import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import { expect, test } from "vitest";

const FIXTURE = fileURLToPath(new URL("./lint-fixture", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../eslint.config.js", import.meta.url));

/** One report, as `file:line rule`. */
type Finding = string;

function expected(): Finding[] {
  return globSync("**/*.ts", { cwd: FIXTURE }).flatMap((file) =>
    readFileSync(join(FIXTURE, file), "utf8")
      .split("\n")
      .flatMap((text, index) => {
        const [, below, rules] = /\/\/ must fail( on the next line)?: (.+)$/.exec(text) ?? [];
        const line = index + (below === undefined ? 1 : 2);
        return (rules ?? "").split(", ").flatMap((rule) => (rule === "" ? [] : [`${file}:${line} ${rule}`]));
      }),
  );
}

/** Typed linting reads the whole TypeScript library first. */
const LINT_TIMEOUT_MS = 300_000;

test("the linter reports every fault of the fixture, and nothing else", { timeout: LINT_TIMEOUT_MS }, async () => {
  const eslint = new ESLint({ cwd: FIXTURE, overrideConfigFile: CONFIG });
  const results = await eslint.lintFiles(["."]);
  const found = results.flatMap(({ filePath, messages }) =>
    messages.map(({ line, ruleId, message }): Finding => `${relative(FIXTURE, filePath)}:${line} ${ruleId ?? message}`),
  );
  expect(found.sort()).toEqual(expected().sort());
});

test("the fixture breaks each rule that the house names", () => {
  const broken = new Set(expected().map((finding) => finding.split(" ")[1]));
  expect([...broken].sort()).toEqual(
    [
      "@typescript-eslint/consistent-type-imports",
      "@typescript-eslint/no-explicit-any",
      "@typescript-eslint/no-floating-promises",
      "@typescript-eslint/switch-exhaustiveness-check",
      "house/import-direction",
      "max-lines-per-function",
      "no-console",
      "no-restricted-globals",
      "no-restricted-imports",
      "no-restricted-properties",
      "no-restricted-syntax",
    ].sort(),
  );
});
