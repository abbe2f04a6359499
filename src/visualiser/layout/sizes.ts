/** Purpose: the measures of the drawings, px. Text is measured by rule, so that a drawing is the same on every machine. */
export const SIZES = {
  stateWidth: 92,
  stateHeight: 34,
  labelLine: 14,
  shelfWidth: 680,
  shelfGap: 14,
  margin: 14,
  titleHeight: 34,
} as const;

/** Width of one character. */
export const ADVANCE = { state: 7.3, label: 6.4 } as const;

export function textWidth(text: string, advance: number): number {
  return Math.ceil(text.length * advance);
}
