/** The mistakes that `npm run sim -- --mutants` makes can be made in the sources as they stand. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MUTANTS } from "../../src/simulation/mutants.ts";

test("the old text of each mistake stands in its file exactly once", () => {
  const outOfDate = MUTANTS.filter(({ file, from }) => readFileSync(file, "utf8").split(from).length !== 2);
  expect(outOfDate.map(({ name, file }) => `${file}: ${name}`)).toEqual([]);
});
