/**
 * npm runs this when it installs the package: compiles `fast-death.c` where it can be of use and a C compiler is there.
 * The package works without it, so nothing that goes wrong here ends the installation; `changeover doctor` says what came of it.
 * Plain JavaScript, because Node strips no types inside `node_modules`.
 */
import { spawnSync } from "node:child_process";
import { renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";

const BUILT = fileURLToPath(new URL("fast-death.node", import.meta.url));
const SOURCE = fileURLToPath(new URL("fast-death.c", import.meta.url));

function compile() {
  if (process.platform !== "linux") return "it is for Linux only";
  const require = createRequire(import.meta.url);
  const { include_dir: headers } = require("node-api-headers");
  const compiler = process.env.CC ?? "cc";
  // A file that an engine has loaded is replaced, not overwritten: the engine keeps the old one.
  const fresh = `${BUILT}.${process.pid}`;
  const options = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"];
  const { status, error, stderr } = spawnSync(compiler, [...options, "-I", headers, SOURCE, "-o", fresh], {
    encoding: "utf8",
  });
  if (status === 0) {
    renameSync(fresh, BUILT);
    return null;
  }
  rmSync(fresh, { force: true });
  return error === undefined ? stderr.trim() : `no C compiler (${compiler}: ${error.message})`;
}

let why;
try {
  why = compile();
} catch (error) {
  why = error instanceof Error ? error.message : String(error);
}
if (why !== null) process.stdout.write(`changeover: failover.fastDeath is left out, all else works: ${why}\n`);
