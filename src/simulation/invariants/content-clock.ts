/**
 * I15: no store's clock is above its content [SB6]. Judged after every write, from what engines have appended under their
 * own names and from the shape of the log: one epoch has one owner, so that the shape says which commands a log holds,
 * also those that were compacted away.
 */
import type { LogShape } from "../../core/fork.ts";
import type { Label } from "../../core/ids.ts";
import { counterOf, type VectorClock } from "../../core/vector-clock.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Writes of the store that touch the log, its clock or what is kept beside it. */
const MOVES_THE_LOG: ReadonlySet<string> = new Set(["append", "adopt", "saveConflicts", "saveCheckpoint", "compact"]);

interface Origin {
  readonly origin: string;
  readonly originSeq: number;
}

export function contentClock(world: World): Watch {
  /** By `epoch/seq`. */
  const written = new Map<string, Origin>();
  const judge = (label: Label, what: string, clock: VectorClock, shape: LogShape): void => {
    const held = clockOf(shape, written);
    if (held === null) return;
    for (const [origin, seq] of Object.entries(clock)) {
      const most = counterOf(held, origin);
      if (seq > most)
        world.violate("I15", `${what} of ${label} counts ${seq} commands of ${origin}, its log holds ${most}`);
    }
  };
  const look = (label: Label): void => {
    const { disk, ports } = world.processes[label];
    if (disk.content === null) return;
    judge(label, "the stored clock", disk.content.clock, disk.content.shape);
    const told = ports?.given.store.positions();
    if (told !== undefined) judge(label, "the clock", told.clock, disk.content.shape);
  };
  return {
    appended: (_label, commands) => {
      for (const { epoch, seq, origin, originSeq } of commands) written.set(`${epoch}/${seq}`, { origin, originSeq });
    },
    wrote: (label, method) => {
      if (MOVES_THE_LOG.has(method)) look(label);
    },
    booted: look,
  };
}

/** What a log of this shape holds; null where it shows commands that no engine wrote: a tool has posted them. */
function clockOf(shape: LogShape, written: ReadonlyMap<string, Origin>): VectorClock | null {
  const clock: Record<string, number> = {};
  for (const { epoch, to } of shape) {
    const last = written.get(`${epoch}/${to}`);
    if (last === undefined) return null;
    clock[last.origin] = Math.max(counterOf(clock, last.origin), last.originSeq);
  }
  return clock;
}
