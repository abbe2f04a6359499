/** Reads what an engine wrote down of its executions (`journal-engine-process.ts`). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Label } from "../../src/core/ids.ts";
import type { RealPair } from "./real-pair.ts";

/** Started in the place of `changeover engine`. */
export const JOURNAL_ENGINE = fileURLToPath(new URL("journal-engine-process.ts", import.meta.url));

export interface Execution {
  readonly epoch: number;
  readonly seq: number;
  readonly kind: string;
  /** The machine's monotonic clock. */
  readonly atMs: number;
  /** Process id. */
  readonly process: number;
}

/** Every execution of one engine, in its order, over all of its processes. */
export function executionsOf(pair: RealPair, label: Label): Execution[] {
  const text = readFileSync(join(pair.folder, label, "executed.jsonl"), "utf8");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Execution]));
}

/** Executions that a process made again, or out of order. */
export function disorder(executions: readonly Execution[]): Execution[] {
  const lastSeq = new Map<number, number>();
  return executions.filter(({ process: by, seq }) => {
    const isLate = seq <= (lastSeq.get(by) ?? 0);
    lastSeq.set(by, seq);
    return isLate;
  });
}

/** Now, on the clock of the journals. */
export function journalNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
