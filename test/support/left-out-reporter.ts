/**
 * Says, after vitest's own summary, which suites did not run and how to have them.
 * Keeps true: a green run that left something out never looks like a complete one.
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
  #filtered = false;
  #started = new Set<string>();

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root;
    // A run of chosen files or titles says itself what it leaves out.
    this.#filtered = (vitest.filenamePattern?.length ?? 0) > 0 || vitest.config.testNamePattern !== undefined;
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    for (const { moduleId } of specifications) this.#started.add(relative(this.#root, moduleId));
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = [...this.#unmetNeeds(modules), ...(this.#filtered ? [] : this.#filesNotStarted())];
    if (lines.length > 0) process.stdout.write(["", " LEFT OUT of this run:", ...lines, "", ""].join("\n"));
  }

  #filesNotStarted(): string[] {
    return KINDS.flatMap(({ ending, has, how }) => {
      const files = globSync(`test/**/*${ending}`, { cwd: this.#root }).filter((file) => !this.#started.has(file));
      if (files.length === 0) return [];
      return [`   ${has} — to have them: ${how}`, ...files.sort().map((file) => `     ${file}`)];
    });
  }

  #unmetNeeds(modules: readonly TestModule[]): string[] {
    return modules.flatMap((module) =>
      [...module.children.allSuites()]
        .filter((suite) => suite.name.includes(UNMET_NEED))
        .map((suite) => `   ${suite.fullName}   (${relative(this.#root, module.moduleId)})`),
    );
  }
}
