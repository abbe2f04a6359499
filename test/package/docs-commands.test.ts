/** Every `changeover` command in the documentation is one that exists, with options that exist. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The command lines in the shell blocks of a page, without comments and with continued lines joined. */
function commandLines(page: string): string[] {
  const blocks = [...page.matchAll(/^ *```(?:sh|bash)\n([\s\S]*?)^ *```/gm)].map(([, body]) => body ?? "");
  const lines = blocks.flatMap((body) => body.replaceAll(/\\\n\s*/g, " ").split("\n"));
  return lines.flatMap((line) => /^\s*(?:npx )?changeover ([^#|&]*)/.exec(line)?.[1]?.trim() ?? []);
}

/** What is wrong with a command line; null: nothing. */
function fault(program: Command, line: string): string | null {
  const words = line.match(/"[^"]*"|\S+/g) ?? [];
  let command = program;
  while (words[0] !== undefined) {
    const inner = command.commands.find((candidate) => candidate.name() === words[0]);
    if (inner === undefined) break;
    command = inner;
    words.shift();
  }
  if (command === program) return "no such command";
  // A group without options of its own does nothing by itself.
  if (command.commands.length > 0 && command.options.length === 0) {
    return `needs one of ${command.commands.map((inner) => inner.name()).join(", ")}`;
  }
  let given = 0;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) {
      given += 1;
      continue;
    }
    const [name = ""] = word.split("=");
    const option = command.options.find(({ long, short }) => name === long || name === short);
    if (option === undefined && name !== "--help") return `no such option: ${name}`;
    if (option?.required === true && !word.includes("=")) at += 1;
  }
  const wanted = command.registeredArguments.filter(({ required }) => required).length;
  return given < wanted ? `needs ${wanted} arguments` : null;
}

test("a command that does not exist, a wrong option and a missing argument are found", () => {
  const program = buildProgram("changeover");
  expect(fault(program, "statsu")).toBe("no such command");
  expect(fault(program, "status --adress http://x")).toBe("no such option: --adress");
  expect(fault(program, "pair adopt --yes --url http://x")).toBe("needs 1 arguments");
  expect(fault(program, 'handover --reason "by hand" --url http://x')).toBeNull();
});

test("the commands of the documentation exist", () => {
  const program = buildProgram("changeover");
  const pages = ["README.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)];
  const lines = pages
    .filter((name) => name.endsWith(".md"))
    .flatMap((name) => commandLines(readFileSync(join(ROOT, name), "utf8")).map((line) => ({ name, line })));
  expect(lines.length).toBeGreaterThan(15);
  const wrong = lines.flatMap(({ name, line }) => {
    const what = fault(program, line);
    return what === null ? [] : [`${name}: changeover ${line}: ${what}`];
  });
  expect(wrong).toEqual([]);
});
