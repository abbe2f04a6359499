/**
 * Says, after vitest's own summary, which suites did not run and how to have them, and which tests needed a second try.
 * Keeps true: a green run that left something out, or hung by a thread, never looks like a complete one.
 * Does not know what a suite needs beyond its file name and the notes in skipped titles.
 */
import { globSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestModule, TestSpecification, Vitest } from "vitest/node";

/** Stands in the title of a suite that was skipped because something is not installed. */
export const UNMET_NEED = "NOT RUN, needs";

/** File-name endings of the suites that `npm test` leaves out, with what brings them in. */
const KINDS = [
  { ending: ".server.test.ts", has: "suites that need servers", how: "npm run setup:services && npm run test:all" },
  { ending: ".browser.test.ts", has: "suites in Chromium", how: "npm run setup:services && npm run test:browser" },
  { ending: ".long.test.ts", has: "suites that take minutes", how: "npm run test:all" },
] as const;

export class LeftOutReporter implements Reporter {
  #root = process.cwd();
  #started = new Set<string>();

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root;
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    for (const { moduleId } of specifications) this.#started.add(relative(this.#root, moduleId));
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const notes = [
      ...headed("LEFT OUT of this run:", [...this.#unmetNeeds(modules), ...this.#filesNotStarted()]),
      ...headed("PASSED ONLY WHEN TRIED AGAIN:", this.#triedTwice(modules)),
    ];
    if (notes.length === 0) return;
    // The last line of a run says how it ended, whatever was noted.
    const count = (state: "passed" | "failed"): number =>
      modules.flatMap((module) => [...module.children.allTests(state)]).length;
    process.stdout.write([...notes, "", ` ${count("passed")} passed, ${count("failed")} failed`, ""].join("\n"));
  }

  #filesNotStarted(): string[] {
    const waiting = globSync("test/**/*.test.ts", { cwd: this.#root }).filter((file) => !this.#started.has(file));
    const ofKind = (ending: string): string[] => waiting.filter((file) => file.endsWith(ending)).sort();
    const kinds = KINDS.map((kind) => ({ ...kind, files: ofKind(kind.ending) })).filter(
      ({ files }) => files.length > 0,
    );
    // Where plain suites wait too, somebody chose the files of this run and knows that it is a part.
    if (kinds.flatMap(({ files }) => files).length < waiting.length) return [];
    return kinds.flatMap(({ has, how, files }) => [
      `   ${has} — to have them: ${how}`,
      ...files.map((file) => `     ${file}`),
    ]);
  }

  #unmetNeeds(modules: readonly TestModule[]): string[] {
    return modules.flatMap((module) =>
      [...module.children.allSuites()]
        .filter((suite) => suite.name.includes(UNMET_NEED))
        .map((suite) => `   ${suite.fullName}   (${relative(this.#root, module.moduleId)})`),
    );
  }

  #triedTwice(modules: readonly TestModule[]): string[] {
    return modules.flatMap((module) =>
      [...module.children.allTests("passed")]
        .filter((one) => (one.diagnostic()?.retryCount ?? 0) > 0)
        .map((one) => `   ${one.fullName}   (${relative(this.#root, module.moduleId)})`),
    );
  }
}

function headed(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", ` ${title}`, ...lines];
}
