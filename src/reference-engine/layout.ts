/**
 * The calls of the picture-in-picture layout: slots, and presets of slots.
 * Slots are in the order of their ids; a preset that is not known changes nothing.
 */
import Type, { type Static } from "typebox";
import { type Call, type Outcome, refused } from "./call.ts";
import { sizeOf, valueOf, without, withValue } from "./keyed.ts";
import { MAX_LAYOUT_PRESETS, MAX_SLOTS } from "./limits.ts";
import { keepCall } from "./other-calls.ts";
import { Extent, Name, NoBody, Pixels, type Route, route } from "./route.ts";
import type { Rect, Slot, SwitcherState } from "./state.ts";

const Point = Type.Object({ X: Pixels, Y: Pixels });
/** A slot's place as two corners or as position and size. */
const SlotBody = Type.Object({
  sourceKey: Type.Optional(Name),
  enabled: Type.Optional(Type.Boolean()),
  scaleMode: Type.Optional(Name),
  zOrder: Type.Optional(Pixels),
  rect: Type.Optional(Type.Object({ Min: Point, Max: Point })),
  x: Type.Optional(Pixels),
  y: Type.Optional(Pixels),
  width: Type.Optional(Extent),
  height: Type.Optional(Extent),
});
type SlotBody = Static<typeof SlotBody>;
const LayoutBody = Type.Object({
  preset: Type.Optional(Name),
  slots: Type.Optional(Type.Array(SlotBody, { maxItems: MAX_SLOTS })),
});

const SMALL = { width: 480, height: 360 };
const HALF = { width: 960, height: 1_080 };
const QUARTER = { width: 960, height: 540 };

/** Where the slots of the built-in presets lie. */
const BUILT_IN: Readonly<Record<string, readonly Rect[]>> = {
  "pip-top-left": [{ x: 0, y: 0, ...SMALL }],
  "pip-top-right": [{ x: 1_440, y: 0, ...SMALL }],
  "pip-bottom-left": [{ x: 0, y: 720, ...SMALL }],
  "pip-bottom-right": [{ x: 1_440, y: 720, ...SMALL }],
  "side-by-side": [
    { x: 0, y: 0, ...HALF },
    { x: 960, y: 0, ...HALF },
  ],
  quad: [
    { x: 0, y: 0, ...QUARTER },
    { x: 960, y: 0, ...QUARTER },
    { x: 0, y: 540, ...QUARTER },
    { x: 960, y: 540, ...QUARTER },
  ],
};

function emptySlot(id: number): Slot {
  const place = { x: 0, y: 0, ...SMALL };
  return { id, sourceKey: "", enabled: false, ...place, zOrder: id, scaleMode: "fit" };
}

function edited(slot: Slot, body: SlotBody): Slot {
  const corners = body.rect;
  return {
    id: slot.id,
    sourceKey: body.sourceKey ?? slot.sourceKey,
    enabled: body.enabled ?? slot.enabled,
    x: corners?.Min.X ?? body.x ?? slot.x,
    y: corners?.Min.Y ?? body.y ?? slot.y,
    width: corners === undefined ? (body.width ?? slot.width) : corners.Max.X - corners.Min.X,
    height: corners === undefined ? (body.height ?? slot.height) : corners.Max.Y - corners.Min.Y,
    zOrder: body.zOrder ?? slot.zOrder,
    scaleMode: body.scaleMode ?? slot.scaleMode,
  };
}

function withSlots(state: SwitcherState, slots: readonly Slot[], activePreset: string): SwitcherState {
  return { ...state, layout: { ...state.layout, slots: [...slots], activePreset } };
}

/** A preset that was saved brings its sources; a built-in one leaves the sources where they were. */
function usePreset(state: SwitcherState, call: Call<unknown>, name: string): Outcome {
  const saved = valueOf(state.layout.presets, name);
  if (saved !== undefined) return withSlots(state, saved, name);
  const places = valueOf(BUILT_IN, name);
  if (places === undefined) return keepCall(state, call);
  const slots = places.map((place, id) => {
    const before = state.layout.slots.find((slot) => slot.id === id) ?? emptySlot(id);
    return { ...before, ...place };
  });
  return withSlots(state, slots, name);
}

function slotId(call: Call<unknown>): number | null {
  const text = call.params[0] ?? "";
  return /^\d{1,2}$/.test(text) && Number(text) < MAX_SLOTS ? Number(text) : null;
}

/** Changes a slot that is there; otherwise the call is kept and nothing else happens. */
function change(state: SwitcherState, call: Call<unknown>, body: SlotBody): Outcome {
  const id = slotId(call);
  if (!state.layout.slots.some((slot) => slot.id === id)) return keepCall(state, call);
  const slots = state.layout.slots.map((slot) => (slot.id === id ? edited(slot, body) : slot));
  return withSlots(state, slots, state.layout.activePreset);
}

function putSlot(state: SwitcherState, call: Call<SlotBody>): Outcome {
  const id = slotId(call);
  if (id === null) return refused(`path: slot ${JSON.stringify(call.params[0])}, must be 0 to ${MAX_SLOTS - 1}`);
  const others = state.layout.slots.filter((slot) => slot.id !== id);
  const before = state.layout.slots.find((slot) => slot.id === id) ?? emptySlot(id);
  const slots = [...others, edited(before, call.body)].sort((a, b) => a.id - b.id);
  return withSlots(state, slots, state.layout.activePreset);
}

function putLayout(state: SwitcherState, call: Call<Static<typeof LayoutBody>>): Outcome {
  if (call.body.preset !== undefined) return usePreset(state, call, call.body.preset);
  const slots = call.body.slots ?? [];
  const placed = slots.map((body, id) => edited({ ...emptySlot(id), enabled: true }, body));
  return withSlots(state, placed, "");
}

function savePreset(state: SwitcherState, name: string): Outcome {
  const presets = state.layout.presets;
  if (valueOf(presets, name) === undefined && sizeOf(presets) >= MAX_LAYOUT_PRESETS) {
    return refused(`payload.name: ${JSON.stringify(name)} would be one preset too many, at most ${MAX_LAYOUT_PRESETS}`);
  }
  return { ...state, layout: { ...state.layout, presets: withValue(presets, name, state.layout.slots) } };
}

/** The calls under `/api/layout`. */
export const layoutRoutes: readonly Route[] = [
  route("PUT", "/api/layout", LayoutBody, putLayout, {
    judge: ({ preset, slots }) =>
      preset === undefined && slots === undefined ? "payload: neither preset nor slots, must have one of them" : null,
  }),
  route("DELETE", "/api/layout", NoBody, (state) => withSlots(state, [], "")),
  route("PUT", "/api/layout/slots/:id", SlotBody, putSlot),
  route("POST", "/api/layout/slots/:id/on", NoBody, (state, call) => change(state, call, { enabled: true })),
  route("POST", "/api/layout/slots/:id/off", NoBody, (state, call) => change(state, call, { enabled: false })),
  route("PUT", "/api/layout/slots/:id/source", Type.Object({ source: Name }), (state, call) =>
    change(state, call, { sourceKey: call.body.source }),
  ),
  route("POST", "/api/layout/presets", Type.Object({ name: Name }), (state, { body }) => savePreset(state, body.name)),
  route("DELETE", "/api/layout/presets/:name", NoBody, (state, call) => {
    const name = call.params[0] ?? "";
    if (valueOf(state.layout.presets, name) === undefined) return keepCall(state, call);
    return { ...state, layout: { ...state.layout, presets: without(state.layout.presets, name) } };
  }),
];
