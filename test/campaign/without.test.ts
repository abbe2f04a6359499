/** Each repair can still be taken out of the sources, so that `--without` proves what it says. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { programWithout, REMOVALS, type Removal } from "./without.ts";

test.each(Object.keys(REMOVALS) as Removal[])("without %s: the copy is made and starts", (removal) => {
  const program = programWithout(removal);
  try {
    const { status, stderr } = spawnSync(process.execPath, [program, "engine", "--help"], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
  } finally {
    rmSync(join(dirname(program), "../.."), { recursive: true });
  }
});
