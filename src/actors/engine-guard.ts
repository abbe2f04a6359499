/**
 * Stands between the coordinator and the engine, and checks at run time what every hook gives back [A38]. A
 * program without types may throw, return nothing or the wrong type, or give a promise that never settles.
 * Keeps true: nothing that a hook does ends the process or stops the pair; each fault is one alarm, `engine-hook`, that
 * names the hook, what it gave and what it must give. No promise of the engine is left without somebody who catches.
 */
import { MAX_DEPTH, type Json } from "../core/canonical-json.ts";
import type { Command, LogPosition } from "../core/command.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { Clock } from "../ports/basics.ts";
import type {
  Engine,
  EngineHealth,
  EngineLink,
  EngineRead,
  EngineSign,
  ExecuteOutcome,
  RoleChange,
} from "../ports/engine.ts";
import type { Alarms } from "./alarms.ts";
import { inTurns } from "./checksum.ts";
import { Patience } from "./patience.ts";

const HOOKS = [
  "validate",
  "execute",
  "snapshot",
  "restore",
  "onRole",
  "health",
  "programSource",
  "read",
  "close",
] as const;
/** Hooks that an engine may leave out. */
const OPTIONAL_HOOKS = ["position", "watch", "link", "repeatRole"] as const;
type Hook = (typeof HOOKS)[number] | (typeof OPTIONAL_HOOKS)[number];
/** Hooks that may answer with the project's own error, such as `engine_not_ready`. */
const MAY_REFUSE: ReadonlySet<Hook> = new Set(["snapshot", "restore", "read", "position", "repeatRole"]);

/** Hooks of an engine over the wire that are named in the alarm at most. */
const MAX_NAMED_HOOKS = 16;

/** How long a hook may take to settle, ms. An engine that bounds its own hooks is not bounded a second time. */
const LIMIT_MS: Readonly<Record<Hook, number>> = {
  validate: 0,
  execute: 2_000,
  snapshot: 10_000,
  restore: 10_000,
  onRole: 2_000,
  repeatRole: 2_000,
  health: 0,
  programSource: 0,
  read: 2_000,
  position: 2_000,
  watch: 0,
  link: 0,
  close: 2_000,
};
/** How long the first call may take, ms. Commands wait for a snapshot: as long as one attempt of a command may take. */
const FIRST_SNAPSHOT_MS = 500;
/** For a restore no command waits that could be executed, and one that is tried again may meet the first still under way. */
const FIRST_RESTORE_MS = 2_000;
/** One call without an answer is lost. After so many in a row, people hear that the hook hangs. */
const UNANSWERED_TILL_ALARM = 2;
/** The alarm stands at least this long after the last fault, so that a person sees it, ms. */
const SHOWN_MS = 10_000;
/** Values of a state that are checked at one go. */
const GO = 2_048;
/** Longest source on programme: it travels in every heartbeat. */
const MAX_SOURCE_CHARS = 4_096;
const MAX_SHOWN_CHARS = 120;

/** What a check says is wrong; null: nothing. */
type Fault = string | null;

interface ShownFault {
  readonly detail: string;
  readonly atMs: number;
  /** The hook has answered well since. */
  readonly isOver: boolean;
}

export class EngineGuard implements Engine {
  /** Why the engine is not fit, whatever it says itself; null: it is. Set by the one who keeps it. */
  unfit: string | null = null;
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #alarms: Alarms;
  #repeating = false;
  #closed = false;
  readonly #patience: { readonly snapshot: Patience; readonly restore: Patience };
  readonly #faults = new Map<string, ShownFault>();

  /** @throws ChangeoverError `invalid_configuration` for an engine that lacks a hook */
  constructor(components: { readonly engine: Engine; readonly clock: Clock; readonly alarms: Alarms }) {
    this.#engine = components.engine;
    this.#clock = components.clock;
    this.#alarms = components.alarms;
    const limitMs = this.#engine.stateTimeoutMs ?? LIMIT_MS.restore;
    // A promise inside this process is never lost on its way: the engine is still at it.
    const restoreMs = this.#engine.boundsItself === true ? FIRST_RESTORE_MS : limitMs;
    this.#patience = {
      snapshot: new Patience({ firstMs: FIRST_SNAPSHOT_MS, limitMs }),
      restore: new Patience({ firstMs: restoreMs, limitMs }),
    };
    for (const hook of [...HOOKS, ...OPTIONAL_HOOKS]) {
      const given = (this.#engine as unknown as Readonly<Record<string, unknown>>)[hook];
      const isLeftOut = given === undefined && !HOOKS.some((needed) => needed === hook);
      if (typeof given === "function" || isLeftOut) continue;
      throw new ChangeoverError("invalid_configuration", `engine.${hook}: is ${shown(given)}, must be a function`, {
        details: { key: `engine.${hook}`, value: shown(given), bound: "a function" },
      });
    }
  }

  /** Throws `engine_not_ready` when the engine gives no judgement: the command is neither good nor bad. */
  validate(kind: string, payload: Json): string | null {
    const must = "null or a sentence that says what is wrong";
    const why = this.#now("validate", must, () => this.#engine.validate(kind, payload), isJudgement);
    if (why === FAULTY) throw this.#notReady("validate");
    return why;
  }

  execute(command: Command): ExecuteOutcome | Promise<ExecuteOutcome> {
    const must = "{ok: true} or {ok: false, error: a string}";
    const given = this.#call("execute", must, () => this.#engine.execute(command));
    const judge = (outcome: unknown): ExecuteOutcome =>
      this.#take("execute", must, outcome, isOutcome) ? outcome : { ok: false, error: this.#detail("execute") };
    if (given === FAULTY) return { ok: false, error: this.#detail("execute") };
    return isThenable(given) ? this.#executed(must, given, judge) : judge(given);
  }

  /** A promise that does not settle in time is given up: nobody knows whether the command was executed [EN3]. */
  async #executed(must: string, given: unknown, judge: (outcome: unknown) => ExecuteOutcome): Promise<ExecuteOutcome> {
    try {
      const outcome = await this.#settledWithin("execute", must, given, LIMIT_MS.execute);
      return outcome === FAULTY ? { ok: false, error: this.#detail("execute") } : judge(outcome);
    } catch (error) {
      if (!(error instanceof Unsettled)) throw error;
      this.#fault("execute", must, error.message);
      const unanswered = { ok: false, error: this.#detail("execute") } as const;
      return this.#closed ? unanswered : { ...unanswered, gaveUp: true };
    }
  }

  /**
   * Rejects with `engine_not_ready` for what is no state, and with `NoAnswer` when no answer came in time: one call without
   * an answer says nothing about the engine, which is judged by its health, its lifeline and what it executes [EN1–EN4].
   * The check of a large state gives way to other work.
   */
  async snapshot(): Promise<Json> {
    const must = "a JSON value";
    const given = await this.#patiently("snapshot", must, (withinMs) => this.#engine.snapshot(withinMs));
    if (given === FAULTY) throw this.#notReady("snapshot");
    let fault: Fault = null;
    const check = faultsOf(given);
    const first = check.next();
    if (first.done !== true && first.value !== null) fault = first.value;
    else if (first.done !== true) await inTurns(this.#clock, check, (found) => (fault ??= found));
    if (fault !== null) this.#fault("snapshot", must, `returned ${String(fault)}`);
    else this.#good("snapshot");
    if (fault !== null) throw this.#notReady("snapshot");
    return given as Json;
  }

  /** Rejects with `NoAnswer` when no answer came in time: nobody knows which state the engine has. */
  async restore(state: Json): Promise<void> {
    const must = "nothing, or a promise";
    const given = await this.#patiently("restore", must, (withinMs) => this.#engine.restore(state, withinMs));
    if (given === FAULTY) throw this.#notReady("restore");
    this.#good("restore");
  }

  async position(): Promise<LogPosition | null> {
    if (this.#engine.position === undefined) return null;
    const must = "null or {epoch, seq} of whole numbers";
    const given = await this.#later("position", must, () => this.#engine.position?.());
    return given !== FAULTY && this.#take("position", must, given, isPosition) ? (given ?? null) : null;
  }

  watch(listener: (sign: EngineSign) => void): void {
    const must = "nothing, and give its listener signs of the engine";
    this.#call("watch", must, () =>
      this.#engine.watch?.((sign) => {
        if (!this.#take("watch", must, sign, isSign, "gave its listener")) return;
        if (sign.type === "strange") this.#strange(sign.hook, sign.fault);
        else if (sign.type === "foreign") this.#alarms.set("engine-foreign", sign.why !== null, sign.why ?? "");
        else listener(sign);
      }),
    );
  }

  link(): EngineLink {
    if (this.#engine.link === undefined) return NO_LINK;
    const must = "{lifeline, note: null or a string}";
    const link = this.#now("link", must, () => this.#engine.link?.(), isLink);
    return link === FAULTY ? NO_LINK : link;
  }

  async onRole(change: RoleChange): Promise<void> {
    await this.#bounded(Promise.resolve(this.#engine.onRole(change)), LIMIT_MS.onRole);
  }

  /** One at a time: what is told every heartbeat does not pile up behind a hook that is slow [EN13]. */
  async repeatRole(role: RoleChange): Promise<void> {
    if (this.#repeating || this.#engine.repeatRole === undefined) return;
    this.#repeating = true;
    try {
      const must = "nothing, or a promise";
      const given = await this.#later("repeatRole", must, () => this.#engine.repeatRole?.(role));
      if (given !== FAULTY) this.#good("repeatRole");
    } catch {
      // The project's own error: the next heartbeat tells it again.
    } finally {
      this.#repeating = false;
    }
  }

  health(): EngineHealth {
    const must = '"ok", "degraded" or "failed"';
    const health = this.#now("health", must, () => this.#engine.health(), isHealth);
    if (this.unfit !== null) return "failed";
    return health === FAULTY ? "degraded" : health;
  }

  programSource(): string {
    const must = `a string of at most ${MAX_SOURCE_CHARS} characters`;
    const source = this.#now("programSource", must, () => this.#engine.programSource(), isSource);
    return source === FAULTY ? "" : source;
  }

  async read(path: string, nowUnixUs: number): Promise<EngineRead> {
    const must = "{status: a number from 200 to 599, body: a JSON value}";
    const given = await this.#later("read", must, () => this.#engine.read(path, nowUnixUs));
    if (given !== FAULTY && this.#take("read", must, given, isRead)) return given;
    return { status: 502, body: { error: this.#detail("read") } };
  }

  /** Always resolves: what is to be stopped is stopped, whatever the engine does. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#later("close", "a promise that settles", () => this.#engine.close());
  }

  /** It runs in a process of its own, which can start again without this one. */
  get isBeside(): boolean {
    return this.#engine.watch !== undefined;
  }

  /** The hook's answer at once; a promise is a fault. */
  #now<Value>(
    hook: Hook,
    must: string,
    call: () => unknown,
    is: (value: unknown) => value is Value,
  ): Value | typeof FAULTY {
    const given = this.#call(hook, must, call);
    if (given === FAULTY) return FAULTY;
    if (isThenable(given)) void Promise.resolve(given).catch(() => undefined);
    return this.#take(hook, must, given, is) ? given : FAULTY;
  }

  /** The hook's answer once it has settled. */
  async #later(hook: Hook, must: string, call: () => unknown): Promise<unknown> {
    const given = this.#call(hook, must, call);
    return given === FAULTY ? FAULTY : this.#settled(hook, must, given);
  }

  /** As `#later`, within the time that the hook is given now. */
  async #patiently(hook: "snapshot" | "restore", must: string, call: (withinMs: number) => unknown): Promise<unknown> {
    const patience = this.#patience[hook];
    const withinMs = patience.ms;
    const startedMs = this.#clock.monoMs();
    try {
      const given = this.#call(hook, must, () => call(withinMs));
      const settled = given === FAULTY ? FAULTY : await this.#settledWithin(hook, must, given, withinMs);
      patience.answered(this.#clock.monoMs() - startedMs);
      return settled;
    } catch (error) {
      const isLate = error instanceof Unsettled || this.#clock.monoMs() - startedMs >= withinMs;
      if (!isLate) throw error;
      patience.lost();
      const what = `gave no answer within ${Math.round(withinMs)} ms`;
      if (patience.lostInARow >= UNANSWERED_TILL_ALARM) this.#fault(hook, must, what);
      throw new NoAnswer(`engine.${hook}() ${what}`, withinMs);
    }
  }

  async #settledWithin(hook: Hook, must: string, given: unknown, limitMs: number): Promise<unknown> {
    try {
      return await this.#bounded(Promise.resolve(given), limitMs);
    } catch (error) {
      if (error instanceof Unsettled) throw error;
      return this.#threw(hook, must, error);
    }
  }

  #call(hook: Hook, must: string, call: () => unknown): unknown {
    try {
      return call();
    } catch (error) {
      return this.#threw(hook, must, error);
    }
  }

  async #settled(hook: Hook, must: string, given: unknown): Promise<unknown> {
    try {
      return await this.#bounded(Promise.resolve(given), LIMIT_MS[hook]);
    } catch (error) {
      return this.#threw(hook, must, error);
    }
  }

  /** What an engine says by the project's own error is an answer of the hooks that may give it, and passes. */
  #threw(hook: Hook, must: string, error: unknown): typeof FAULTY {
    if (MAY_REFUSE.has(hook) && safely(() => error instanceof ChangeoverError, false)) throw error;
    const said = saidBy(error);
    const isLate = safely(() => error instanceof Unsettled, false);
    this.#fault(hook, must, isLate ? said : `threw: ${said.slice(0, MAX_SHOWN_CHARS)}`);
    return FAULTY;
  }

  async #bounded(promise: Promise<unknown>, limitMs: number): Promise<unknown> {
    if (this.#engine.boundsItself === true) return promise;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => reject(new Unsettled(limitMs)), limitMs);
      const end = (): void => this.#clock.clearTimeout(timer);
      promise.then(resolve, reject).finally(end);
    });
  }

  #take<Value>(
    hook: Hook,
    must: string,
    given: unknown,
    is: (value: unknown) => value is Value,
    did = "returned",
  ): given is Value {
    if (safely(() => is(given), false)) {
      this.#good(hook);
      return true;
    }
    this.#fault(hook, must, `${did} ${shown(given)}`);
    return false;
  }

  #fault(hook: Hook, must: string, what: string): void {
    this.#faults.set(hook, {
      detail: `engine.${hook}() ${what}; must return ${must}`,
      atMs: this.#clock.monoMs(),
      isOver: false,
    });
    this.#show();
  }

  /** A command that the engine gave up again after it was restored; over with the next command that it answers. */
  cannotExecute(detail: string): void {
    this.#faults.set("execute", { detail, atMs: this.#clock.monoMs(), isOver: false });
    this.#show();
  }

  /** What a hook over the wire gave. */
  #strange(hook: string, fault: string | null): void {
    if (fault === null) return this.#good(hook);
    if (!this.#faults.has(hook) && this.#faults.size >= MAX_NAMED_HOOKS) return;
    this.#faults.set(hook, { detail: `${hook} gave ${fault}`, atMs: this.#clock.monoMs(), isOver: false });
    this.#show();
  }

  /** Some hooks are called once in hours: every good answer of any hook looks which alarms have been shown for long enough. */
  #good(hook: string): void {
    if (this.#faults.size === 0) return;
    const fault = this.#faults.get(hook);
    if (fault !== undefined) this.#faults.set(hook, { ...fault, isOver: true });
    const shownBeforeMs = this.#clock.monoMs() - SHOWN_MS;
    const over = [...this.#faults].filter(([, { isOver, atMs }]) => isOver && atMs <= shownBeforeMs);
    for (const [name] of over) this.#faults.delete(name);
    if (over.length > 0) this.#show();
  }

  #show(): void {
    const details = [...this.#faults.values()].map(({ detail }) => detail);
    this.#alarms.set("engine-hook", details.length > 0, details.join(" | "));
  }

  #detail(hook: Hook): string {
    return this.#faults.get(hook)?.detail ?? `engine.${hook}() gave no answer`;
  }

  #notReady(hook: Hook): ChangeoverError {
    return new HookFault(this.#detail(hook));
  }
}

/** What a thrown value says. Anything can be thrown, and anything can be the message of an error. */
export function saidBy(error: unknown): string {
  const said = safely<unknown>(() => (error instanceof Error ? error.message : null), null);
  return typeof said === "string" ? said : shown(error);
}

/** What a look at a value gives, or `otherwise` where the value itself throws: by a getter, or as a proxy. */
function safely<Value>(look: () => Value, otherwise: Value): Value {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

const NO_LINK: EngineLink = { lifeline: "unused", note: null };

/** A hook gave nothing that can be used; the alarm says what. */
const FAULTY = Symbol("faulty");

/** The engine gave no answer in the time that it was given; the next call gives it more. */
export class NoAnswer extends ChangeoverError {
  readonly withinMs: number;

  constructor(message: string, withinMs: number) {
    super("engine_not_ready", message, { retryable: true });
    this.name = "NoAnswer";
    this.withinMs = withinMs;
  }
}

/** The hook itself is at fault: it threw, or gave nothing that can be used. */
class HookFault extends ChangeoverError {
  constructor(message: string) {
    super("engine_not_ready", message, { retryable: true });
  }
}

/** The engine answered, and does not take the state. */
export function isRefusal(error: unknown): boolean {
  return error instanceof HookFault || (error instanceof ChangeoverError && error.code === "invalid_value");
}

class Unsettled extends Error {
  constructor(limitMs: number) {
    super(`returned a promise that did not settle within ${limitMs} ms`);
    this.name = "Unsettled";
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== "object" || value === null) return false;
  return safely(() => typeof (value as { then?: unknown }).then === "function", false);
}

function isJudgement(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function isOutcome(value: unknown): value is ExecuteOutcome {
  if (typeof value !== "object" || value === null) return false;
  const { ok, error } = value as { readonly ok?: unknown; readonly error?: unknown };
  return ok === true || (ok === false && typeof error === "string");
}

function isPosition(value: unknown): value is LogPosition | null | undefined {
  if (value === null || value === undefined) return true;
  if (typeof value !== "object") return false;
  const { epoch, seq } = value as Partial<LogPosition>;
  return Number.isSafeInteger(epoch) && Number.isSafeInteger(seq) && (seq as number) >= 0;
}

const LIFELINES: readonly unknown[] = [
  "opening",
  "live",
  "stalled",
  "none",
  "unused",
] satisfies EngineLink["lifeline"][];

function isLink(value: unknown): value is EngineLink {
  if (typeof value !== "object" || value === null) return false;
  const { lifeline, note } = value as Partial<Record<keyof EngineLink, unknown>>;
  return LIFELINES.includes(lifeline) && isTextOrNull(note);
}

function isSign(value: unknown): value is EngineSign {
  if (typeof value !== "object" || value === null) return false;
  const sign = value as Readonly<Record<string, unknown>>;
  switch (sign["type"]) {
    case "asked":
    case "refused":
      return true;
    case "answered":
      return (
        isTextOrNull(sign["instance"]) && isPositionOrNull(sign["position"]) && typeof sign["reconnected"] === "boolean"
      );
    case "line":
      return isTextOrNull(sign["instance"]) && isPositionOrNull(sign["position"]);
    case "silent":
      return typeof sign["why"] === "string";
    case "strange":
      return typeof sign["hook"] === "string" && isTextOrNull(sign["fault"]);
    case "foreign":
      return isTextOrNull(sign["why"]);
    default:
      return false;
  }
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === "string";
}

function isPositionOrNull(value: unknown): boolean {
  return value !== undefined && isPosition(value);
}

function isHealth(value: unknown): value is EngineHealth {
  return value === "ok" || value === "degraded" || value === "failed";
}

function isSource(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_SOURCE_CHARS && value.isWellFormed();
}

function isRead(value: unknown): value is EngineRead {
  if (typeof value !== "object" || value === null) return false;
  const { status, body } = value as { readonly status?: unknown; readonly body?: unknown };
  if (!Number.isInteger(status) || (status as number) < 200 || (status as number) > 599) return false;
  return (JSON.stringify(body) as string | undefined) !== undefined;
}

interface Open {
  readonly value: Readonly<Record<string, unknown>>;
  readonly keys: readonly string[] | null;
  readonly length: number;
  at: number;
}

/** Walks a state: yields what is wrong with it and ends, or null after every `GO` values. */
function* faultsOf(state: unknown): Generator<Fault, void, undefined> {
  try {
    yield* walk(state);
  } catch (error) {
    yield `a value that throws when it is read: ${saidBy(error).slice(0, MAX_SHOWN_CHARS)}`;
  }
}

function* walk(state: unknown): Generator<Fault, void, undefined> {
  const open: Open[] = [];
  let fault = enter(state, open, false);
  for (let count = 1; fault === null; count += 1) {
    const inner = open.at(-1);
    if (inner === undefined) return;
    if (count % GO === 0) yield null;
    if (inner.at >= inner.length) {
      open.pop();
      continue;
    }
    const key = inner.keys === null ? inner.at : (inner.keys[inner.at] as string);
    inner.at += 1;
    fault = enter(inner.value[key], open, inner.keys !== null);
  }
  yield `${fault} at ${pathOf(open)}`;
}

/** What is wrong with one value; a container is entered. A member that is undefined is left out by every writer. */
function enter(value: unknown, open: Open[], isMember: boolean): Fault {
  if (value === null || typeof value === "boolean" || (value === undefined && isMember)) return null;
  if (typeof value === "string") return value.isWellFormed() ? null : "a string with a lone surrogate";
  if (typeof value === "number") return Number.isFinite(value) ? null : `the number ${value}`;
  if (typeof value !== "object") return shown(value);
  if (open.length >= MAX_DEPTH) return `a value nested deeper than ${MAX_DEPTH}, or a cycle`;
  if (!isPlain(value)) return shown(value);
  const keys = Array.isArray(value) ? null : Object.keys(value);
  const length = keys === null ? (value as readonly unknown[]).length : keys.length;
  open.push({ value: value as Open["value"], keys, length, at: 0 });
  return null;
}

/** What JSON writes as it stands: no date, map, set, buffer or promise. */
function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype === Object.prototype || prototype === null) return true;
  const isObject = Object.prototype.toString.call(value) === "[object Object]";
  return isObject && typeof (value as { toJSON?: unknown }).toJSON !== "function";
}

function pathOf(open: readonly Open[]): string {
  const steps = open.map(({ keys, at }) => (keys === null ? `[${at - 1}]` : `.${keys[at - 1] ?? ""}`)).join("");
  return `state${steps}`.replace(/\.$/, "").slice(0, MAX_SHOWN_CHARS);
}

/** A value in a few words, for people. */
function shown(value: unknown): string {
  return safely(() => inWords(value), "an object that cannot be looked at");
}

function inWords(value: unknown): string {
  if (value === undefined) return "undefined";
  if (value === null) return "null";
  if (typeof value === "number" || typeof value === "boolean") return `${typeof value} ${String(value)}`;
  if (typeof value === "string") {
    return value.length > MAX_SHOWN_CHARS
      ? `a string of ${value.length} characters`
      : `the string ${JSON.stringify(value)}`;
  }
  if (typeof value !== "object") return `a ${typeof value}`;
  if (isThenable(value)) return "a promise";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  const keys = Object.keys(value).slice(0, 5).join(", ");
  return kind === "Object" ? `an object with ${keys === "" ? "no keys" : `the keys ${keys}`}` : `a ${kind}`;
}
