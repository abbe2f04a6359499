/**
 * Makes a plan of a stored macro: one flat list of pauses and calls, nested macros unfolded.
 * Bounded by steps and depth, also for macros that name each other in a ring; a step cannot start or change
 * a macro, so a plan that is running never grows.
 */
import type { Json } from "../core/canonical-json.ts";
import { type Refusal, isRefusal, parseKind, refused } from "./call.ts";
import { valueOf } from "./keyed.ts";
import { MAX_DURATION_MS, MAX_MACRO_DEPTH, MAX_PLAN_STEPS } from "./limits.ts";
import type { Macro, MacroStep, PlanStep } from "./state.ts";

/** Actions with a name of their own; any other action may be a call's kind, else it is kept under its name. */
const ACTIONS: Readonly<Record<string, string>> = {
  cut: "POST /api/switch/cut",
  preview: "POST /api/switch/preview",
  transition: "POST /api/switch/transition",
  ftb: "POST /api/switch/ftb",
  audio_level: "POST /api/audio/level",
  audio_mute: "POST /api/audio/mute",
  audio_afv: "POST /api/audio/afv",
  audio_trim: "POST /api/audio/trim",
  audio_master: "POST /api/audio/master",
  layout: "PUT /api/layout",
};

type Macros = Readonly<Record<string, Macro>>;

/** What one stored step asks for. */
type StepMeaning = PlanStep | { macro: string };

/** Reads one stored step, or says what is wrong with it. */
export function meaningOf(step: MacroStep): StepMeaning | Refusal {
  const params = step.params ?? {};
  if (step.action === "wait") return pause(params["durationMs"]);
  if (step.action === "macro") {
    const name = params["name"];
    return typeof name === "string" ? { macro: name } : refused(`name: ${JSON.stringify(name)}, must be a string`);
  }
  return asCall(step.action, params);
}

function pause(durationMs: Json | undefined): StepMeaning | Refusal {
  const valid = typeof durationMs === "number" && durationMs >= 0 && durationMs <= MAX_DURATION_MS;
  if (valid) return { waitMs: durationMs };
  return refused(`durationMs: ${JSON.stringify(durationMs)}, must be a number of 0 to ${MAX_DURATION_MS}`);
}

function asCall(action: string, params: Readonly<Record<string, Json>>): StepMeaning | Refusal {
  const kind = valueOf(ACTIONS, action) ?? action;
  if (!kind.includes(" /")) {
    return { kind: `POST /macro-actions/${encodeURIComponent(action)}`, payload: params };
  }
  const target = parseKind(kind);
  if (isRefusal(target)) return target;
  const [root, family, name, verb] = target.segments;
  if (root !== "api" || family !== "macros") return { kind, payload: params };
  if (target.method === "POST" && name !== undefined && verb === "run") return { macro: name };
  return refused(`action: ${JSON.stringify(action)}, a step may run a macro but not change one`);
}

/** The flat list of steps of the macro `name`, or why there is none. */
export function planOf(macros: Macros, name: string): PlanStep[] | Refusal {
  const plan: PlanStep[] = [];
  const visit = { steps: 0 };
  const problem = unfold(macros, name, 1, visit, plan);
  return problem ?? plan;
}

/** Counts every step it visits, not only those it plans: empty macros nested in each other are work as well. */
function unfold(
  macros: Macros,
  name: string,
  depth: number,
  visit: { steps: number },
  plan: PlanStep[],
): Refusal | null {
  if (depth > MAX_MACRO_DEPTH) return refused(`macro: ${JSON.stringify(name)} nested deeper than ${MAX_MACRO_DEPTH}`);
  const macro = valueOf(macros, name);
  if (macro === undefined) return refused(`macro: ${JSON.stringify(name)} is not stored`);
  for (const step of macro.steps) {
    visit.steps += 1;
    if (visit.steps > MAX_PLAN_STEPS) return refused(`macro: more than ${MAX_PLAN_STEPS} steps`);
    const meaning = meaningOf(step);
    if (isRefusal(meaning)) return meaning;
    if (!("macro" in meaning)) plan.push(meaning);
    else {
      const problem = unfold(macros, meaning.macro, depth + 1, visit, plan);
      if (problem !== null) return problem;
    }
  }
  return null;
}
