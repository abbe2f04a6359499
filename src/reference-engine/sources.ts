/**
 * The calls of the inputs: add, remove, label, delay, position, key, transport settings.
 * A source that is on programme cannot be removed.
 */
import Type, { type Static } from "typebox";
import type { Json } from "../core/canonical-json.ts";
import { type Call, type Outcome, refused } from "./call.ts";
import { sizeOf, valueOf, without, withValue } from "./keyed.ts";
import { MAX_SETTINGS, MAX_SOURCES } from "./limits.ts";
import { keepCall } from "./other-calls.ts";
import { Duration, Name, NoBody, type Route, route } from "./route.ts";
import type { Source, SwitcherState } from "./state.ts";

const LongText = Type.String({ maxLength: 1_024 });
const NewSource = Type.Object({
  type: Name,
  key: Type.Optional(Name),
  label: Type.Optional(Name),
  mode: Type.Optional(Name),
  address: Type.Optional(LongText),
  streamID: Type.Optional(LongText),
  latencyMs: Type.Optional(Duration),
});
type NewSource = Static<typeof NewSource>;
const Setting = Type.Union([LongText, Type.Number(), Type.Boolean(), Type.Null()]);
const Settings = Type.Record(Type.String(), Setting, { maxProperties: MAX_SETTINGS });
type Settings = Static<typeof Settings>;

/** The key that the body asks for, else one made of the type and the end of the stream's id, else of the call's id. */
function keyFor(body: NewSource, call: Call<unknown>): string {
  if (body.key !== undefined) return body.key;
  const stream = body.streamID?.split("/").at(-1);
  return `${body.type}:${stream === undefined || stream === "" ? call.id : stream}`;
}

function addSource(state: SwitcherState, call: Call<NewSource>): Outcome {
  const { type, label, mode, address, streamID, latencyMs } = call.body;
  const key = keyFor(call.body, call);
  const count = sizeOf(state.sources);
  if (valueOf(state.sources, key) !== undefined) return refused(`payload.key: ${JSON.stringify(key)} exists already`);
  if (count >= MAX_SOURCES) return refused(`sources: ${count}, at most ${MAX_SOURCES}`);
  const srt: Record<string, Json> = {
    ...(mode === undefined ? {} : { mode }),
    ...(streamID === undefined ? {} : { streamID }),
    ...(address === undefined ? {} : { remoteAddr: address }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
  };
  const source: Source = { key, label: label ?? key, type, status: "starting", position: count + 1 };
  return { ...state, sources: withValue(state.sources, key, sizeOf(srt) === 0 ? source : { ...source, srt }) };
}

function removeSource(state: SwitcherState, call: Call<unknown>): Outcome {
  const key = call.params[0] ?? "";
  if (valueOf(state.sources, key) === undefined) return keepCall(state, call);
  if (key === state.programSource) return refused(`path: source ${JSON.stringify(key)} is on programme`);
  return { ...state, sources: without(state.sources, key) };
}

function change(state: SwitcherState, call: Call<unknown>, edit: (source: Source) => Source): Outcome {
  const key = call.params[0] ?? "";
  const source = valueOf(state.sources, key);
  if (source === undefined) return keepCall(state, call);
  return { ...state, sources: withValue(state.sources, key, edit(source)) };
}

/** Settings that the body does not name stay. */
function setTransport(state: SwitcherState, call: Call<Settings>): Outcome {
  const srt = { ...valueOf(state.sources, call.params[0] ?? "")?.srt, ...call.body };
  if (sizeOf(srt) > MAX_SETTINGS) return refused(`payload: ${sizeOf(srt)} settings in all, at most ${MAX_SETTINGS}`);
  return change(state, call, (source) => ({ ...source, srt }));
}

function withoutKeyer(source: Source): Source {
  const { keyer: _gone, ...rest } = source;
  return rest;
}

/** The calls under `/api/sources`. */
export const sourceRoutes: readonly Route[] = [
  route("POST", "/api/sources", NewSource, addSource),
  route("DELETE", "/api/sources/:key", NoBody, removeSource),
  route("POST", "/api/sources/:key/label", Type.Object({ label: Name }), (state, call) =>
    change(state, call, (source) => ({ ...source, label: call.body.label })),
  ),
  route("POST", "/api/sources/:key/delay", Type.Object({ delayMs: Duration }), (state, call) =>
    change(state, call, (source) => ({ ...source, delayMs: call.body.delayMs })),
  ),
  route(
    "PUT",
    "/api/sources/:key/position",
    Type.Object({ position: Type.Integer({ minimum: 0, maximum: 10_000 }) }),
    (state, call) => change(state, call, (source) => ({ ...source, position: call.body.position })),
  ),
  route("PUT", "/api/sources/:key/srt", Settings, setTransport),
  route("PUT", "/api/sources/:key/key", Settings, (state, call) =>
    change(state, call, (source) => ({ ...source, keyer: call.body })),
  ),
  route("DELETE", "/api/sources/:key/key", NoBody, (state, call) => change(state, call, withoutKeyer)),
];
