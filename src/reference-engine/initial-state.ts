/** The switcher as it is switched on: three cameras and a remote encoder, the first camera on programme. */
import { neutralChannel } from "./audio.ts";
import { emptyLayer } from "./graphics.ts";
import type { Source, SwitcherState } from "./state.ts";
import { tally } from "./switching.ts";

function source(key: string, label: string, type: string, position: number): Source {
  return { key, label, type, status: "healthy", position };
}

const SOURCES: readonly Source[] = [
  source("cam1", "Camera 1", "demo", 1),
  source("cam2", "Camera 2", "demo", 2),
  source("cam3", "Camera 3", "demo", 3),
  source("srt:encoder1", "Remote Encoder", "srt", 4),
];

/** A fresh state; the same on every engine. */
export function initialState(): SwitcherState {
  const state: SwitcherState = {
    programSource: "cam1",
    previewSource: "cam2",
    transitionType: "mix",
    transitionDurationMs: 1_000,
    transitionEasing: "smoothstep",
    transitionPosition: 0,
    inTransition: false,
    transition: null,
    ftbActive: false,
    ftbFade: null,
    audioChannels: Object.fromEntries(SOURCES.map(({ key }) => [key, neutralChannel()])),
    masterLevel: 0,
    tallyState: {},
    sources: Object.fromEntries(SOURCES.map((each) => [each.key, each])),
    presets: [],
    graphics: { layers: [{ ...emptyLayer(0), template: "lower-third" }] },
    layout: { activePreset: "", slots: [], presets: {} },
    macros: {},
    macro: null,
    lastMacro: null,
    calls: {},
    lastChangedBy: "",
    epoch: 0,
    seq: 0,
    atUs: 0,
    lastError: null,
  };
  return { ...state, tallyState: tally(state) };
}
