/**
 * A placed statechart as SVG.
 * Every state and every transition is an element of its own with its id, so that it can be lit; the drawing
 * stands alone (light and dark), and without its `<style>` takes the colours of the page that holds it.
 */
import { stateId, type Hop } from "./graph.ts";
import {
  labelOf,
  type Placed,
  type PlacedArrow,
  type PlacedBox,
  type Point,
  ADVANCE,
  SIZES,
  textWidth,
} from "./place.ts";

const CORNER = 6;
const TIP = 6;

/** @param parent the chart that starts this one; null: none does */
export function drawSvg(placed: Placed, parent: string | null): string {
  const { chart } = placed;
  const footer = chart.everywhere;
  const widestFooter = Math.max(0, ...footer.map((hop) => textWidth(everywhereText(hop), ADVANCE.label)));
  const width = Math.ceil(Math.max(placed.width, widestFooter) + SIZES.margin * 2);
  const footerHeight = footer.length === 0 ? 0 : footer.length * SIZES.labelLine + 10;
  const height = Math.ceil(placed.height + SIZES.titleHeight + footerHeight + SIZES.margin);
  const title = `${chart.machine}--title`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="${title}" data-machine="${chart.machine}"${parent === null ? "" : ` data-parent="${parent}"`}>`,
    `<title id="${title}">Statechart ${chart.machine}</title>`,
    `<style>${STYLE}</style>`,
    `<rect id="${chart.machine}" class="frame" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="12"/>`,
    `<text class="title" x="${SIZES.margin}" y="22">${chart.machine}</text>`,
    `<g transform="translate(${SIZES.margin} ${SIZES.titleHeight})">`,
    ...placed.boxes.map((box) => drawBox(chart.machine, box)),
    ...placed.dots.map(({ x, y }) => `<circle class="start" cx="${n(x)}" cy="${n(y)}" r="4"/>`),
    ...placed.arrows.map(drawArrow),
    `</g>`,
    ...footer.map((hop, at) => drawEverywhere(hop, height - footerHeight + at * SIZES.labelLine + 6)),
    `</svg>`,
    "",
  ].join("\n");
}

function drawBox(machine: string, { box, x, y, width, height }: PlacedBox): string {
  const isLeaf = box.children.length === 0;
  const kind = isLeaf ? "leaf" : "group";
  const rect = `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${isLeaf ? 8 : 10}"/>`;
  const name = isLeaf
    ? `<text x="${n(x + width / 2)}" y="${n(y + height / 2 + 4.5)}" text-anchor="middle">${box.name}</text>`
    : `<text x="${n(x + 12)}" y="${n(y + 20)}">${box.name}</text>`;
  return `<g id="${stateId(machine, box.path)}" class="state ${kind}" data-path="${box.path}">${rect}${name}</g>`;
}

function drawArrow({ points, label, hops }: PlacedArrow): string {
  const line = `<path class="line" d="${rounded(points)}"/>${tip(points)}`;
  if (label === null || hops.length === 0) return `<g class="edge begin">${line}</g>`;
  const middle = label.x + label.width / 2;
  const texts = hops.map((hop, at) => hopText(hop, middle, label.y + 11 + at * SIZES.labelLine, labelOf(hop)));
  return `<g class="edge">${line}${texts.join("")}</g>`;
}

function drawEverywhere(hop: Hop, y: number): string {
  return `<g class="edge everywhere">${hopText(hop, SIZES.margin, y, everywhereText(hop), "start")}</g>`;
}

function everywhereText(hop: Hop): string {
  return `in every state: ${labelOf(hop)}${hop.to === "" ? "" : ` → ${hop.to}`}`;
}

function hopText({ id, event, from, to }: Hop, x: number, y: number, text: string, anchor = "middle"): string {
  const data = `data-event="${event}" data-from="${from}" data-to="${to}"`;
  return `<text id="${id}" class="hop" ${data} x="${n(x)}" y="${n(y)}" text-anchor="${anchor}">${text}</text>`;
}

/** The way of an arrow up to the foot of its tip, its corners rounded. */
function rounded(points: readonly Point[]): string {
  const [start] = points;
  if (start === undefined) return "";
  const parts = [`M${n(start.x)} ${n(start.y)}`];
  for (let at = 1; at < points.length - 1; at += 1) {
    const [before, corner, after] = [points[at - 1], points[at], points[at + 1]] as [Point, Point, Point];
    const radius = Math.min(CORNER, distance(before, corner) / 2, distance(corner, after) / 2);
    const [enter, leave] = [towards(corner, before, radius), towards(corner, after, radius)];
    parts.push(`L${n(enter.x)} ${n(enter.y)}Q${n(corner.x)} ${n(corner.y)} ${n(leave.x)} ${n(leave.y)}`);
  }
  const [last, beforeLast] = [points.at(-1), points.at(-2)];
  if (last !== undefined && beforeLast !== undefined) {
    const foot = towards(last, beforeLast, TIP);
    parts.push(`L${n(foot.x)} ${n(foot.y)}`);
  }
  return parts.join("");
}

function tip(points: readonly Point[]): string {
  const [last, before] = [points.at(-1), points.at(-2)];
  if (last === undefined || before === undefined) return "";
  const foot = towards(last, before, TIP + 1);
  const side = { x: (last.y - foot.y) * 0.55, y: (foot.x - last.x) * 0.55 };
  const corners = [last, { x: foot.x + side.x, y: foot.y + side.y }, { x: foot.x - side.x, y: foot.y - side.y }];
  return `<polygon class="tip" points="${corners.map(({ x, y }) => `${n(x)},${n(y)}`).join(" ")}"/>`;
}

function towards(from: Point, to: Point, by: number): Point {
  const length = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) / length) * by, y: from.y + ((to.y - from.y) / length) * by };
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

/** At most two places after the point. */
function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** The colours of a statechart that stands alone; the page has its own for the same classes. */
export const STYLE = `
svg { font-family: ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
.frame { fill: #fbfcfd; stroke: #dde2ea; }
.title { fill: #1d2430; font-size: 15px; font-weight: 650; }
.state rect { fill: #ffffff; stroke: #b9c2cf; stroke-width: 1.2; }
.state text { fill: #1d2430; font-size: 13px; font-weight: 550; }
.group > rect { fill: #f2f5f9; stroke: #d3dae4; }
.group > text { fill: #5c6675; font-size: 12px; }
.line { fill: none; stroke: #8b96a7; stroke-width: 1.2; }
.tip, .start { fill: #8b96a7; }
.hop { fill: #4a5466; font-size: 11px; paint-order: stroke; stroke: #fbfcfd; stroke-width: 3px; }
@media (prefers-color-scheme: dark) {
  .frame { fill: #12161d; stroke: #29313d; }
  .title, .state text { fill: #e8ecf2; }
  .state rect { fill: #1c222c; stroke: #465163; }
  .group > rect { fill: #161b23; stroke: #2c3542; }
  .group > text { fill: #9aa5b5; }
  .line { stroke: #6d7a8d; }
  .tip, .start { fill: #6d7a8d; }
  .hop { fill: #a9b4c4; stroke: #12161d; }
}
`;
