/**
 * Purpose: the one true time of the virtual world and everything that is still to happen in it.
 * Keeps true: things happen in the order of (time, order of scheduling), so that one seed gives one history.
 * Does not know: processes, clocks that drift, or what an event does.
 */

/** Where an event belongs: a timer of a process, something from outside that reaches a process, or the world itself. */
export type EventKind = "timer" | "arrival" | "world";

/** One life of one process: an event of a life that has ended never runs. */
export interface Life {
  alive: boolean;
  paused: boolean;
  /** What fell due while the process was frozen. */
  readonly backlog: Scheduled[];
}

/** Something that will happen. */
export interface Scheduled {
  readonly atMs: number;
  readonly sequence: number;
  readonly kind: EventKind;
  readonly life: Life | null;
  /** `null` once it was cancelled or has run. */
  run: (() => void) | null;
}

/** A binary heap over (atMs, sequence). */
export class Scheduler {
  #heap: Scheduled[] = [];
  #sequence = 0;
  #nowMs = 0;

  /** True time, ms since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Calls `run` at `atMs` (or now, when that has passed), in the world or in one life of a process. */
  at(atMs: number, run: () => void, life: Life | null = null, kind: EventKind = "world"): Scheduled {
    this.#sequence += 1;
    const event = { atMs: Math.max(atMs, this.#nowMs), sequence: this.#sequence, kind, life, run };
    this.#heap.push(event);
    this.#rise(this.#heap.length - 1);
    return event;
  }

  /** As `at`, `delayMs` from now. */
  after(delayMs: number, run: () => void, life: Life | null = null, kind: EventKind = "world"): Scheduled {
    return this.at(this.#nowMs + delayMs, run, life, kind);
  }

  /** Lets `run` reach a process now: at once, when it wakes, or never, when it is dead. */
  enter(life: Life, kind: EventKind, run: () => void): void {
    if (!life.alive) return;
    if (!life.paused) return run();
    this.#sequence += 1;
    life.backlog.push({ atMs: this.#nowMs, sequence: this.#sequence, kind, life, run });
  }

  /** Takes the next event that is due by `untilMs` and moves true time to it; `null` when there is none. */
  take(untilMs: number): Scheduled | null {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.atMs > untilMs) return null;
      this.#dropFirst();
      if (first.run === null || first.life?.alive === false) continue;
      this.#nowMs = first.atMs;
      return first;
    }
  }

  /** Moves true time on when nothing is due before `atMs`. */
  advanceTo(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  #dropFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(start: number): void {
    const heap = this.#heap;
    let index = start;
    const event = heap[index] as Scheduled;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Scheduled;
      if (!isBefore(event, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  #sink(start: number): void {
    const heap = this.#heap;
    const event = heap[start] as Scheduled;
    let index = start;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= heap.length) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && isBefore(right, heap[childIndex] as Scheduled)) childIndex += 1;
      const child = heap[childIndex] as Scheduled;
      if (!isBefore(child, event)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = event;
  }
}

function isBefore(left: Scheduled, right: Scheduled): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.sequence < right.sequence);
}
