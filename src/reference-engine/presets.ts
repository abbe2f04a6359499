/**
 * The calls of the switcher's presets: store what is on air and how it sounds, bring it back.
 * A preset's id comes from its command, so that both engines give the same.
 */
import Type from "typebox";
import { type Call, type Outcome, refused } from "./call.ts";
import { MAX_PRESETS } from "./limits.ts";
import { keepCall } from "./other-calls.ts";
import { Name, NoBody, type Route, route } from "./route.ts";
import type { Preset, SwitcherState } from "./state.ts";

function store(state: SwitcherState, id: string, name: string): Outcome {
  if (state.presets.length >= MAX_PRESETS) return refused(`presets: ${state.presets.length}, at most ${MAX_PRESETS}`);
  const { programSource, previewSource, transitionType, transitionDurationMs, masterLevel, audioChannels } = state;
  const look = { programSource, previewSource, transitionType, transitionDurationMs };
  return { ...state, presets: [...state.presets, { id, name, ...look, masterLevel, audioChannels }] };
}

/** Does something with the preset that the path names; keeps the call when there is none. */
function onPreset(state: SwitcherState, call: Call<unknown>, then: (preset: Preset) => Outcome): Outcome {
  const preset = state.presets.find((each) => each.id === call.params[0]);
  return preset === undefined ? keepCall(state, call) : then(preset);
}

function recall(state: SwitcherState, preset: Preset): SwitcherState {
  const { id: _id, name: _name, ...look } = preset;
  return { ...state, ...look, inTransition: false, transition: null, transitionPosition: 0 };
}

/** The calls under `/api/presets`. */
export const presetRoutes: readonly Route[] = [
  route("POST", "/api/presets", Type.Object({ name: Name }), (state, { body, id }) =>
    store(state, `preset-${id}`, body.name),
  ),
  route("PUT", "/api/presets/:id", Type.Object({ name: Name }), (state, call) =>
    onPreset(state, call, (preset) => ({
      ...state,
      presets: state.presets.map((each) => (each === preset ? { ...each, name: call.body.name } : each)),
    })),
  ),
  route("DELETE", "/api/presets/:id", NoBody, (state, call) =>
    onPreset(state, call, (preset) => ({ ...state, presets: state.presets.filter((each) => each !== preset) })),
  ),
  route("POST", "/api/presets/:id/recall", NoBody, (state, call) =>
    onPreset(state, call, (preset) => recall(state, preset)),
  ),
];
