/**
 * Drawings stay readable: states stand inside their parents, siblings stand apart, nothing is drawn over a label. Held for
 * every statechart of the catalogue, and for one that nests regions in regions as none of them does yet.
 */
import type { AnyStateMachine } from "xstate";
import { setup } from "xstate";
import { describe, expect, test } from "vitest";
import { machines } from "../../machines/index.ts";
import { drawSvg } from "../../src/visualiser/layout/draw.ts";
import { chartOf } from "../../src/visualiser/layout/graph.ts";
import { place, type Placed, type PlacedBox, type Rect } from "../../src/visualiser/layout/place.ts";

/** Regions inside a state, one of which has regions of its own, and transitions from the outside into the innermost. */
const nested = setup({}).createMachine({
  id: "nested",
  initial: "asleep",
  states: {
    asleep: { on: { WAKE: "awake", ALARM: "awake.hands.right.grip" } },
    awake: {
      type: "parallel",
      on: { SLEEP: "asleep" },
      states: {
        eyes: { initial: "open", states: { open: { on: { BLINK: "shut" } }, shut: { on: { BLINK: "open" } } } },
        hands: {
          type: "parallel",
          states: {
            left: { initial: "rest", states: { rest: { on: { REACH: "grip" } }, grip: { on: { LET_GO: "rest" } } } },
            right: {
              initial: "rest",
              states: { rest: { on: { REACH: "grip" } }, grip: { on: { LET_GO: "rest", DROP: "#nested.asleep" } } },
            },
          },
        },
      },
    },
  },
});

const charts = Object.entries<AnyStateMachine>({ ...machines, nested });

function overlap(one: Rect, other: Rect): boolean {
  const apart =
    one.x + one.width <= other.x ||
    other.x + other.width <= one.x ||
    one.y + one.height <= other.y ||
    other.y + other.height <= one.y;
  return !apart;
}

function isInside(inner: Rect, outer: Rect): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf(".")));
const isLeaf = ({ box }: PlacedBox): boolean => box.children.length === 0;
const labelsOf = ({ arrows }: Placed): Rect[] => arrows.flatMap(({ label }) => (label === null ? [] : [label]));

describe.each(charts)("%s", (name, machine) => {
  const placing = place(chartOf(name, machine));

  test("every state stands inside its parent, and siblings stand apart", async () => {
    const { boxes } = await placing;
    const byPath = new Map(boxes.map((placed) => [placed.box.path, placed]));
    for (const placed of boxes) {
      const parent = byPath.get(parentOf(placed.box.path));
      if (parent !== undefined) expect(isInside(placed, parent), `${placed.box.path} in its parent`).toBe(true);
      for (const other of boxes) {
        if (other === placed || parentOf(other.box.path) !== parentOf(placed.box.path)) continue;
        expect(overlap(placed, other), `${placed.box.path} over ${other.box.path}`).toBe(false);
      }
    }
  });

  test("no label lies over a state, over another label, or outside", async () => {
    const placed = await placing;
    const labels = labelsOf(placed);
    for (const [at, label] of labels.entries()) {
      expect(isInside(label, { x: 0, y: 0, width: placed.width, height: placed.height })).toBe(true);
      const over = placed.boxes.filter(isLeaf).find((box) => overlap(label, box));
      expect(over?.box.path).toBeUndefined();
      expect(labels.slice(at + 1).some((other) => overlap(label, other))).toBe(false);
    }
  });
});

test("a transition between states of different depth is drawn, from one to the other", async () => {
  const placed = await place(chartOf("nested", nested));
  const box = (path: string): Rect => placed.boxes.find((one) => one.box.path === path) as Rect;
  const arrow = placed.arrows.find(({ hops }) => hops.some(({ event }) => event === "ALARM"));
  const near = { width: 2, height: 2 };
  const [first, last] = [arrow?.points[0], arrow?.points.at(-1)];
  expect(overlap(box("asleep"), { x: (first?.x ?? 0) - 1, y: (first?.y ?? 0) - 1, ...near })).toBe(true);
  expect(overlap(box("awake.hands.right.grip"), { x: (last?.x ?? 0) - 1, y: (last?.y ?? 0) - 1, ...near })).toBe(true);
  const drawing = drawSvg(placed, "crib");
  expect(drawing).toContain('id="nested/awake.hands.right.grip"');
  // The page puts each chart below the one that its drawing names.
  expect(drawing).toContain('data-machine="nested" data-parent="crib"');
});
