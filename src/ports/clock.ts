/** Purpose: time. One port for both clocks and for timers, so that it also serves XState and a simulated one serves all. */

/** Names a running timer; only the clock that gave it knows what it is. */
export type TimerHandle = object | number;

export interface Clock {
  /** The process's monotonic clock, ms with fraction. Decides everything; never steps; goes on while the process is frozen. */
  monoMs(): number;
  /** Wall clock, unix ms with fraction. Only for stamps that people and logs read, execution instants, and the HLC. */
  unixMs(): number;
  /** Calls `fn` once, not before `delayMs` ms have passed on the monotonic clock. */
  setTimeout(fn: () => void, delayMs: number): TimerHandle;
  /** Stops a timer; a timer that fired or was stopped is ignored. */
  clearTimeout(handle: TimerHandle): void;
  /** As `setTimeout`, but as close behind the instant `atMonoMs` as the platform permits (well below 1 ms), at some cost. */
  callAt(fn: () => void, atMonoMs: number): TimerHandle;
  /** Calls `fn` once the work that is already waiting has had its turn: for batching within one turn of the loop. */
  soon(fn: () => void): void;
}
