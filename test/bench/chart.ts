/** Draws lines over a plane as SVG, plain enough to be read in any browser, light or dark. */

export interface Chart {
  readonly title: string;
  /** What the axes show, with their units. */
  readonly x: string;
  readonly y: string;
  /** Points of each line by its name, x ascending. */
  readonly lines: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

const WIDTH = 720;
const HEIGHT = 360;
const MARGIN = { left: 64, right: 16, top: 40, bottom: 64 };
const INNER_WIDTH = WIDTH - MARGIN.left - MARGIN.right;
const INNER_HEIGHT = HEIGHT - MARGIN.top - MARGIN.bottom;
const COLOURS = ["#2a6fdb", "#d1622b", "#3a8f4d", "#8a4fbf"];
const STEPS = 5;

/** The chart as a whole SVG document. Both axes begin at 0. */
export function drawChart({ title, x, y, lines }: Chart): string {
  const points = Object.values(lines).flat();
  const maxX = roundUp(Math.max(...points.map(([atX]) => atX)));
  const maxY = roundUp(Math.max(...points.map(([, atY]) => atY)));
  const toX = (value: number): string => (MARGIN.left + (value / maxX) * INNER_WIDTH).toFixed(1);
  const toY = (value: number): string => (MARGIN.top + INNER_HEIGHT - (value / maxY) * INNER_HEIGHT).toFixed(1);
  const steps = Array.from({ length: STEPS + 1 }, (_, step) => step / STEPS);
  const parts = [
    `<text x="${MARGIN.left}" y="22" font-size="16">${title}, ${y}</text>`,
    ...steps.flatMap((step) => [
      `<path d="M${toX(0)} ${toY(step * maxY)}H${toX(maxX)}" stroke="#8885"/>`,
      label(Number(toX(0)) - 8, Number(toY(step * maxY)) + 4, "end", tidy(step * maxY)),
      label(Number(toX(step * maxX)), HEIGHT - MARGIN.bottom + 18, "middle", tidy(step * maxX)),
    ]),
    label(WIDTH - MARGIN.right, HEIGHT - 28, "end", x),
    ...Object.entries(lines).flatMap(([name, line], index) => {
      const colour = COLOURS[index % COLOURS.length] ?? "#2a6fdb";
      const path = line.map(([atX, atY]) => `${toX(atX)} ${toY(atY)}`).join("L");
      const legendX = MARGIN.left + index * 210;
      return [
        `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        `<path d="M${legendX} ${HEIGHT - 14}h20" stroke="${colour}" stroke-width="2"/>`,
        label(legendX + 26, HEIGHT - 10, "start", name),
      ];
    }),
  ];
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" fill="#888">`;
  return `${[head, ...parts].join("\n")}\n</svg>\n`;
}

function label(x: number, y: number, anchor: string, text: string): string {
  return `<text x="${x}" y="${y}" font-size="12" text-anchor="${anchor}">${text}</text>`;
}

/** The next number of the form 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

function tidy(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-GB");
}
