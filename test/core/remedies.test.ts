/** Every alarm has a remedy, and it is the runbook's. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { REMEDIES } from "../../src/core/remedies.ts";

const plain = (cell: string): string =>
  cell
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll("`", "")
    .trim();

test("each alarm has one row in the runbook, which begins what to do with the same words", () => {
  const runbook = readFileSync(new URL("../../docs/runbook.md", import.meta.url), "utf8");
  const rows = new Map(
    [...runbook.matchAll(/^\| `([a-z-]+)` *\|[^|]*\|([^|]*)\|$/gm)].map(([, code = "", cell = ""]) => [
      code,
      plain(cell),
    ]),
  );
  for (const [code, remedy] of Object.entries(REMEDIES)) {
    expect(rows.get(code)?.slice(0, remedy.length), code).toBe(remedy);
    expect(remedy, code).toMatch(/^[A-Z].*\.$/);
  }
  expect([...rows.keys()].sort()).toEqual(Object.keys(REMEDIES).sort());
});

test("the sections that a remedy names are in the runbook", () => {
  const runbook = readFileSync(new URL("../../docs/runbook.md", import.meta.url), "utf8");
  const named = Object.values(REMEDIES).flatMap((remedy) =>
    [...remedy.matchAll(/see "([^"]+)"/g)].map(([, name]) => name),
  );
  expect(named.length).toBeGreaterThan(3);
  for (const name of named) expect(runbook).toContain(`## ${name ?? ""}\n`);
});
