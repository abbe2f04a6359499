/** Keeps true: a link in the documentation leads somewhere. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { brokenLinks } from "./docs-links.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGES = ["*.md", "docs/**/*.md", "machines/**/*.md", "examples/**/*.md", "config/**/*.md"];

function pages(contents: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "changeover-links-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, name), text);
  return folder;
}

test("every link of the documentation leads to a file and a heading that exist", () => {
  expect(brokenLinks(ROOT, PAGES)).toEqual([]);
});

test("a missing file, a missing heading and a way out of the repository are reported with their lines", () => {
  const folder = pages({
    "a.md":
      '# Top\n[gone](gone.md)\n[heading](b.md#nowhere) and [out](../../etc)\n\n[ref]: #absent\n<img src="no.svg">\n',
    "b.md": "# Somewhere\n",
  });
  expect(brokenLinks(folder, ["*.md"])).toEqual([
    "a.md:2 gone.md: no such file",
    "a.md:3 b.md#nowhere: no such heading",
    "a.md:3 ../../etc: leads out of the repository",
    "a.md:5 #absent: no such heading",
    "a.md:6 no.svg: no such file",
  ]);
});

test("good links pass: headings with code and signs, repeated headings, addresses, code that looks like a link", () => {
  const folder = pages({
    "a.md": "[b](b.md#the-get-leader-call) [again](b.md#same-1) [web](https://example.org/x) `[no](link.md)`\n",
    "b.md": "# The `GET /leader` call\n## Same\n## Same\n```\n[not](a-link.md)\n```\n[self](#same)\n",
  });
  expect(brokenLinks(folder, ["*.md"])).toEqual([]);
});
