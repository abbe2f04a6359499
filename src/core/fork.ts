/**
 * The shape of a log, which is which epoch wrote which stretch of it, and the fork of two logs found from their
 * shapes alone.
 * Source: log matching, Ongaro & Ousterhout 2014 (Raft §5.3). One epoch has one owner, which gives each seq once; so two
 * logs that have the same epoch at a seq are the same up to it.
 * Runs are contiguous, their epochs rise. A shape may be cut at its old end.
 */
import { assert } from "./errors.ts";
import type { EpochRun } from "./command.ts";
import type { Epoch } from "./epoch.ts";

/** The shape of a log, oldest run first. */
export type LogShape = readonly EpochRun[];

/**
 * The last seq at which both logs agree on the epoch; 0 when there is none that both shapes show. What follows it in
 * either log is divergent.
 */
export function findFork(a: LogShape, b: LogShape): number {
  let left = a.length - 1;
  let right = b.length - 1;
  while (left >= 0 && right >= 0) {
    const ours = a[left] as EpochRun;
    const theirs = b[right] as EpochRun;
    const lastShared = Math.min(ours.to, theirs.to);
    if (ours.epoch === theirs.epoch && lastShared >= Math.max(ours.from, theirs.from)) return lastShared;
    if (ours.from >= theirs.from) left -= 1;
    else right -= 1;
  }
  return 0;
}

/** `shape` with the stretch `from` to `to`, written under `epoch`, behind its end. */
export function appendToShape(shape: LogShape, epoch: Epoch, from: number, to: number = from): LogShape {
  const last = shape.at(-1);
  assert(to >= from, `a run goes from ${from} to ${to}`);
  if (last === undefined) return [{ epoch, from, to }];
  assert(from === last.to + 1, `seq ${from} follows ${last.to}`);
  assert(epoch >= last.epoch, `epoch ${epoch} is not below ${last.epoch}, which wrote before it`);
  if (epoch === last.epoch) return [...shape.slice(0, -1), { epoch, from: last.from, to }];
  return [...shape, { epoch, from, to }];
}

/** `shape` without everything after `throughSeq`. */
export function cutShape(shape: LogShape, throughSeq: number): LogShape {
  return shape
    .filter((run) => run.from <= throughSeq)
    .map((run) => (run.to <= throughSeq ? run : { ...run, to: throughSeq }));
}

/** The epoch that wrote `seq`; `null` where the shape does not show it. */
export function epochAt(shape: LogShape, seq: number): Epoch | null {
  return shape.findLast((run) => run.from <= seq && seq <= run.to)?.epoch ?? null;
}
