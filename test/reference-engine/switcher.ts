/** A reference switcher for tests: calls at milliseconds of the show, states that cannot be changed in place. */
import type { Json } from "../../src/core/canonical-json.ts";
import type { ExecuteOutcome } from "../../src/ports/engine.ts";
import { initialState } from "../../src/reference-engine/initial-state.ts";
import { reduce } from "../../src/reference-engine/reference-engine.ts";
import type { SwitcherState } from "../../src/reference-engine/state.ts";
import { viewAt } from "../../src/reference-engine/view.ts";
import { atMs, commandAt } from "../support/commands.ts";

/** Freezes a value with all that it holds, so that a change in place throws. */
export function frozen<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) frozen(item);
  }
  return value;
}

export class TestSwitcher {
  state: SwitcherState = frozen(initialState());
  #seq = 0;

  /** Executes a call at `ms` of the show. */
  call(ms: number, kind: string, payload: Json = {}): ExecuteOutcome {
    this.#seq += 1;
    this.state = frozen(reduce(this.state, commandAt(this.#seq, kind, payload, { executeAtUs: atMs(ms) })));
    return this.state.lastError === null ? { ok: true } : { ok: false, error: this.state.lastError };
  }

  /** What a reader sees at `ms` of the show. */
  at(ms: number): ReturnType<typeof viewAt> {
    return viewAt(this.state, atMs(ms));
  }
}
