/**
 * The calls of the macros: store, remove, run, cancel.
 * One macro runs at a time; a newer run replaces an older one.
 * It does not know how a running macro is played; see `timeline.ts`.
 */
import Type, { type Static } from "typebox";
import type { Json } from "../core/canonical-json.ts";
import { type Call, type Outcome, isRefusal, refused } from "./call.ts";
import { sizeOf, valueOf, without, withValue } from "./keyed.ts";
import { MAX_KIND_CHARS, MAX_MACROS, MAX_MACRO_CHARS, MAX_PLAN_STEPS } from "./limits.ts";
import { meaningOf, planOf } from "./macro-plan.ts";
import { keepCall } from "./other-calls.ts";
import { Name, NoBody, type Route, route } from "./route.ts";
import type { MacroStep, SwitcherState } from "./state.ts";

const StepBody = Type.Object({
  action: Type.String({ minLength: 1, maxLength: MAX_KIND_CHARS }),
  params: Type.Optional(Type.Record(Type.String(), Type.Unsafe<Json>({}))),
});
const MacroBody = Type.Object({
  name: Type.Optional(Name),
  steps: Type.Array(StepBody, { maxItems: MAX_PLAN_STEPS }),
});
type MacroBody = Static<typeof MacroBody>;

function storeMacro(state: SwitcherState, call: Call<MacroBody>): Outcome {
  const name = call.params[0] ?? "";
  if (valueOf(state.macros, name) === undefined && sizeOf(state.macros) >= MAX_MACROS) {
    return refused(`path: macro ${JSON.stringify(name)} would be one too many, at most ${MAX_MACROS}`);
  }
  return { ...state, macros: withValue(state.macros, name, { name, steps: call.body.steps.map(stored) }) };
}

function judgeSteps(body: MacroBody): string | null {
  for (const [index, step] of body.steps.entries()) {
    const meaning = meaningOf(step);
    if (isRefusal(meaning)) return `payload.steps.${index}.${meaning.refused}`;
  }
  return null;
}

function stored(step: MacroStep): MacroStep {
  return step.params === undefined ? { action: step.action } : { action: step.action, params: step.params };
}

function run(state: SwitcherState, call: Call<unknown>): Outcome {
  const name = call.params[0] ?? "";
  if (valueOf(state.macros, name) === undefined) return keepCall(state, call);
  const steps = planOf(state.macros, name);
  if (isRefusal(steps)) return steps;
  return { ...state, macro: { name, callId: call.id, steps, nextStep: 0, nextAtUs: call.atUs, failedSteps: 0 } };
}

function cancel(state: SwitcherState, call: Call<unknown>): Outcome {
  return state.macro === null ? keepCall(state, call) : { ...state, macro: null };
}

/** The calls under `/api/macros`. A macro cannot be named `execution`: the path belongs to the running one. */
export const macroRoutes: readonly Route[] = [
  route("DELETE", "/api/macros/execution", NoBody, cancel),
  route("POST", "/api/macros/execution/cancel", NoBody, cancel),
  route("PUT", "/api/macros/:name", MacroBody, storeMacro, { judge: judgeSteps, maxPayloadChars: MAX_MACRO_CHARS }),
  route("DELETE", "/api/macros/:name", NoBody, (state, call) => {
    const name = call.params[0] ?? "";
    if (valueOf(state.macros, name) === undefined) return keepCall(state, call);
    return { ...state, macros: without(state.macros, name) };
  }),
  route("POST", "/api/macros/:name/run", NoBody, run),
];
