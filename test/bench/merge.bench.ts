/**
 * A million operations of four places merged into one store, page by page: what the process holds after every tenth of
 * them. Memory is flat when the last tenth holds no more than the first.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MergeSample } from "./merge-process.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const MERGING = join(import.meta.dirname, "merge-process.ts");

export async function benchMerge(scale: Scale): Promise<BenchResult[]> {
  const count = amount(scale, 1_000_000, 50_000);
  const folder = mkdtempSync(join(tmpdir(), "changeover-bench-"));
  const merging = fork(MERGING, [folder, String(count)], { execArgv: ["--expose-gc"] });
  try {
    const [samples] = (await once(merging, "message")) as [readonly MergeSample[]];
    const name = `${count} operations merged`;
    const goal = "flat";
    const memory = (what: keyof MergeSample): readonly number[] => samples.map((sample) => sample[what]);
    return [
      perTenth(`${name}, each tenth`, samples),
      benchRow({ name: `${name}: resident memory`, unit: "MiB", samples: memory("rssMiB"), yardstick: null, goal }),
      benchRow({ name: `${name}: live heap`, unit: "MiB", samples: memory("heapMiB"), yardstick: null, goal }),
      grown(`${name}: resident memory more at the last tenth than at the first`, memory("rssMiB")),
      grown(`${name}: live heap more at the last tenth than at the first`, memory("heapMiB")),
    ];
  } finally {
    merging.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function perTenth(name: string, samples: readonly MergeSample[]): BenchResult {
  const tookMs = samples.map(({ tookMs }, tenth) => tookMs - (samples[tenth - 1]?.tookMs ?? 0));
  return benchRow({ name, unit: "ms", samples: tookMs, yardstick: null, goal: "the last as fast as the first" });
}

function grown(name: string, [first = 0, ...others]: readonly number[]): BenchResult {
  const samples = [(others.at(-1) ?? first) - first];
  return benchRow({ name, unit: "MiB", samples, yardstick: null, goal: "flat" });
}
