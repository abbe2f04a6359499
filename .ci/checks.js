/**
 * The checks that read the sources and run nothing of them, two at a time: each keeps one core busy. What a check says is
 * printed when it ends, so that no two mix; all of them run, and one that fails fails the whole.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** The longest first. */
const waiting = ["lint", "types", "format:check", "unused"];
const LANES = 2;
const failed = [];

async function run(check) {
  const child = spawn("npm", ["run", check], { stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => void said.push(piece));
  const [code] = await once(child, "close");
  for (const piece of said) process.stdout.write(piece);
  if (code !== 0) failed.push(check);
}

async function lane() {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) await run(check);
}

await Promise.all(Array.from({ length: LANES }, lane));
if (failed.length > 0) {
  process.stderr.write(`failed: ${failed.join(", ")}\n`);
  process.exitCode = 1;
}
