/**
 * A value that moves over time: where it starts, where it ends, since when, how long.
 * A ramp itself never moves. The position is a function of the instant that is asked for, so a state that
 * holds a ramp is the same on both engines and in every snapshot, whenever it was taken.
 */
import Type, { type Static } from "typebox";

/** How a position follows time. */
export const Easing = Type.Union([Type.Literal("linear"), Type.Literal("smoothstep")]);
export type Easing = Static<typeof Easing>;

/** When something moves, and how. `startedAtUs` in unix µs. */
export const Timing = Type.Object({ startedAtUs: Type.Integer(), durationMs: Type.Number(), easing: Easing });
export type Timing = Static<typeof Timing>;

/** A number on its way. */
export const Ramp = Type.Object({ from: Type.Number(), to: Type.Number(), timing: Timing });
export type Ramp = Static<typeof Ramp>;

/** The instant, unix µs, at which the movement is complete. */
export function endsAtUs(timing: Timing): number {
  return timing.startedAtUs + Math.round(timing.durationMs * 1_000);
}

/** How far the movement is at `atUs`: 0 before it, 1 after it. Smoothstep is the cubic 3t² − 2t³. */
export function progress(timing: Timing, atUs: number): number {
  if (atUs >= endsAtUs(timing)) return 1;
  if (atUs <= timing.startedAtUs) return 0;
  const linear = (atUs - timing.startedAtUs) / (timing.durationMs * 1_000);
  return timing.easing === "linear" ? linear : linear * linear * (3 - 2 * linear);
}

/** The number between `from` and `to` at progress `done` of 0 to 1. */
export function between(from: number, to: number, done: number): number {
  return done >= 1 ? to : from + (to - from) * done;
}

/** Where the ramp stands at `atUs`. */
export function rampAt(ramp: Ramp, atUs: number): number {
  return between(ramp.from, ramp.to, progress(ramp.timing, atUs));
}
