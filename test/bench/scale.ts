/** How much is measured: everything, or just enough to see that a benchmark works. */
export interface Scale {
  readonly quick: boolean;
  /** How long false take-overs are watched for, minutes. */
  readonly minutes: number;
}

/** The full amount, or the small one. */
export function amount(scale: Scale, full: number, quick: number): number {
  return scale.quick ? quick : full;
}
