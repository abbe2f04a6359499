/**
 * Checks the links of Markdown files: relative targets exist, and so do the headings they point at.
 * Does not ask the network: an address outside the repository is taken as it stands.
 */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/** A link that leads nowhere, as `file:line target: what is wrong`. */
export type BrokenLink = string;

/** Every broken link in the Markdown files that match. */
export function brokenLinks(root: string, patterns: string[]): BrokenLink[] {
  return globSync(patterns, { cwd: root })
    .sort()
    .flatMap((file) => brokenLinksOf(root, file));
}

function brokenLinksOf(root: string, file: string): BrokenLink[] {
  const lines = withoutCode(readFileSync(join(root, file), "utf8")).split("\n");
  return lines.flatMap((line, index) =>
    targetsOf(line).flatMap((target) => {
      const fault = faultOf(root, file, target);
      return fault === undefined ? [] : [`${file}:${index + 1} ${target}: ${fault}`];
    }),
  );
}

/** Blanks out code, keeping the number of lines, for a bracket there is no link. */
function withoutCode(markdown: string): string {
  const blank = (text: string): string => text.replace(/[^\n]/g, " ");
  return markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, blank).replace(/`[^`\n]*`/g, blank);
}

function targetsOf(line: string): string[] {
  const inline = [...line.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)];
  const reference = [...line.matchAll(/^\s*\[[^\]]+\]:\s*<?([^\s>]+)/g)];
  const html = [...line.matchAll(/(?:src|href)="([^"]+)"/g)];
  return [...inline, ...reference, ...html].flatMap(([, target]) => target ?? []);
}

function faultOf(root: string, file: string, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path = "", anchor] = target.split("#");
  const found = path === "" ? join(root, file) : resolve(root, dirname(file), decodeURIComponent(path));
  if (relative(root, found).startsWith("..")) return "leads out of the repository";
  if (!existsSync(found)) return "no such file";
  if (anchor === undefined || anchor === "" || !found.endsWith(".md") || !statSync(found).isFile()) return undefined;
  return anchorsOf(readFileSync(found, "utf8")).has(anchor) ? undefined : "no such heading";
}

/** The anchors a Markdown page offers, made the way GitHub makes them. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const prose = markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, "");
  for (const [, heading = ""] of prose.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const slug = slugOf(heading);
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  for (const [, id = ""] of prose.matchAll(/<[^>]+\b(?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

function slugOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}
