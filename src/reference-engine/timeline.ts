/**
 * Brings a state to a later instant: completes what has ended by then and plays the macro steps that are due.
 * A pure function of state and instant, and the way does not matter: first to t1 and then to t2 is the same
 * as at once to t2. So both engines agree, anyone who was asked what and when.
 */
import { isRefusal } from "./call.ts";
import { settleGraphics } from "./graphics.ts";
import { MAX_PLAN_STEPS } from "./limits.ts";
import { applyCall } from "./routes.ts";
import type { MacroRun, SwitcherState } from "./state.ts";
import { settleSwitching, withTally } from "./switching.ts";

/** The state as it is at `toUs` when no further command comes. */
export function advance(state: SwitcherState, toUs: number): SwitcherState {
  let current = state;
  for (let played = 0; played <= MAX_PLAN_STEPS; played += 1) {
    const run = current.macro;
    if (run === null || run.nextAtUs > toUs) break;
    current = playStep(settle(current, run.nextAtUs), run);
  }
  return settle(current, toUs);
}

function settle(state: SwitcherState, atUs: number): SwitcherState {
  return withTally(settleGraphics(settleSwitching(state, atUs), atUs), state);
}

/** Plays the next step of the run. A step that fails is counted, and the macro goes on. */
function playStep(state: SwitcherState, run: MacroRun): SwitcherState {
  const step = run.steps[run.nextStep];
  if (step === undefined) {
    return { ...state, macro: null, lastMacro: { name: run.name, failedSteps: run.failedSteps } };
  }
  const next = { ...run, nextStep: run.nextStep + 1 };
  if ("waitMs" in step)
    return { ...state, macro: { ...next, nextAtUs: run.nextAtUs + Math.round(step.waitMs * 1_000) } };
  const at = { atUs: run.nextAtUs, seq: state.seq, id: `${run.callId}.${run.nextStep}` };
  const outcome = applyCall(state, step.kind, step.payload, at);
  if (isRefusal(outcome)) return { ...state, macro: { ...next, failedSteps: run.failedSteps + 1 } };
  return withTally({ ...outcome, macro: next }, state);
}
