/**
 * The calls of the graphics layers: on, off, fades, motions, pulses, order.
 * A layer that moves holds where it started and where it goes; its place is a function of time.
 */
import Type from "typebox";
import { type Call, type Outcome, refused } from "./call.ts";
import { MAX_LAYERS } from "./limits.ts";
import { keepCall } from "./other-calls.ts";
import { between, endsAtUs, progress, rampAt } from "./ramp.ts";
import { Duration, Extent, Name, NoBody, Pixels, type Route, Unit, route } from "./route.ts";
import type { Layer, Motion, Rect, SwitcherState } from "./state.ts";

/** How long a layer fades when nobody says. */
const LAYER_FADE_MS = 500;
const MOTION_MS = 500;
const PICTURE = { width: 1_920, height: 1_080 };

const RectBody = Type.Object({ x: Pixels, y: Pixels, width: Extent, height: Extent });
const FadeBody = Type.Object({ durationMs: Type.Optional(Duration) });
const Direction = Type.Union([
  Type.Literal("left"),
  Type.Literal("right"),
  Type.Literal("top"),
  Type.Literal("bottom"),
]);
const FlyBody = Type.Object({ direction: Type.Optional(Direction), durationMs: Type.Optional(Duration) });
const SlideBody = Type.Object({ ...RectBody.properties, durationMs: Type.Optional(Duration) });
const NewLayerBody = Type.Object({ template: Type.Optional(Name), zOrder: Type.Optional(Pixels) });
/** `pulse` uses the alphas and the speed, `transition` the rectangle and the duration. */
const AnimateBody = Type.Object({
  mode: Type.Union([Type.Literal("pulse"), Type.Literal("transition")]),
  minAlpha: Type.Optional(Unit),
  maxAlpha: Type.Optional(Unit),
  speedHz: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
  toRect: Type.Optional(RectBody),
  toAlpha: Type.Optional(Unit),
  durationMs: Type.Optional(Duration),
});

/** A full-screen layer that is off. */
export function emptyLayer(id: number): Layer {
  const place = { x: 0, y: 0, ...PICTURE };
  return {
    id,
    active: false,
    template: "",
    fadePosition: 0,
    zOrder: 0,
    ...place,
    fade: null,
    motion: null,
    pulse: null,
  };
}

/** Where the layer lies at `atUs`. */
export function rectAt(layer: Layer, atUs: number): Rect {
  const { x, y, width, height, motion } = layer;
  if (motion === null) return { x, y, width, height };
  const done = progress(motion.timing, atUs);
  if (done >= 1) return motion.rest;
  return {
    x: between(motion.from.x, motion.to.x, done),
    y: between(motion.from.y, motion.to.y, done),
    width: between(motion.from.width, motion.to.width, done),
    height: between(motion.from.height, motion.to.height, done),
  };
}

/** How opaque the layer is at `atUs`, its pulse left out. */
export function fadeAt(layer: Layer, atUs: number): number {
  return layer.fade === null ? layer.fadePosition : rampAt(layer.fade, atUs);
}

/** Completes the fades and motions that have ended by `atUs`. */
export function settleGraphics(state: SwitcherState, atUs: number): SwitcherState {
  const layers = state.graphics.layers;
  if (!layers.some((layer) => isDue(layer, atUs))) return state;
  return {
    ...state,
    graphics: { layers: layers.map((layer) => (isDue(layer, atUs) ? settleLayer(layer, atUs) : layer)) },
  };
}

function isDue(layer: Layer, atUs: number): boolean {
  const fadeDue = layer.fade !== null && atUs >= endsAtUs(layer.fade.timing);
  return fadeDue || (layer.motion !== null && atUs >= endsAtUs(layer.motion.timing));
}

function settleLayer(layer: Layer, atUs: number): Layer {
  let settled = layer;
  if (layer.fade !== null && atUs >= endsAtUs(layer.fade.timing)) {
    settled = { ...settled, fade: null, fadePosition: layer.fade.to, active: settled.active && layer.fade.to > 0 };
  }
  if (layer.motion !== null && atUs >= endsAtUs(layer.motion.timing)) {
    const { rest, thenOff } = layer.motion;
    settled = { ...settled, ...rest, motion: null };
    if (thenOff) settled = { ...settled, active: false, fadePosition: 0 };
  }
  return settled;
}

function change(state: SwitcherState, call: Call<unknown>, edit: (layer: Layer) => Layer): Outcome {
  const layers = state.graphics.layers;
  const found = layers.find((layer) => String(layer.id) === call.params[0]);
  if (found === undefined) return keepCall(state, call);
  return { ...state, graphics: { layers: layers.map((layer) => (layer === found ? edit(layer) : layer)) } };
}

function addLayer(state: SwitcherState, template: string, zOrder: number): Outcome {
  const layers = state.graphics.layers;
  if (layers.length >= MAX_LAYERS) return refused(`graphics: ${layers.length} layers, at most ${MAX_LAYERS}`);
  const taken = new Set(layers.map((layer) => layer.id));
  let id = 0;
  while (taken.has(id)) id += 1;
  const added = [...layers, { ...emptyLayer(id), template, zOrder }];
  return { ...state, graphics: { layers: added.sort((a, b) => a.id - b.id) } };
}

/** Every handler that moves a layer starts where the layer is at that instant. */
function standStill(layer: Layer, atUs: number): Layer {
  return { ...layer, ...rectAt(layer, atUs), motion: null };
}

function fade(layer: Layer, to: number, durationMs: number, atUs: number): Layer {
  const timing = { startedAtUs: atUs, durationMs, easing: "linear" as const };
  return { ...layer, fade: { from: fadeAt(layer, atUs), to, timing } };
}

type Course = Pick<Motion, "from" | "to" | "rest" | "thenOff">;

function move(layer: Layer, course: Course, durationMs: number | undefined, atUs: number): Layer {
  const timing = { startedAtUs: atUs, durationMs: durationMs ?? MOTION_MS, easing: "smoothstep" as const };
  return { ...layer, motion: { ...course, timing } };
}

function moveTo(layer: Layer, to: Rect, durationMs: number | undefined, atUs: number): Layer {
  const from = rectAt(layer, atUs);
  return move(standStill(layer, atUs), { from, to, rest: to, thenOff: false }, durationMs, atUs);
}

/** The same rectangle, just outside the picture on one side. */
function outside(rect: Rect, direction: "left" | "right" | "top" | "bottom"): Rect {
  if (direction === "left") return { ...rect, x: -rect.width };
  if (direction === "right") return { ...rect, x: PICTURE.width };
  return direction === "top" ? { ...rect, y: -rect.height } : { ...rect, y: PICTURE.height };
}

/** A layer that is already flying keeps the place at which it will rest. */
function home(layer: Layer, atUs: number): Rect {
  return layer.motion?.rest ?? rectAt(layer, atUs);
}

function pulse(layer: Layer, minAlpha: number, maxAlpha: number, speedHz: number, atUs: number): Layer {
  return { ...layer, pulse: { minAlpha, maxAlpha, speedHz, startedAtUs: atUs } };
}

const ON = { active: true, fade: null, fadePosition: 1 };
const OFF = { active: false, fade: null, fadePosition: 0, motion: null, pulse: null };

const visibilityRoutes: readonly Route[] = [
  route("POST", "/api/graphics/:id/on", NoBody, (state, call) => change(state, call, (layer) => ({ ...layer, ...ON }))),
  route("POST", "/api/graphics/:id/off", NoBody, (state, call) =>
    change(state, call, (layer) => ({ ...layer, ...home(layer, call.atUs), ...OFF })),
  ),
  route("POST", "/api/graphics/:id/auto-on", FadeBody, (state, call) =>
    change(state, call, (layer) =>
      fade({ ...layer, active: true }, 1, call.body.durationMs ?? LAYER_FADE_MS, call.atUs),
    ),
  ),
  route("POST", "/api/graphics/:id/auto-off", FadeBody, (state, call) =>
    change(state, call, (layer) => fade(layer, 0, call.body.durationMs ?? LAYER_FADE_MS, call.atUs)),
  ),
];

const motionRoutes: readonly Route[] = [
  route("POST", "/api/graphics/:id/animate", AnimateBody, (state, { body, ...call }) =>
    change(state, { ...call, body }, (layer) => {
      if (body.mode === "pulse") {
        return pulse(layer, body.minAlpha ?? 0, body.maxAlpha ?? 1, body.speedHz ?? 1, call.atUs);
      }
      const faded =
        body.toAlpha === undefined ? layer : fade(layer, body.toAlpha, body.durationMs ?? MOTION_MS, call.atUs);
      return body.toRect === undefined ? faded : moveTo(faded, rectOf(body.toRect), body.durationMs, call.atUs);
    }),
  ),
  route("POST", "/api/graphics/:id/animate/stop", NoBody, (state, call) =>
    change(state, call, (layer) => {
      const fadePosition = fadeAt(layer, call.atUs);
      return { ...standStill(layer, call.atUs), fade: null, fadePosition, pulse: null };
    }),
  ),
  route("POST", "/api/graphics/:id/fly-in", FlyBody, (state, call) =>
    change(state, call, (layer) => {
      const rest = home(layer, call.atUs);
      const from = outside(rest, call.body.direction ?? "left");
      return move({ ...layer, ...ON }, { from, to: rest, rest, thenOff: false }, call.body.durationMs, call.atUs);
    }),
  ),
  route("POST", "/api/graphics/:id/fly-out", FlyBody, (state, call) =>
    change(state, call, (layer) => {
      const rest = home(layer, call.atUs);
      const to = outside(rest, call.body.direction ?? "left");
      const from = rectAt(layer, call.atUs);
      return move(layer, { from, to, rest, thenOff: true }, call.body.durationMs, call.atUs);
    }),
  ),
  route("POST", "/api/graphics/:id/slide", SlideBody, (state, call) =>
    change(state, call, (layer) => moveTo(layer, rectOf(call.body), call.body.durationMs, call.atUs)),
  ),
];

/** Only the four sides: a body may carry more. */
function rectOf(body: Rect): Rect {
  return { x: body.x, y: body.y, width: body.width, height: body.height };
}

/** The calls under `/api/graphics`. */
export const graphicsRoutes: readonly Route[] = [
  route("POST", "/api/graphics", NewLayerBody, (state, { body }) =>
    addLayer(state, body.template ?? "", body.zOrder ?? 0),
  ),
  route("DELETE", "/api/graphics/:id", NoBody, (state, call) => {
    const layers = state.graphics.layers.filter((layer) => String(layer.id) !== call.params[0]);
    if (layers.length === state.graphics.layers.length) return keepCall(state, call);
    return { ...state, graphics: { layers } };
  }),
  route("PUT", "/api/graphics/:id/rect", RectBody, (state, call) =>
    change(state, call, (layer) => ({ ...layer, ...rectOf(call.body), motion: null })),
  ),
  route("PUT", "/api/graphics/:id/zorder", Type.Object({ zOrder: Pixels }), (state, call) =>
    change(state, call, (layer) => ({ ...layer, zOrder: call.body.zOrder })),
  ),
  ...visibilityRoutes,
  ...motionRoutes,
];
