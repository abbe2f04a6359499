/**
 * The shape of the reference switcher's state, after the control-room state of a real switcher
 * (`examples/show/switcher-state.json`); the schemas give the types and check a state that is restored.
 * Nothing in it moves by itself. What changes with time is held as a ramp (`ramp.ts`), and meters, which only
 * a real mixer could measure, are absent.
 */
import Type, { type Static } from "typebox";
import type { Json } from "../core/canonical-json.ts";
import { Easing, Ramp, Timing } from "./ramp.ts";

const AnyJson = Type.Unsafe<Json>({});

/** One band of a channel's equaliser: Hz, dB, quality. */
export const EqBand = Type.Object({
  frequency: Type.Number(),
  gain: Type.Number(),
  q: Type.Number(),
  enabled: Type.Boolean(),
});
export type EqBand = Static<typeof EqBand>;

/** Thresholds and gains in dB, attack and release in ms. */
const Compressor = Type.Object({
  threshold: Type.Number(),
  ratio: Type.Number(),
  attack: Type.Number(),
  release: Type.Number(),
  makeupGain: Type.Number(),
});

/** One channel of the mixer; levels in dB. */
export const AudioChannel = Type.Object({
  level: Type.Number(),
  trim: Type.Number(),
  muted: Type.Boolean(),
  afv: Type.Boolean(),
  eq: Type.Array(EqBand),
  compressor: Compressor,
  audioDelayMs: Type.Number(),
});
export type AudioChannel = Static<typeof AudioChannel>;

/** One input. `keyer` and `srt` are kept as they were given. */
export const Source = Type.Object({
  key: Type.String(),
  label: Type.String(),
  type: Type.String(),
  status: Type.String(),
  position: Type.Number(),
  delayMs: Type.Optional(Type.Number()),
  srt: Type.Optional(Type.Record(Type.String(), AnyJson)),
  keyer: Type.Optional(Type.Record(Type.String(), AnyJson)),
});
export type Source = Static<typeof Source>;

/** The mix that is under way. Without timing a person holds the lever, at the state's `transitionPosition`. */
export const Transition = Type.Object({
  source: Type.String(),
  type: Type.String(),
  timing: Type.Union([Timing, Type.Null()]),
});

/** A rectangle, in pixels. */
export const Rect = Type.Object({
  x: Type.Number(),
  y: Type.Number(),
  width: Type.Number(),
  height: Type.Number(),
});
export type Rect = Static<typeof Rect>;

/** A graphic on its way. Once there it lies at `rest`, and is off if it flew out. */
export const Motion = Type.Object({ from: Rect, to: Rect, rest: Rect, thenOff: Type.Boolean(), timing: Timing });
export type Motion = Static<typeof Motion>;

/** Opacity that swings between two values, `speedHz` times a second, since an instant. */
export const Pulse = Type.Object({
  minAlpha: Type.Number(),
  maxAlpha: Type.Number(),
  speedHz: Type.Number(),
  startedAtUs: Type.Integer(),
});
export type Pulse = Static<typeof Pulse>;

/** One graphics layer. */
export const Layer = Type.Object({
  id: Type.Integer(),
  active: Type.Boolean(),
  template: Type.String(),
  fadePosition: Type.Number(),
  zOrder: Type.Number(),
  x: Type.Number(),
  y: Type.Number(),
  width: Type.Number(),
  height: Type.Number(),
  fade: Type.Union([Ramp, Type.Null()]),
  motion: Type.Union([Motion, Type.Null()]),
  pulse: Type.Union([Pulse, Type.Null()]),
});
export type Layer = Static<typeof Layer>;

/** One picture of the layout. */
export const Slot = Type.Object({
  id: Type.Integer(),
  sourceKey: Type.String(),
  enabled: Type.Boolean(),
  x: Type.Number(),
  y: Type.Number(),
  width: Type.Number(),
  height: Type.Number(),
  zOrder: Type.Number(),
  scaleMode: Type.String(),
});
export type Slot = Static<typeof Slot>;

/** What a preset brings back. */
export const Preset = Type.Object({
  id: Type.String(),
  name: Type.String(),
  programSource: Type.String(),
  previewSource: Type.String(),
  transitionType: Type.String(),
  transitionDurationMs: Type.Number(),
  masterLevel: Type.Number(),
  audioChannels: Type.Record(Type.String(), AudioChannel),
});
export type Preset = Static<typeof Preset>;

/** One step of a macro as it was stored. */
export const MacroStep = Type.Object({
  action: Type.String(),
  params: Type.Optional(Type.Record(Type.String(), AnyJson)),
});
export type MacroStep = Static<typeof MacroStep>;

export const Macro = Type.Object({ name: Type.String(), steps: Type.Array(MacroStep) });
export type Macro = Static<typeof Macro>;

/** One step of a run: a pause, or a call. */
export const PlanStep = Type.Union([
  Type.Object({ waitMs: Type.Number() }),
  Type.Object({ kind: Type.String(), payload: AnyJson }),
]);
export type PlanStep = Static<typeof PlanStep>;

/** A macro that is running. `nextAtUs`: unix µs at which step number `nextStep` is due. `callId`: the run's own call. */
export const MacroRun = Type.Object({
  name: Type.String(),
  callId: Type.String(),
  steps: Type.Array(PlanStep),
  nextStep: Type.Integer({ minimum: 0 }),
  nextAtUs: Type.Integer(),
  failedSteps: Type.Integer(),
});
export type MacroRun = Static<typeof MacroRun>;

/** The last call of a path that the switcher does not interpret, and how often the path was called. */
export const KeptCall = Type.Object({
  method: Type.String(),
  payload: AnyJson,
  times: Type.Integer(),
  lastSeq: Type.Integer(),
});
export type KeptCall = Static<typeof KeptCall>;

/** The whole state. `epoch`, `seq`: the last executed command; `atUs`: its instant; `lastError`: its failure. */
export const SwitcherState = Type.Object({
  programSource: Type.String(),
  previewSource: Type.String(),
  transitionType: Type.String(),
  transitionDurationMs: Type.Number(),
  transitionEasing: Easing,
  transitionPosition: Type.Number(),
  inTransition: Type.Boolean(),
  transition: Type.Union([Transition, Type.Null()]),
  ftbActive: Type.Boolean(),
  ftbFade: Type.Union([Ramp, Type.Null()]),
  audioChannels: Type.Record(Type.String(), AudioChannel),
  masterLevel: Type.Number(),
  tallyState: Type.Record(Type.String(), Type.String()),
  sources: Type.Record(Type.String(), Source),
  presets: Type.Array(Preset),
  graphics: Type.Object({ layers: Type.Array(Layer) }),
  layout: Type.Object({
    activePreset: Type.String(),
    slots: Type.Array(Slot),
    presets: Type.Record(Type.String(), Type.Array(Slot)),
  }),
  macros: Type.Record(Type.String(), Macro),
  macro: Type.Union([MacroRun, Type.Null()]),
  lastMacro: Type.Union([Type.Object({ name: Type.String(), failedSteps: Type.Integer() }), Type.Null()]),
  calls: Type.Record(Type.String(), KeptCall),
  lastChangedBy: Type.String(),
  epoch: Type.Integer(),
  seq: Type.Integer(),
  atUs: Type.Integer(),
  lastError: Type.Union([Type.String(), Type.Null()]),
});
export type SwitcherState = Static<typeof SwitcherState>;
