/** What was measured, as a table, and whether the whole of it is good. */
import { columns } from "../output.ts";
import type { Account } from "./account.ts";

/** One thing that was done to the pair, and how long its answer took. */
export interface Measured {
  readonly what: string;
  readonly ms: number;
  readonly note: string;
}

/** The table as lines. */
export function measuredLines(measured: readonly Measured[]): string[] {
  const rows = measured.map(({ what, ms, note }) => [what, `${ms.toFixed(1)} ms`.padStart(11), note]);
  return columns([["what", "measured".padStart(11), ""], ...rows]);
}

/** What became of the commands, as lines. */
export function accountLines(account: Account): string[] {
  const { acknowledged, lost, conflicts, doubled, firstDifference, checksums } = account;
  return [
    `${acknowledged} commands acknowledged, ${conflicts} of them kept as conflicts of the split`,
    `${lost.length} acknowledged commands lost`,
    ...lost.map(({ epoch, seq, kind }) => `  lost: ${epoch}/${seq} ${kind}`),
    `${doubled} commands doubled`,
    firstDifference === null ? "logs equal" : `logs DIFFER: ${firstDifference}`,
    checksums.a === checksums.b ? `checksums equal: ${checksums.a}` : `checksums DIFFER: ${checksums.a} ${checksums.b}`,
  ];
}

/** Whether nothing was lost, nothing doubled, and both ended equal. */
export function isGood({ lost, doubled, firstDifference, checksums }: Account): boolean {
  return (
    lost.length === 0 &&
    doubled === 0 &&
    firstDifference === null &&
    checksums.a === checksums.b &&
    checksums.a !== "none"
  );
}
