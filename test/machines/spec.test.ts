/** Keeps true: `machines/SPEC.md` lists every rule, names only what exists, and no rule is without a test that cites it. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { PLANTED_BUGS } from "../../src/simulation/planted-bugs/pair.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The kinds of rules in the order of the protocol, and how many of each there are at least; then the invariants. */
const KINDS = { EP: 5, HB: 4, VT: 7, CP: 7, DP: 3, HO: 5, SB: 5, RL: 3, I: 14 };

const spec = readFileSync(join(ROOT, "machines/SPEC.md"), "utf8");
const rows = spec.split("\n").flatMap((line) => {
  const cells = line.split("|").map((cell) => cell.trim());
  return /^[A-Z]+\d+$/.test(cells[1] ?? "") ? [{ id: cells[1] ?? "", cells: cells.slice(2, -1), line }] : [];
});

const isInvariant = (id: string): boolean => /^I\d/.test(id);
const RULES = rows.map(({ id }) => id).filter((id) => !isInvariant(id));

test("every rule and every invariant is listed once, with nothing left empty", () => {
  const ids = rows.map(({ id }) => id);
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  for (const [kind, least] of Object.entries(KINDS)) {
    for (let number = 1; number <= least; number += 1) expect(ids).toContain(`${kind}${number}`);
  }
  for (const { id, cells } of rows) {
    expect(cells.length, id).toBe(isInvariant(id) ? 2 : 3);
    expect(cells, id).not.toContain("");
  }
});

test("every file that the pages name exists, and has the symbol that they name in it", () => {
  const pages = spec + readFileSync(join(ROOT, "docs/failure-matrix.md"), "utf8");
  const named = [...pages.matchAll(/`((?:src|machines|test)\/[\w./-]+)(?:: (\w+))?`/g)];
  expect(named.length).toBeGreaterThan(100);
  for (const [text, path = "", symbol] of named) {
    expect(existsSync(join(ROOT, path)), text).toBe(true);
    if (symbol !== undefined)
      expect(readFileSync(join(ROOT, path), "utf8"), text).toMatch(new RegExp(`\\b${symbol}\\b`));
  }
});

test("every rule is cited by the title of a test", () => {
  const tests = globSync("test/**/*.ts", { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), "utf8"));
  const cited = (id: string): boolean =>
    tests.some((text) =>
      new RegExp(`(?:test|it|each|scenario|describe)\\b[^"\`\n]*\\s*["\`][^"\`\n]*\\b${id}\\b`).test(text),
    );
  expect(RULES.filter((id) => !cited(id))).toEqual([]);
  expect(cited("XX9")).toBe(false);
});

test("every planted bug is named beside the rule that it breaks", () => {
  for (const { name, rule } of PLANTED_BUGS) {
    expect(rows.find(({ id }) => id === rule)?.line, name).toContain(`"${name}"`);
  }
  const listed = [...spec.matchAll(/bugs? ("[^|]*")/g)].flatMap(([, list = ""]) => [...list.matchAll(/"([^"]+)"/g)]);
  const known = PLANTED_BUGS.map(({ name }) => name);
  expect(listed.map(([, name = ""]) => name).filter((name) => !known.includes(name))).toEqual([]);
});
