/**
 * Answers reads: the state as it looks at one instant, whole or in parts.
 * Reading changes nothing. Positions are those of the instant that was asked for, whichever engine answers.
 */
import type { Json } from "../core/canonical-json.ts";
import type { EngineRead } from "../ports/engine.ts";
import { isRefusal, parsePath } from "./call.ts";
import { fadeAt, rectAt } from "./graphics.ts";
import { valueOf } from "./keyed.ts";
import { progress } from "./ramp.ts";
import type { Layer, Pulse, SwitcherState } from "./state.ts";
import { blackness } from "./switching.ts";
import { advance } from "./timeline.ts";

/** The whole state as it looks at `nowUnixUs`: positions filled in, `timestamp` in unix ms. */
export function viewAt(state: SwitcherState, nowUnixUs: number) {
  const now = advance(state, nowUnixUs);
  const timing = now.transition?.timing ?? null;
  return {
    ...now,
    transitionPosition: timing === null ? now.transitionPosition : progress(timing, nowUnixUs),
    ftbPosition: blackness(now, nowUnixUs),
    graphics: { layers: now.graphics.layers.map((layer) => viewLayer(layer, nowUnixUs)) },
    timestamp: Math.floor(nowUnixUs / 1_000),
  };
}

function viewLayer(layer: Layer, nowUnixUs: number) {
  const fadePosition = fadeAt(layer, nowUnixUs);
  const alpha = layer.pulse === null ? fadePosition : fadePosition * pulseAt(layer.pulse, nowUnixUs);
  return { ...layer, ...rectAt(layer, nowUnixUs), fadePosition, alpha };
}

/** Only ever seen in answers to reads: a cosine may differ in its last bit between machines. */
function pulseAt(pulse: Pulse, nowUnixUs: number): number {
  const cycles = ((nowUnixUs - pulse.startedAtUs) / 1_000_000) * pulse.speedHz;
  return pulse.minAlpha + (pulse.maxAlpha - pulse.minAlpha) * (0.5 - 0.5 * Math.cos(2 * Math.PI * cycles));
}

/** Answers `GET path`: `/`, `/api/state` and `/api/switch/state` give all, other paths a part or the last call kept. */
export function readPath(state: SwitcherState, path: string, nowUnixUs: number): EngineRead {
  const segments = parsePath(path);
  if (isRefusal(segments)) return { status: 400, body: { error: segments.refused } };
  const view = viewAt(state, nowUnixUs);
  const key = segments.join("/");
  if (key === "" || key === "api/state" || key === "api/switch/state") return { status: 200, body: view };
  const [root, family, name] = segments;
  const part = root === "api" && segments.length <= 3 ? partOf(view, family, name) : undefined;
  const found: Json | undefined = part ?? valueOf(state.calls, path);
  if (found === undefined) return { status: 404, body: { error: `nothing is known under ${path}` } };
  return { status: 200, body: found };
}

function partOf(
  view: ReturnType<typeof viewAt>,
  family: string | undefined,
  name: string | undefined,
): Json | undefined {
  switch (family ?? "") {
    case "sources":
      return name === undefined ? view.sources : valueOf(view.sources, name);
    case "audio":
      return name === undefined
        ? { audioChannels: view.audioChannels, masterLevel: view.masterLevel }
        : valueOf(view.audioChannels, name);
    case "graphics":
      return name === undefined ? view.graphics : view.graphics.layers.find((layer) => String(layer.id) === name);
    case "layout":
      if (name === undefined) return view.layout;
      return name === "presets" ? view.layout.presets : undefined;
    case "presets":
      return name === undefined ? view.presets : view.presets.find((preset) => preset.id === name);
    case "macros":
      if (name === undefined) return view.macros;
      return name === "execution" ? { macro: view.macro } : valueOf(view.macros, name);
    default:
      return undefined;
  }
}
