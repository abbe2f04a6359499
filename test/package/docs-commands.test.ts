/**
 * Every `changeover` command and every `npm run` line in the documentation is one that exists, with options that exist: a
 * script's own parser reads what the page says. docs-executed.engines.test.ts executes the commands.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import { readOptions as readSimOptions } from "../../src/simulation/options.ts";
import { readOptions as readCampaignOptions } from "../campaign/options.ts";
import { readOptions as readSoakOptions } from "../soak/options.ts";

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

const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** Every `npm run` of a page: of its shell blocks and of its sentences. */
function scriptLines(page: string): { readonly script: string; readonly args: readonly string[] }[] {
  const runs = page.matchAll(/npm run (?:-s )?([a-z:]+)(?:\s+--\s+([^`#|&\n]*))?/g);
  return [...runs].map(([, script = "", args = ""]) => ({ script, args: args.match(/"[^"]*"|\S+/g) ?? [] }));
}

/** Who reads the words after `--`; what it returns is wrong with them, null: nothing. */
const READERS: Readonly<Record<string, (args: readonly string[]) => unknown>> = {
  sim: (args) => void readSimOptions(args),
  campaign: (args) => void readCampaignOptions(args),
  soak: (args) => void readSoakOptions(args),
  bench: askedForHelp("test/bench/main.ts"),
  engines: askedForHelp("test/campaign/engine-rounds.ts"),
  fuzz: askedForHelp("test/fuzz/main.ts"),
  changeover: (args) => fault(buildProgram("changeover"), args.join(" ")),
  demo: (args) => fault(buildProgram("changeover"), ["demo", ...args].join(" ")),
  "test:browser": ([name = ""]) =>
    readdirSync(join(ROOT, "test/browser")).some((file) => file.includes(name)) ? null : `no such test: ${name}`,
};

/** These read everything else before they look whether help was asked for, and then do nothing. */
function askedForHelp(file: string): (args: readonly string[]) => null {
  return (args) => {
    // A place holder of a sentence stands for a number.
    const given = args.map((word) => (word === "N" ? "1" : word));
    execFileSync(process.execPath, [join(ROOT, file), ...given, "--help"], { stdio: ["ignore", "ignore", "pipe"] });
    return null;
  };
}

/** What is wrong with a line; null: nothing. */
function scriptFault(script: string, args: readonly string[]): string | null {
  if (!Object.hasOwn(scripts, script)) return "no such script";
  if (args.length === 0) return null;
  const read = READERS[script];
  if (read === undefined) return "takes no options";
  try {
    const wrong = read(args);
    return typeof wrong === "string" ? wrong : null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test("a script that does not exist, an unknown option and a wrong value are found", { timeout: 90_000 }, () => {
  expect(scriptFault("simulate", [])).toBe("no such script");
  expect(scriptFault("verify", ["--quick"])).toBe("takes no options");
  expect(scriptFault("sim", ["--seed", "4"])).toContain("unknown option '--seed'");
  expect(scriptFault("campaign", ["--lanes", "9"])).toContain("--lanes 9: must be a whole number from 1 to 4");
  expect(scriptFault("bench", ["--only", "killl"])).toContain("--only killl: must be one of");
  expect(scriptFault("engines", ["--engine", "perl"])).toContain("--engine perl");
  expect(scriptFault("fuzz", ["--minutes", "0"])).toContain("usage: npm run fuzz");
  expect(scriptFault("demo", ["--script"])).toBe("no such option: --script");
  expect(scriptFault("changeover", ["machines", "reply", "x"])).toContain("needs one of");
});

test("every `npm run` line of the documentation is accepted by its script", { timeout: 180_000 }, () => {
  const pages = [
    ...["README.md", "CHANGELOG.md", "machines/SPEC.md"],
    ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" }).map((name) => `docs/${name}`),
    ...readdirSync(join(ROOT, "examples"), { recursive: true, encoding: "utf8" }).map((name) => `examples/${name}`),
  ].filter((name) => name.endsWith(".md"));
  const lines = new Map<string, { name: string; script: string; args: readonly string[] }>();
  for (const name of pages) {
    for (const { script, args } of scriptLines(readFileSync(join(ROOT, name), "utf8"))) {
      lines.set([script, ...args].join(" "), { name, script, args });
    }
  }
  expect(lines.size).toBeGreaterThan(30);
  // Each start of the benchmarks takes a second: all their lines are read at once.
  const isBench = ({ script, args }: { script: string; args: readonly string[] }): boolean =>
    script === "bench" && args.length > 0;
  const benches = [...lines.values()].filter(isBench);
  const all = { name: benches.map(({ name }) => name).join(), script: "bench", args: benches.flatMap((l) => l.args) };
  const wrong = [...[...lines.values()].filter((line) => !isBench(line)), all].flatMap(({ name, script, args }) => {
    const what = scriptFault(script, args);
    return what === null ? [] : [`${name}: npm run ${script} -- ${args.join(" ")}: ${what}`];
  });
  expect(wrong).toEqual([]);
});
