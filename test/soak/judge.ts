/**
 * Whether a series stays flat. Pure, so that a test can give it a leak and see that it is found.
 *
 * The rule: the first third of the run is warm-up and does not count. Of the rest, the level of the last third is compared
 * with the level of the first third. The growth between the two must be within `growth` + `share` of the first level, plus
 * what the configured retention may still fill. The bound is the same for every length of a run, so a longer run finds a
 * slower leak.
 */
import { quantile } from "../bench/rows.ts";

/** Seconds since the beginning, and the value. */
export type Point = readonly [atSec: number, value: number];

export interface FlatRule {
  /** Growth that is no leak, in the unit of the series. */
  readonly growth: number;
  /** The same as a share of the first level; the two are added. */
  readonly share: number;
  /** Which quantile of a part is its level: 0.5 unless said; lower where garbage collection makes a saw of it. */
  readonly level?: number;
  /** No level may be above it. */
  readonly most?: number;
  /** Points that a part needs to be judged; with fewer the series is only drawn where `optional`. */
  readonly optional?: boolean;
}

export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly Point[];
  readonly rule: FlatRule;
}

export interface Verdict {
  readonly name: string;
  readonly unit: string;
  /** Null: too few points. */
  readonly first: number | null;
  readonly last: number | null;
  readonly bound: number;
  readonly isFlat: boolean;
  /** Empty where it is flat. */
  readonly why: string;
}

const WARM_UP_SHARE = 1 / 3;
const LEAST_POINTS = 5;

/** From when a run of this length is judged, seconds. */
export function warmUpSec(lastsSec: number): number {
  return lastsSec * WARM_UP_SHARE;
}

/** @param allowance what the configured retention may still fill after the warm-up, in the unit of the series */
export function judge({ name, unit, points, rule }: Series, lastsSec: number, allowance = 0): Verdict {
  const sinceSec = warmUpSec(lastsSec);
  const partSec = (lastsSec - sinceSec) / 3;
  const first = levelOf(points, sinceSec, sinceSec + partSec, rule.level);
  const last = levelOf(points, lastsSec - partSec, Infinity, rule.level);
  if (first === null || last === null) {
    const why = rule.optional ? "" : `fewer than ${LEAST_POINTS} samples in the first or the last part`;
    return { name, unit, first, last, bound: NaN, isFlat: why === "", why };
  }
  const bound = rule.growth + rule.share * first + allowance;
  const growth = last - first;
  const whys = [
    ...(growth > bound ? [`grew by ${tidy(growth)} ${unit}, at most ${tidy(bound)}`] : []),
    ...(last > (rule.most ?? Infinity) ? [`is ${tidy(last)} ${unit}, at most ${tidy(rule.most ?? Infinity)}`] : []),
  ];
  return { name, unit, first, last, bound, isFlat: whys.length === 0, why: whys.join("; ") };
}

function levelOf(points: readonly Point[], fromSec: number, untilSec: number, level = 0.5): number | null {
  const values = points.filter(([atSec]) => atSec >= fromSec && atSec < untilSec).map(([, value]) => value);
  return values.length < LEAST_POINTS
    ? null
    : quantile(
        values.sort((a, b) => a - b),
        level,
      );
}

export function tidy(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
