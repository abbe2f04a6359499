/**
 * The calls of the audio mixer: level, mute, audio-follows-video, trim, equaliser, compressor, delay, sum.
 * A channel exists from the first call that names its source on, with neutral settings.
 */
import Type from "typebox";
import { type Call, type Outcome, refused } from "./call.ts";
import { sizeOf, valueOf, withValue } from "./keyed.ts";
import { MAX_CHANNELS, MAX_EQ_BANDS } from "./limits.ts";
import { Duration, Name, type Route, route } from "./route.ts";
import type { AudioChannel, EqBand, SwitcherState } from "./state.ts";

const Decibels = Type.Number({ minimum: -200, maximum: 60 });
const Hertz = Type.Number({ minimum: 0, maximum: 192_000 });
const Milliseconds = Type.Number({ minimum: 0, maximum: 60_000 });

const DEFAULT_BAND_HZ = [100, 1_000, 8_000];

/** Any band may be set in part. */
const EqBody = Type.Object({
  band: Type.Integer({ minimum: 0, maximum: MAX_EQ_BANDS - 1 }),
  frequency: Type.Optional(Hertz),
  gain: Type.Optional(Decibels),
  q: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000 })),
  enabled: Type.Optional(Type.Boolean()),
});

const CompressorBody = Type.Object({
  threshold: Type.Optional(Decibels),
  ratio: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000 })),
  attack: Type.Optional(Milliseconds),
  release: Type.Optional(Milliseconds),
  makeupGain: Type.Optional(Decibels),
});

/** A channel with neutral settings. */
export function neutralChannel(): AudioChannel {
  return {
    level: 0,
    trim: 0,
    muted: false,
    afv: true,
    eq: DEFAULT_BAND_HZ.map(neutralBand),
    compressor: { threshold: -20, ratio: 4, attack: 10, release: 100, makeupGain: 0 },
    audioDelayMs: 0,
  };
}

function neutralBand(frequency: number): EqBand {
  return { frequency, gain: 0, q: 1, enabled: false };
}

function change(state: SwitcherState, source: string, edit: (channel: AudioChannel) => AudioChannel): Outcome {
  const channel = valueOf(state.audioChannels, source);
  if (channel === undefined && sizeOf(state.audioChannels) >= MAX_CHANNELS) {
    return refused(`source: ${JSON.stringify(source)} would be one channel too many, at most ${MAX_CHANNELS}`);
  }
  return { ...state, audioChannels: withValue(state.audioChannels, source, edit(channel ?? neutralChannel())) };
}

function firstParam(call: Call<unknown>): string {
  return call.params[0] ?? "";
}

/** Sets one band; bands before it that were never set are neutral. */
function withBand(bands: readonly EqBand[], index: number, patch: Partial<EqBand>): EqBand[] {
  const grown = [...bands];
  while (grown.length <= index) grown.push(neutralBand(1_000));
  return grown.map((band, at) => (at === index ? { ...band, ...patch } : band));
}

/** The calls under `/api/audio`. */
export const audioRoutes: readonly Route[] = [
  route("POST", "/api/audio/level", Type.Object({ source: Name, level: Decibels }), (state, { body }) =>
    change(state, body.source, (channel) => ({ ...channel, level: body.level })),
  ),
  route("POST", "/api/audio/mute", Type.Object({ source: Name, muted: Type.Boolean() }), (state, { body }) =>
    change(state, body.source, (channel) => ({ ...channel, muted: body.muted })),
  ),
  route("POST", "/api/audio/afv", Type.Object({ source: Name, afv: Type.Boolean() }), (state, { body }) =>
    change(state, body.source, (channel) => ({ ...channel, afv: body.afv })),
  ),
  route("POST", "/api/audio/trim", Type.Object({ source: Name, trim: Decibels }), (state, { body }) =>
    change(state, body.source, (channel) => ({ ...channel, trim: body.trim })),
  ),
  route("POST", "/api/audio/master", Type.Object({ level: Decibels }), (state, { body }) => ({
    ...state,
    masterLevel: body.level,
  })),
  route("PUT", "/api/audio/:source/eq", EqBody, (state, call) => {
    const { band, frequency, gain, q, enabled } = call.body;
    const patch: Partial<EqBand> = {
      ...(frequency === undefined ? {} : { frequency }),
      ...(gain === undefined ? {} : { gain }),
      ...(q === undefined ? {} : { q }),
      ...(enabled === undefined ? {} : { enabled }),
    };
    return change(state, firstParam(call), (channel) => ({ ...channel, eq: withBand(channel.eq, band, patch) }));
  }),
  route("PUT", "/api/audio/:source/compressor", CompressorBody, (state, call) =>
    change(state, firstParam(call), (channel) => ({
      ...channel,
      compressor: {
        threshold: call.body.threshold ?? channel.compressor.threshold,
        ratio: call.body.ratio ?? channel.compressor.ratio,
        attack: call.body.attack ?? channel.compressor.attack,
        release: call.body.release ?? channel.compressor.release,
        makeupGain: call.body.makeupGain ?? channel.compressor.makeupGain,
      },
    })),
  ),
  route("PUT", "/api/audio/:source/audio-delay", Type.Object({ delayMs: Duration }), (state, call) =>
    change(state, firstParam(call), (channel) => ({ ...channel, audioDelayMs: call.body.delayMs })),
  ),
];
