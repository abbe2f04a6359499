/** Graphics layers: fades, motions, pulses over time. */
import { beforeEach, describe, expect, test } from "vitest";
import { MAX_LAYERS } from "../../src/reference-engine/limits.ts";
import { TestSwitcher } from "./switcher.ts";

let switcher: TestSwitcher;
beforeEach(() => {
  switcher = new TestSwitcher();
});

function layerAt(ms: number) {
  return switcher.at(ms).graphics.layers[0];
}

test("a new layer takes the lowest free id; removing one that is not there is noted and changes nothing", () => {
  switcher.call(0, "POST /api/graphics", {});
  switcher.call(1, "POST /api/graphics", { template: "bug" });
  switcher.call(2, "DELETE /api/graphics/1");
  switcher.call(3, "POST /api/graphics", {});
  expect(switcher.state.graphics.layers.map(({ id, template }) => [id, template])).toEqual([
    [0, "lower-third"],
    [1, ""],
    [2, "bug"],
  ]);
  const before = switcher.state.graphics;
  expect(switcher.call(4, "DELETE /api/graphics/9")).toEqual({ ok: true });
  expect(switcher.state.graphics).toBe(before);
  expect(switcher.state.calls["/api/graphics/9"]).toMatchObject({ method: "DELETE", times: 1 });
});

test("layers are bounded", () => {
  for (let made = 1; made < MAX_LAYERS; made += 1) switcher.call(made, "POST /api/graphics", {});
  expect(switcher.call(1_000, "POST /api/graphics", {})).toEqual({
    ok: false,
    error: `graphics: ${MAX_LAYERS} layers, at most ${MAX_LAYERS}`,
  });
  expect(switcher.state.graphics.layers).toHaveLength(MAX_LAYERS);
});

describe("fade", () => {
  test("comes in over half a second and goes out to be off", () => {
    switcher.call(0, "POST /api/graphics/0/auto-on");
    expect(layerAt(250)).toMatchObject({ active: true, fadePosition: 0.5 });
    switcher.call(1_000, "POST /api/graphics/0/auto-off");
    expect(layerAt(1_250)).toMatchObject({ active: true, fadePosition: 0.5 });
    expect(layerAt(1_500)).toMatchObject({ active: false, fadePosition: 0 });
  });

  test("turns round where it is", () => {
    switcher.call(0, "POST /api/graphics/0/auto-on");
    switcher.call(250, "POST /api/graphics/0/auto-off");
    expect(layerAt(250)).toMatchObject({ fadePosition: 0.5 });
    expect(layerAt(500)).toMatchObject({ fadePosition: 0.25 });
  });
});

describe("motion", () => {
  const target = { x: 100, y: 50, width: 800, height: 600 };

  test("goes to its rectangle and stays there", () => {
    switcher.call(0, "POST /api/graphics/0/animate", { mode: "transition", toRect: target, durationMs: 1_000 });
    expect(layerAt(500)).toMatchObject({ x: 50, y: 25, width: 1_360, height: 840 });
    expect(layerAt(1_000)).toMatchObject(target);
  });

  test("stopped, it stays where it was", () => {
    switcher.call(0, "POST /api/graphics/0/slide", { ...target, durationMs: 1_000 });
    switcher.call(500, "POST /api/graphics/0/animate/stop");
    expect(layerAt(5_000)).toMatchObject({ x: 50, y: 25, motion: null });
  });

  test("flies in from outside and out again, and rests where it was", () => {
    switcher.call(0, "PUT /api/graphics/0/rect", target);
    switcher.call(1, "POST /api/graphics/0/fly-in", { direction: "left", durationMs: 500 });
    expect(layerAt(1)).toMatchObject({ active: true, x: -800 });
    expect(layerAt(501)).toMatchObject({ active: true, ...target });
    switcher.call(600, "POST /api/graphics/0/fly-out", { direction: "bottom", durationMs: 500 });
    expect(layerAt(1_099)).toMatchObject({ active: true });
    expect(layerAt(1_100)).toMatchObject({ active: false, ...target });
  });
});

test("a pulse swings between its alphas and never moves in the state", () => {
  switcher.call(0, "POST /api/graphics/0/on");
  switcher.call(0, "POST /api/graphics/0/animate", { mode: "pulse", minAlpha: 0.3, maxAlpha: 1, speedHz: 2 });
  const state = switcher.state;
  expect(layerAt(0)?.alpha).toBeCloseTo(0.3, 10);
  expect(layerAt(250)?.alpha).toBeCloseTo(1, 10);
  expect(layerAt(500)?.alpha).toBeCloseTo(0.3, 10);
  expect(switcher.state).toBe(state);
  switcher.call(600, "POST /api/graphics/0/animate/stop");
  expect(layerAt(700)?.alpha).toBe(1);
});
