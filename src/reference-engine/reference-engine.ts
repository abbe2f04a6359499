/**
 * The reference switcher behind the engine port: a small but real model of a video switcher, driven by the calls
 * of a real switcher's REST API.
 * The state is an immutable value, replaced by each command, so a snapshot costs nothing and never moves;
 * the same commands give the same state, because time is only ever the command's `executeAtUs`.
 */
import { Check } from "typebox/value";
import type { Json } from "../core/canonical-json.ts";
import type { Command } from "../core/command.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { Clock } from "../ports/basics.ts";
import type { Engine, EngineHealth, EngineRead, ExecuteOutcome } from "../ports/engine.ts";
import { isRefusal } from "./call.ts";
import { initialState } from "./initial-state.ts";
import { problemIn } from "./route.ts";
import { applyCall } from "./routes.ts";
import { SwitcherState } from "./state.ts";
import { withTally } from "./switching.ts";
import { advance } from "./timeline.ts";
import { validateCall } from "./validate.ts";
import { readPath } from "./view.ts";

/**
 * What one command makes of a state. A command whose identity (epoch, seq) is not after the last executed one changes
 * nothing. An execution time before the last one counts as the last one: the programme's time only rises.
 */
export function reduce(state: SwitcherState, command: Command): SwitcherState {
  const { epoch, seq, kind, payload } = command;
  if (epoch < state.epoch || (epoch === state.epoch && seq <= state.seq)) return state;
  const askedUs = Number.isFinite(command.executeAtUs) ? Math.round(command.executeAtUs) : 0;
  const atUs = Math.max(state.atUs, askedUs);
  const before: SwitcherState = { ...advance(state, atUs), epoch, seq, atUs, lastChangedBy: command.origin };
  const outcome = applyCall(before, kind, payload, { atUs, seq, id: `${epoch}-${seq}` });
  if (isRefusal(outcome)) return { ...before, lastError: outcome.refused };
  return advance(withTally({ ...outcome, lastError: null }, before), atUs);
}

/** Accepts the value as a switcher's state. Throws `invalid_value` with the place, the value and the bound. */
export function stateFrom(value: Json): SwitcherState {
  if (Check(SwitcherState, value)) return value;
  throw new ChangeoverError("invalid_value", `not a switcher's state: ${problemIn(SwitcherState, value, "state")}`);
}

/** The reference switcher. The clock is only asked when somebody wants to know what is on programme just now. */
export class ReferenceEngine implements Engine {
  readonly #clock: Pick<Clock, "unixMs">;
  #state: SwitcherState = initialState();

  constructor(components: { clock: Pick<Clock, "unixMs"> }) {
    this.#clock = components.clock;
  }

  validate(kind: string, payload: Json): string | null {
    return validateCall(kind, payload);
  }

  execute(command: Command): ExecuteOutcome {
    this.#state = reduce(this.#state, command);
    const repeated = command.epoch !== this.#state.epoch || command.seq !== this.#state.seq;
    return repeated || this.#state.lastError === null ? { ok: true } : { ok: false, error: this.#state.lastError };
  }

  snapshot(): Json {
    return this.#state;
  }

  restore(state: Json): void {
    this.#state = stateFrom(state);
  }

  /** Both engines render all the time: a switcher that follows does nothing else than one that leads. */
  onRole(): void {}

  health(): EngineHealth {
    return "ok";
  }

  programSource(): string {
    return advance(this.#state, this.#clock.unixMs() * 1_000).programSource;
  }

  read(path: string, nowUnixUs: number): EngineRead {
    return readPath(this.#state, path, nowUnixUs);
  }

  async close(): Promise<void> {}
}
