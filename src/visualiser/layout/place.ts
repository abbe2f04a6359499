/**
 * Gives every box and arrow of a statechart its place.
 * Same chart, same places; regions that run side by side are laid out one by one and put on shelves, for the
 * layout engine would otherwise string them out.
 */
import elk from "elkjs/lib/elk.bundled.js";
import type { ElkExtendedEdge, ElkNode } from "elkjs/lib/elk-api.js";
import type { Arrow, Box, Chart, Hop } from "./graph.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rect extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedBox extends Rect {
  readonly box: Box;
}

export interface PlacedArrow {
  readonly points: readonly Point[];
  /** Where the lines of its label stand; null for the arrow from a start dot. */
  readonly label: Rect | null;
  readonly hops: readonly Hop[];
}

export interface Placed {
  readonly chart: Chart;
  readonly width: number;
  readonly height: number;
  /** Outer ones first. */
  readonly boxes: readonly PlacedBox[];
  readonly dots: readonly Point[];
  readonly arrows: readonly PlacedArrow[];
}

type Part = Omit<Placed, "chart">;

/** Room around what stands in a box, px. */
const FRAME = { top: 34, side: 14 };

const DOT = "∘";
const layouter = new elk.default();

export async function place(chart: Chart): Promise<Placed> {
  const { root } = chart;
  const parts =
    root.kind === "parallel"
      ? await Promise.all(root.children.map(async (region) => frame(region, await placePart(region, chart))))
      : [await placePart(root, chart)];
  return { chart, ...shelve(parts) };
}

/** A region with its own box around it. */
function frame(region: Box, inner: Part): Part {
  const { side, top } = FRAME;
  const { width, height } = { width: inner.width + side * 2, height: inner.height + top + side };
  const moved = shift(inner, { x: side, y: top });
  return { ...moved, width, height, boxes: [{ box: region, x: 0, y: 0, width, height }, ...moved.boxes] };
}

/** What stands in one region, or in a machine without regions. */
async function placePart(box: Box, chart: Chart): Promise<Part> {
  const inside = pathsIn(box);
  const arrows = chart.arrows.filter(({ from }) => inside.has(from));
  const edges = [...startEdges(box), ...arrows.map(elkEdge)];
  const root: ElkNode = {
    id: "root",
    layoutOptions: LAYOUT,
    children: elkNode(box).children ?? [],
    edges,
  };
  return collect(await layouter.layout(root), box, arrows);
}

const LAYOUT: Readonly<Record<string, string>> = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.json.edgeCoords": "ROOT",
  "elk.json.shapeCoords": "ROOT",
  "elk.padding": "[top=2,left=2,bottom=2,right=2]",
  "elk.spacing.nodeNode": "22",
  "elk.spacing.edgeNode": "14",
  "elk.spacing.edgeEdge": "12",
  "elk.spacing.edgeLabel": "4",
  "elk.layered.spacing.nodeNodeBetweenLayers": "22",
  "elk.layered.spacing.edgeNodeBetweenLayers": "14",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "10",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.cycleBreaking.strategy": "MODEL_ORDER",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
};

function elkNode(box: Box): ElkNode {
  if (box.children.length === 0) {
    const width = Math.max(SIZES.stateWidth, textWidth(box.name, ADVANCE.state) + 28);
    return { id: box.path, width, height: SIZES.stateHeight };
  }
  const dot = box.initial === null ? [] : [{ id: `${box.path}${DOT}`, width: 8, height: 8 }];
  return {
    id: box.path,
    layoutOptions: { "elk.padding": `[top=${FRAME.top},left=${FRAME.side},bottom=${FRAME.side},right=${FRAME.side}]` },
    children: [...dot, ...box.children.map(elkNode)],
  };
}

function startEdges(box: Box): ElkExtendedEdge[] {
  const own =
    box.initial === null ? [] : [{ id: `${box.path}${DOT}→`, sources: [`${box.path}${DOT}`], targets: [box.initial] }];
  return [...own, ...box.children.flatMap(startEdges)];
}

function elkEdge({ from, to, hops }: Arrow): ElkExtendedEdge {
  const width = Math.max(...hops.map((hop) => textWidth(labelOf(hop), ADVANCE.label))) + 6;
  const label = { text: hops.map(labelOf).join("\n"), width, height: hops.length * SIZES.labelLine + 2 };
  return { id: `${from}→${to}`, sources: [from], targets: [to], labels: [label] };
}

/** `VERDICT [mayCampaign]` */
export function labelOf({ event, guard }: Hop): string {
  return guard === null ? event : `${event} [${guard}]`;
}

function pathsIn(box: Box): Set<string> {
  return new Set([box.path, ...box.children.flatMap((child) => [...pathsIn(child)])]);
}

function collect(laid: ElkNode, box: Box, arrows: readonly Arrow[]): Part {
  const boxes = new Map<string, Box>();
  const remember = (one: Box): void => {
    boxes.set(one.path, one);
    one.children.forEach(remember);
  };
  remember(box);
  const placed: PlacedBox[] = [];
  const dots: Point[] = [];
  const walk = (node: ElkNode): void => {
    const { id, x = 0, y = 0, width = 0, height = 0 } = node;
    const found = boxes.get(id);
    if (found !== undefined) placed.push({ box: found, x, y, width, height });
    if (id.endsWith(DOT)) dots.push({ x: x + 4, y: y + 4 });
    node.children?.forEach(walk);
  };
  laid.children?.forEach(walk);
  const hopsOf = new Map(arrows.map(({ from, to, hops }) => [`${from}→${to}`, hops]));
  const drawn = (laid.edges ?? []).map((edge) => placedArrow(edge, hopsOf.get(edge.id) ?? []));
  return { width: laid.width ?? 0, height: laid.height ?? 0, boxes: placed, dots, arrows: drawn };
}

function placedArrow({ sections = [], labels = [] }: ElkExtendedEdge, hops: readonly Hop[]): PlacedArrow {
  const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);
  const [label] = labels;
  const { x = 0, y = 0, width = 0, height = 0 } = label ?? {};
  return { points, label: label === undefined ? null : { x, y, width, height }, hops };
}

/** Parts from left to right, a new row where the widest part would be passed. */
function shelve(parts: readonly Part[]): Omit<Placed, "chart"> {
  const widest = Math.max(...parts.map(({ width }) => width), SIZES.shelfWidth);
  let [x, y, rowHeight, width] = [0, 0, 0, 0];
  const moved = parts.map((part) => {
    if (x > 0 && x + part.width > widest) [x, y, rowHeight] = [0, y + rowHeight + SIZES.shelfGap, 0];
    const here = { x, y };
    x += part.width + SIZES.shelfGap;
    rowHeight = Math.max(rowHeight, part.height);
    width = Math.max(width, here.x + part.width);
    return shift(part, here);
  });
  return {
    width,
    height: y + rowHeight,
    boxes: moved.flatMap(({ boxes }) => boxes),
    dots: moved.flatMap(({ dots }) => dots),
    arrows: moved.flatMap(({ arrows }) => arrows),
  };
}

function shift(part: Part, by: Point): Part {
  const at = <Place extends Point>(place: Place): Place => ({ ...place, x: place.x + by.x, y: place.y + by.y });
  return {
    ...part,
    boxes: part.boxes.map(at),
    dots: part.dots.map(at),
    arrows: part.arrows.map((arrow) => ({
      ...arrow,
      points: arrow.points.map(at),
      label: arrow.label === null ? null : at(arrow.label),
    })),
  };
}

/** The measures of the drawings, px. Text is measured by rule, so that a drawing is the same on every machine. */
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
