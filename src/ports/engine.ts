/**
 * The engine that makes the programme, seen from the coordinator: it executes commands, gives its state away and
 * takes one over, hears of role changes and says how it is.
 * The same commands from the same state give the same state on both engines of a pair.
 * It does not know which engine it is (reference switcher, HTTP hooks, scripts), nor who leads and why.
 */
import type { Json } from "../core/canonical-json.ts";
import type { Command, LogPosition } from "../core/command.ts";

/** `ok`: fit to be on air. `degraded`: works, with something wrong or not yet proven. `failed`: must not be on air. */
export type EngineHealth = "ok" | "degraded" | "failed";

/** What became of one command in the engine. A failure is reported and the log goes on. */
export type ExecuteOutcome =
  | { ok: true }
  /** `gaveUp`: the engine gave no answer; nobody knows whether it executed the command. */
  | { ok: false; error: string; gaveUp?: true };

/** What an engine in a process of its own shows of itself. */
export type EngineSign =
  /** It is asked how it is: what it answers is of this moment or later. */
  | { readonly type: "asked" }
  | {
      readonly type: "answered";
      /** Any text that changes when the engine starts over; null: it says none. */
      readonly instance: string | null;
      /** The last command that it executed; null: it says none. */
      readonly position: LogPosition | null;
      /** A connection was lost since the last answer. */
      readonly reconnected: boolean;
    }
  /** A line of its lifeline. It was written at some time before; what it says may be overtaken by answers to calls. */
  | { readonly type: "line"; readonly instance: string | null; readonly position: LogPosition | null }
  /** Its address refuses connections: the process is gone. */
  | { readonly type: "refused" }
  /** It has not answered several times, or its lifeline is silent. */
  | { readonly type: "silent"; readonly why: string }
  /** A hook over the wire gave what makes no sense; `fault` null: it gives good answers again. */
  | { readonly type: "strange"; readonly hook: string; readonly fault: string | null }
  /** What answers at its address is not this coordinator's engine; null: it is again. */
  | { readonly type: "foreign"; readonly why: string | null };

/** How a hang of the engine is detected. */
export interface EngineLink {
  /** `none`: the engine has no lifeline; `unused`: this kind of engine needs none. */
  readonly lifeline: "opening" | "live" | "stalled" | "none" | "unused";
  /** What a person should know, such as that a hang is detected late; null: nothing. */
  readonly note: string | null;
}

/** The engine's answer to a read: an HTTP status and a JSON body. */
export interface EngineRead {
  status: number;
  body: Json;
}

/** A change of role, told to the engine after it has happened. */
export interface RoleChange {
  role: "leader" | "follower";
  /** Epoch under which the new role holds. */
  epoch: number;
  previousRole: "leader" | "follower";
  /**
   * How long a leader's engine may drive something outside, ms from now; it is told again every `heartbeatMs` [EN12]. 0 for a
   * follower.
   */
  mayActForMs: number;
}

/** One engine. Every implementation passes `src/testing/engine-contract.ts`. */
export interface Engine {
  /** Every hook ends within a time of its own; left out: the coordinator bounds the hooks. */
  readonly boundsItself?: boolean;
  /** The longest that `snapshot` and `restore` may take, ms, for an engine that bounds itself. Left out: 10 000. */
  readonly stateTimeoutMs?: number;
  /**
   * Judges a command before it is numbered. `null` when it is acceptable, else a sentence that names field, value and
   * bound; the leader then answers 422 `invalid_command`. Depends on nothing but its arguments and never throws.
   */
  validate(kind: string, payload: Json): string | null;
  /**
   * Executes one command. Deterministic in (state, command). The identity of an execution is (epoch, seq): a repeated
   * identity is applied once and answered as the first time. Commands take effect in the order of the calls.
   */
  execute(command: Command): ExecuteOutcome | Promise<ExecuteOutcome>;
  /**
   * The state at one consistent moment. The value is never changed afterwards.
   * Throws `engine_not_ready` (retryable) when the engine cannot be reached. Commands wait meanwhile, so an engine that
   * bounds itself gives up after `withinMs`; the caller asks again and gives more time.
   */
  snapshot(withinMs?: number): Json | Promise<Json>;
  /**
   * Replaces the whole state, the identities already executed included, by what `snapshot` gave.
   * Throws `invalid_value` for what is not such a state, `engine_not_ready` when the engine cannot be reached; in both
   * cases the state stays as it was as far as the engine can say. `withinMs`: as for `snapshot`.
   */
  restore(state: Json, withinMs?: number): void | Promise<void>;
  /**
   * What it has last executed, for an engine that outlives its coordinator: asked once at a coordinator's start, which
   * then goes on from there instead of putting an older state in place. `null`, or no such method: it starts afresh.
   */
  position?(): LogPosition | null | Promise<LogPosition | null>;
  /** Shows whether the engine is there, for one in a process of its own. Called once. */
  watch?(listener: (sign: EngineSign) => void): void;
  /** How a hang is detected; left out: the engine runs in this process. */
  link?(): EngineLink;
  /** Tells a role change. Has its own budget of time, never throws, and never delays a demotion: do not wait for it. */
  onRole(change: RoleChange): void | Promise<void>;
  /**
   * Tells a leader's engine every `heartbeatMs` that its role stands, and for how long [EN12]. An engine that drives something
   * outside stops when `mayActForMs` has passed since the last call. Left out: the engine drives nothing.
   */
  repeatRole?(role: RoleChange): void | Promise<void>;
  /** Latest known health; never blocks. */
  health(): EngineHealth;
  /** Latest known source on programme; empty when the engine does not say. */
  programSource(): string;
  /**
   * Answers `GET /engine/*`. `path` begins with `/` and may carry a query. `nowUnixUs` is the instant, in µs of the pair's
   * clock, for which a position over time is wanted. Changes nothing.
   */
  read(path: string, nowUnixUs: number): EngineRead | Promise<EngineRead>;
  /** Ends timers, sockets and processes. May be called twice. */
  close(): Promise<void>;
}
