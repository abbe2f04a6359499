/**
 * Drops the operations that no field needs any more, in small steps, so that no step holds up the loop.
 * It walks the log once in the order of arrival. Later it looks only at what has come since, and at what stopped standing on
 * its field meanwhile. Keeps true: a floor counts an operation only once everything of its origin below it was walked, or is
 * under the floor already. What was noted is in memory: after a restart, or a transaction that was undone, the walk begins
 * again.
 */
import { counterOf, leastClock, type VectorClock } from "../core/vector-clock.ts";
import type { Compacted, CompactionFloor } from "../ports/replica.ts";

/** One operation of the log, as far as compaction looks at it. */
export interface LookedAt {
  readonly origin: string;
  readonly originSeq: number;
  readonly arrival: string;
  /** Whether it stands on its field, or is one side of a conflict there. */
  readonly stands: boolean;
  /** Whether what stands there is not counted by the vector yet. */
  readonly waits: boolean;
}

/** The log, as the store that keeps it gives it. */
export interface CompactedLog {
  /** Arrivals after `after` and through `through`, in order. */
  next(after: string, through: string, limit: number): readonly LookedAt[];
  find(origin: string, originSeq: number): LookedAt | null;
  drop(gone: readonly LookedAt[]): void;
  floor(): CompactionFloor | null;
  /** The vector. */
  held(): VectorClock;
  raiseFloor(floor: CompactionFloor): void;
}

/** Operations that are remembered beside the walk; beyond that it begins again. */
const MOST_NOTED = 50_000;

interface Place {
  readonly origin: string;
  readonly originSeq: number;
}

/** How far the walk has come. */
interface Walk {
  /** Through this arrival every operation was looked at. */
  looked: string;
  /** Per origin, through here everything was walked or is under the floor. */
  readonly counted: Map<string, number>;
  /** To look at: stood before the walk came by and stands no more, or could not go in an earlier run. */
  readonly noted: Map<string, Place>;
  /** Could not go in this run. */
  readonly kept: Map<string, Place>;
  running: boolean;
}

function beginning(): Walk {
  return { looked: "", counted: new Map(), noted: new Map(), kept: new Map(), running: false };
}

export class OpCompaction {
  readonly #log: CompactedLog;
  #walk = beginning();

  constructor(log: CompactedLog) {
    this.#log = log;
  }

  /** After a transaction was undone, or operations were withdrawn. */
  beginAgain(): void {
    this.#walk = beginning();
  }

  /** The heads of a field were `before`, and are `now`. */
  moved(before: Iterable<Place>, now: readonly Place[]): void {
    const { noted, looked } = this.#walk;
    // Everything is walked still.
    if (looked === "") return;
    for (const { origin, originSeq } of before) {
      if (now.some((one) => one.origin === origin && one.originSeq === originSeq)) continue;
      noted.set(`${origin}/${originSeq}`, { origin, originSeq });
    }
    if (noted.size > MOST_NOTED) this.beginAgain();
  }

  /** One step of a run through the arrival `through`. See `OpLog.compact`. */
  step(through: string, limit: number): Compacted {
    const walk = this.#walk;
    const known = { floor: this.#log.floor(), held: this.#log.held(), through };
    if (!walk.running) {
      for (const [key, one] of walk.kept) walk.noted.set(key, one);
      walk.kept.clear();
      walk.running = true;
    }
    const gone: LookedAt[] = [];
    let looked = 0;
    for (const [key, { origin, originSeq }] of walk.noted) {
      if (looked >= limit) break;
      looked += 1;
      walk.noted.delete(key);
      const one = this.#log.find(origin, originSeq);
      // What has arrived behind the walk is met by it.
      if (one !== null && one.arrival <= walk.looked) this.#judge(one, known, gone);
    }
    const room = limit - looked;
    if (room > 0 && walk.looked < through) {
      const next = this.#log.next(walk.looked, through, room);
      for (const one of next) this.#judge(one, known, gone);
      looked += next.length;
      walk.looked = next.length < room ? through : (next.at(-1)?.arrival ?? through);
    }
    walk.running = walk.noted.size > 0 || walk.looked < through;
    if (gone.length > 0) {
      this.#log.drop(gone);
      this.#log.raiseFloor({ through: walk.looked, clock: leastClock(Object.fromEntries(walk.counted), known.held) });
    }
    return { dropped: gone.length, looked, more: walk.running };
  }

  #judge(
    one: LookedAt,
    {
      floor,
      held,
      through,
    }: { readonly floor: CompactionFloor | null; readonly held: VectorClock; readonly through: string },
    gone: LookedAt[],
  ): void {
    const { counted, kept } = this.#walk;
    const { origin, originSeq, arrival, stands, waits } = one;
    const reached = Math.max(counted.get(origin) ?? 0, counterOf(floor?.clock ?? {}, origin));
    const isCounted = originSeq <= reached + 1;
    if (isCounted) counted.set(origin, Math.max(reached, originSeq));
    const mayGo = isCounted && !waits && originSeq <= counterOf(held, origin) && arrival <= through;
    if (!stands && mayGo) gone.push(one);
    else if (!stands || !isCounted) kept.set(`${origin}/${originSeq}`, { origin, originSeq });
  }
}
