#!/usr/bin/env node
/**
 * Purpose: the launcher. Looks at the version of Node before anything else is loaded, because a native part of the
 * program crashes on an old one instead of saying why.
 * Keeps true: only what every Node has is imported at the top; the program itself comes in after the check.
 * Does not restart itself under another Node: a process that holds a role must be the one that signals reach.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeAdvice } from "../core/node-version.ts";
import { holdYoungGeneration } from "./young-generation.ts";

const advice = nodeAdvice(process.versions.node, findOwnNode());
if (advice === null) {
  holdYoungGeneration();
  const { run } = await import("./program.ts");
  process.exitCode = await run(process.argv, fileURLToPath(import.meta.url));
} else {
  process.stderr.write(`changeover: ${advice}\n`);
  process.exitCode = 2;
}

/** The Node that the project brings for its own development, where this file stands in a clone of it. */
function findOwnNode(): string | null {
  const above = ["../..", "../../.."].map((up) => fileURLToPath(new URL(up, import.meta.url)));
  return above.map((root) => join(root, "node_modules/node/bin/node")).find((path) => existsSync(path)) ?? null;
}
