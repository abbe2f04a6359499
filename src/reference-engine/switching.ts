/**
 * What goes to air: cut, preview, automatic and hand-held transitions, fade to black; and the tally, which says
 * of every source whether it is seen.
 * The newer call wins: a cut ends a transition, a new transition replaces a running one.
 */
import Type from "typebox";
import { type Outcome, refused } from "./call.ts";
import { Easing, endsAtUs, rampAt } from "./ramp.ts";
import { Duration, Name, type Route, Unit, route } from "./route.ts";
import type { SwitcherState } from "./state.ts";

/** How long the picture takes to go black and to come back. */
const FTB_FADE_MS = 1_000;

const TransitionBody = Type.Object({
  source: Name,
  type: Type.Optional(Name),
  durationMs: Type.Optional(Duration),
  easing: Type.Optional(Easing),
});

/** Puts `source` on programme at once; what was there becomes the preview. */
function cut(state: SwitcherState, source: string): SwitcherState {
  const previewSource = source === state.programSource ? state.previewSource : state.programSource;
  return endTransition({ ...state, programSource: source, previewSource });
}

function endTransition(state: SwitcherState): SwitcherState {
  return { ...state, inTransition: false, transition: null, transitionPosition: 0 };
}

/** A hand takes the lever, also out of a running automatic transition: 1 completes the mix, 0 takes it back. */
function moveLever(state: SwitcherState, position: number): Outcome {
  const source = state.transition?.source ?? state.previewSource;
  const type = state.transition?.type ?? state.transitionType;
  if (source === "") return refused("payload.position: no source on preview to mix to");
  if (position >= 1) return cut(state, source);
  if (position <= 0) return endTransition(state);
  return { ...state, inTransition: true, transitionPosition: position, transition: { source, type, timing: null } };
}

function fadeToBlack(state: SwitcherState, active: boolean, atUs: number): SwitcherState {
  if (active === state.ftbActive) return state;
  const from = blackness(state, atUs);
  const timing = { startedAtUs: atUs, durationMs: FTB_FADE_MS, easing: "linear" as const };
  return { ...state, ftbActive: active, ftbFade: { from, to: active ? 1 : 0, timing } };
}

/** How black the programme is at `atUs`: 0 the picture, 1 black. */
export function blackness(state: SwitcherState, atUs: number): number {
  if (state.ftbFade !== null) return rampAt(state.ftbFade, atUs);
  return state.ftbActive ? 1 : 0;
}

/** Completes the transition and the fade that have ended by `atUs`. */
export function settleSwitching(state: SwitcherState, atUs: number): SwitcherState {
  let settled = state;
  const transition = state.transition;
  if (transition !== null && transition.timing !== null && atUs >= endsAtUs(transition.timing)) {
    settled = cut(settled, transition.source);
  }
  if (settled.ftbFade !== null && atUs >= endsAtUs(settled.ftbFade.timing)) settled = { ...settled, ftbFade: null };
  return settled;
}

/** The state with its tally brought up to date, when anything that the tally shows differs from `before`. */
export function withTally(state: SwitcherState, before: SwitcherState): SwitcherState {
  const same =
    state.programSource === before.programSource &&
    state.previewSource === before.previewSource &&
    state.transition === before.transition &&
    state.sources === before.sources &&
    state.layout.slots === before.layout.slots;
  return same ? state : { ...state, tallyState: tally(state) };
}

/** Of every known source and of those on air: `program`, `preview` or `idle`. */
export function tally(state: SwitcherState): Record<string, string> {
  const onAir = state.layout.slots.filter((slot) => slot.enabled).map((slot) => slot.sourceKey);
  if (state.transition !== null) onAir.push(state.transition.source);
  return Object.fromEntries([
    ...Object.keys(state.sources).map((key) => [key, "idle"]),
    [state.previewSource, "preview"],
    ...onAir.map((key) => [key, "program"]),
    [state.programSource, "program"],
  ]) as Record<string, string>;
}

/** The calls under `/api/switch`. */
export const switchRoutes: readonly Route[] = [
  route("POST", "/api/switch/cut", Type.Object({ source: Name }), (state, { body }) => cut(state, body.source)),
  route("POST", "/api/switch/preview", Type.Object({ source: Name }), (state, { body }) => ({
    ...state,
    previewSource: body.source,
  })),
  route("POST", "/api/switch/transition", TransitionBody, (state, { body, atUs }) => {
    const type = body.type ?? state.transitionType;
    const durationMs = body.durationMs ?? state.transitionDurationMs;
    const timing = { startedAtUs: atUs, durationMs, easing: body.easing ?? state.transitionEasing };
    return {
      ...state,
      previewSource: body.source,
      transitionType: type,
      transitionDurationMs: durationMs,
      transitionPosition: 0,
      inTransition: true,
      transition: { source: body.source, type, timing },
    };
  }),
  route("POST", "/api/switch/transition/position", Type.Object({ position: Unit }), (state, { body }) =>
    moveLever(state, body.position),
  ),
  route("POST", "/api/switch/ftb", Type.Object({ active: Type.Optional(Type.Boolean()) }), (state, { body, atUs }) =>
    fadeToBlack(state, body.active ?? !state.ftbActive, atUs),
  ),
];
