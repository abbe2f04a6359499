/** Purpose: what a fault is: plain data, and the way in which its kind works. */
import { ChangeoverError } from "../../core/errors.ts";
import type { Label } from "../../core/ids.ts";
import type { World } from "../world/world.ts";

/** One planned fault of any kind. */
export interface PlannedFault<Kind extends string = string> {
  readonly kind: Kind;
  readonly atMs: number;
  readonly forMs: number;
  readonly target: Label;
  /** A number of [0, 1) from which the kind takes whatever else it needs. */
  readonly amount: number;
}

/** How a kind of fault works. */
export interface FaultWork {
  /** How often it is chosen beside the others. */
  readonly weight: number;
  /** Shortest and longest duration, ms. */
  readonly lastsMs: readonly [number, number];
  begin(world: World, fault: PlannedFault): void;
  end(world: World, fault: PlannedFault): void;
}

/** A value of [low, high) that grows with the fault's amount. */
export function scaled(fault: PlannedFault, low: number, high: number): number {
  return low + (high - low) * fault.amount;
}

/** Another number of [0, 1), independent enough of the fault's amount for a second choice. */
export function secondAmount(fault: PlannedFault): number {
  return (fault.amount * 977) % 1;
}

/** The end of a fault that is over as soon as it has begun. */
export function nothingToEnd(): void {}

/** Whether it was done. A disk that is full or read-only refuses: then it was not. */
export function unlessRefused(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (!(error instanceof ChangeoverError)) throw error;
    return false;
  }
}

const QUIET_SHARE = 0.4;
const QUIET_MS = 1_500;

/**
 * In so many cases no panel sends a new command during a fault and for a while after it: the next command would hide what
 * the fault left undone.
 */
export function sometimesQuiet(world: World, fault: PlannedFault): void {
  if ((fault.amount * 613) % 1 < QUIET_SHARE) world.quietUntilMs = world.nowMs + fault.forMs + QUIET_MS;
}
