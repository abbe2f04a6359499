/**
 * Where a process spent its time, from a profile of `--cpu-prof`: `node self-times.ts FILE.cpuprofile [FUNCTION] [COUNT]`.
 * Prints the functions with the most time of their own; with FUNCTION only what ran within a function of that name. Time of
 * native code (SQLite, JSON, hashes) counts for the function that called it.
 */
import { readFileSync } from "node:fs";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const [file = "", within = "", count = "15"] = process.argv.slice(2);
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8")) as Profile;
const byId = new Map(nodes.map((node) => [node.id, node]));
/** Ids of what ran within the function. Parents come before their children. */
const inside = new Set<number>();
for (const { id, callFrame, children = [] } of nodes) {
  if (within === "" || callFrame.functionName === within) inside.add(id);
  if (inside.has(id)) for (const child of children) inside.add(child);
}

const selfUs = new Map<string, number>();
let totalUs = 0;
samples.forEach((id, index) => {
  const { functionName = "", url = "", lineNumber = 0 } = byId.get(id)?.callFrame ?? {};
  if (!inside.has(id) || functionName === "(idle)") return;
  const place = url === "" ? "native" : `${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`;
  const name = `${functionName === "" ? "(anonymous)" : functionName} ${place}`;
  const tookUs = timeDeltas[index] ?? 0;
  totalUs += tookUs;
  selfUs.set(name, (selfUs.get(name) ?? 0) + tookUs);
});

console.log(`${(totalUs / 1_000).toFixed(0)} ms${within === "" ? "" : ` within ${within}`}`);
const most = [...selfUs].sort(([, left], [, right]) => right - left).slice(0, Number(count));
for (const [name, tookUs] of most) {
  console.log(
    `${((100 * tookUs) / totalUs).toFixed(1).padStart(5)} % ${(tookUs / 1_000).toFixed(1).padStart(8)} ms  ${name}`,
  );
}
