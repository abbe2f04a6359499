/**
 * An engine that is reached by scripts. As keepalived's users expect, a notify script is told each role change:
 * `SCRIPT INSTANCE <pair> <leader|follower> <epoch>` (keepalived gives type, name, state, priority in these places), and
 * `notifyLeader` or `notifyFollower` run before it, as `notify_master` and `notify_backup` do. The environment holds
 * `CHANGEOVER_PAIR`, `_LABEL`, `_ROLE`, `_PREVIOUS_ROLE`, `_EPOCH`.
 * With an `execute` script each command goes to its standard input as JSON (exit 0: done; another code: refused, with the
 * last line of its error output; killed or not to be started: given up [EN3]); without one, commands are only kept. `snapshot` writes the engine's own state to standard output,
 * `restore` reads it; `health` exits 0 ok, 1 degraded, else failed. All of these are optional.
 * The newest commands are kept here in every case, so both engines of a pair agree on a state; identities
 * count once; a script that overruns its budget is killed and delays nothing; an older notification gives way to a newer.
 * It does not know what is on programme.
 */
import Type, { type Static } from "typebox";
import { Check } from "typebox/value";
import type { Json } from "../core/canonical-json.ts";
import type { Command } from "../core/command.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { Clock, TimerHandle, Logger } from "../ports/basics.ts";
import type {
  Engine,
  EngineHealth,
  EngineLink,
  EngineRead,
  EngineSign,
  ExecuteOutcome,
  RoleChange,
} from "../ports/engine.ts";
import { foreignCommandProblem } from "./foreign-command.ts";
import { type RunningScript, type ScriptOutcome, type ScriptRun, startScript, processIn } from "./script.ts";
import { SerialQueue } from "./serial-queue.ts";

/** A program and its first arguments. */
type ScriptArgv = readonly string[];

/** Which scripts there are, and how long each may take. */
export interface ExecEngineInit {
  /** Name of the pair, second argument of a notify script. */
  pair: string;
  label: "a" | "b";
  notify?: ScriptArgv;
  notifyLeader?: ScriptArgv;
  notifyFollower?: ScriptArgv;
  execute?: ScriptArgv;
  snapshot?: ScriptArgv;
  restore?: ScriptArgv;
  health?: ScriptArgv;
  /** Each notify script. Default 2 000. */
  notifyBudgetMs?: number;
  /** `execute` and `health`. Default 1 000. */
  executeBudgetMs?: number;
  /** `snapshot` and `restore`. Default 10 000. */
  stateBudgetMs?: number;
  /** Pause between two runs of `health`. Default 1 000. */
  healthIntervalMs?: number;
  /** Watches the engine, as keepalived's `vrrp_script` does [EN4]: exit 0 is good. */
  track?: { command: ScriptArgv; intervalMs?: number; timeoutMs?: number; fall?: number; rise?: number };
  /** File with the id of the engine's process [EN4]. */
  pidFile?: string;
}

const DEFAULTS = { notifyBudgetMs: 2_000, executeBudgetMs: 1_000, stateBudgetMs: 10_000, healthIntervalMs: 1_000 };

const TRACK = { intervalMs: 1_000, fall: 1, rise: 1 };
/** Pause between two looks at the process of the pid file. */
const PROCESS_EVERY_MS = 20;

/** Commands that are kept. */
export const MAX_KEPT_COMMANDS = 256;
const MAX_STATE_BYTES = 67_108_864;
const MAX_ERROR_CHARS = 500;
const SNAPSHOT = "the snapshot script";

const AnyJson = Type.Unsafe<Json>({});
const ExecState = Type.Object({
  epoch: Type.Integer(),
  seq: Type.Integer(),
  lastError: Type.Union([Type.String(), Type.Null()]),
  recent: Type.Array(
    Type.Object({ epoch: Type.Integer(), seq: Type.Integer(), kind: Type.String(), payload: AnyJson }),
    { maxItems: MAX_KEPT_COMMANDS },
  ),
});
type ExecState = Static<typeof ExecState>;
/** What `snapshot` gives: what is kept here, and what the snapshot script wrote (`null` without one). */
const ExecSnapshot = Type.Object({ kept: ExecState, engine: AnyJson });

export class ExecEngine implements Engine {
  readonly boundsItself = true;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #init: ExecEngineInit & typeof DEFAULTS;
  readonly #queue = new SerialQueue();
  readonly #running = new Set<RunningScript>();
  #notifying: { script: RunningScript | null } | null = null;
  #healthTimer: TimerHandle | null = null;
  #trackTimer: TimerHandle | null = null;
  #processTimer: TimerHandle | null = null;
  #listener: ((sign: EngineSign) => void) | null = null;
  /** As `track` says; null: it has not said yet. */
  #tracked: { readonly good: boolean; readonly why: string } | null = null;
  /** Runs in a row that say otherwise. */
  #otherwise = 0;
  /** As the pid file says. */
  #process: string | null = null;
  #gone = false;
  #health: EngineHealth;
  #state: ExecState = { epoch: 0, seq: 0, lastError: null, recent: [] };
  #notified: Promise<void> = Promise.resolve();
  #closed = false;

  /** Begins to ask the health script at once, if there is one; until its first answer the engine is `degraded`. */
  constructor(components: { clock: Clock; logger?: Logger }, init: ExecEngineInit) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#init = { ...DEFAULTS, ...init };
    this.#health = init.health === undefined ? "ok" : "degraded";
    if (init.health !== undefined) void this.#pollHealth(init.health);
  }

  validate(kind: string, payload: Json): string | null {
    return foreignCommandProblem(kind, payload);
  }

  async execute(command: Command): Promise<ExecuteOutcome> {
    try {
      return await this.#queue.run(() => this.#executeOnce(command));
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : "unknown failure" };
    }
  }

  get stateTimeoutMs(): number {
    return this.#init.stateBudgetMs;
  }

  async snapshot(withinMs = this.#init.stateBudgetMs): Promise<Json> {
    return this.#queue.run(async () => {
      const script = this.#init.snapshot;
      if (script === undefined) return { kept: this.#state, engine: null };
      const budgetMs = Math.min(withinMs, this.#init.stateBudgetMs);
      const ended = await this.#run({ argv: script, env: {}, budgetMs });
      return { kept: this.#state, engine: this.#stateFrom(ended) };
    });
  }

  async restore(state: Json, withinMs = this.#init.stateBudgetMs): Promise<void> {
    if (!Check(ExecSnapshot, state)) throw new ChangeoverError("invalid_value", "not a state of an exec engine");
    await this.#queue.run(async () => {
      const script = this.#init.restore;
      if (script !== undefined) {
        const stdin = JSON.stringify(state.engine);
        const budgetMs = Math.min(withinMs, this.#init.stateBudgetMs);
        const ended = await this.#run({ argv: script, env: {}, stdin, budgetMs });
        const problem = problemOf(ended);
        if (problem !== null) throw notReady(`restore script: ${problem}`);
      }
      this.#state = state.kept;
    });
  }

  async onRole(change: RoleChange): Promise<void> {
    this.#notified = this.#notify(change);
    await this.#notified;
  }

  async #notify(change: RoleChange): Promise<void> {
    this.#notifying?.script?.kill();
    const mine: { script: RunningScript | null } = { script: null };
    this.#notifying = mine;
    const first = change.role === "leader" ? this.#init.notifyLeader : this.#init.notifyFollower;
    for (const script of [first, this.#init.notify]) {
      if (script === undefined || this.#notifying !== mine || this.#closed) continue;
      mine.script = this.#start(this.#notification(script, change));
      const problem = problemOf(await mine.script.done);
      if (problem !== null) this.#logger?.warn({ epoch: change.epoch, problem }, "notify script failed");
    }
    if (this.#notifying === mine) this.#notifying = null;
  }

  /** Begins to look at the process and to run `track`. */
  watch(listener: (sign: EngineSign) => void): void {
    this.#listener = listener;
    const { pidFile, track } = this.#init;
    if (pidFile !== undefined) this.#lookAtProcess(pidFile);
    if (track !== undefined) void this.#runTrack(track);
  }

  link(): EngineLink {
    const { pidFile, track } = this.#init;
    if (track !== undefined) return { lifeline: "unused", note: null };
    const note =
      pidFile === undefined
        ? "neither track nor pidFile is set: nobody notices when the engine dies or hangs"
        : "track is not set: nobody notices when the engine hangs";
    return { lifeline: "none", note };
  }

  health(): EngineHealth {
    if (this.#gone || this.#tracked?.good === false) return "failed";
    if (this.#init.track !== undefined && this.#tracked === null && this.#health === "ok") return "degraded";
    return this.#health;
  }

  programSource(): string {
    return "";
  }

  read(path: string, _nowUnixUs: number): EngineRead {
    if (path === "/") return { status: 200, body: this.#state };
    return { status: 404, body: { error: `nothing is known under ${path}` } };
  }

  /** Waits for the scripts of the last role, within their budget: one that was told to stop must not be cut short. */
  async close(): Promise<void> {
    await this.#notified;
    this.#closed = true;
    if (this.#healthTimer !== null) this.#clock.clearTimeout(this.#healthTimer);
    this.#healthTimer = null;
    for (const timer of [this.#trackTimer, this.#processTimer]) if (timer !== null) this.#clock.clearTimeout(timer);
    const running = [...this.#running];
    for (const script of running) script.kill();
    await Promise.all(running.map((script) => script.done));
  }

  async #executeOnce(command: Command): Promise<ExecuteOutcome> {
    const { epoch, seq, kind, payload } = command;
    const before = this.#state;
    if (epoch === before.epoch && seq === before.seq) return outcomeOf(before.lastError);
    if (epoch < before.epoch || (epoch === before.epoch && seq < before.seq)) return { ok: true };
    const ended = await this.#executeScript(command);
    // Nobody knows what a script that was killed has done: the engine is behind until it is restored [EN3].
    if (ended !== null && ended.outcome !== "exited") {
      const error = `the execute script gave no answer: ${ended.why}`;
      return this.#closed ? { ok: false, error } : { ok: false, error, gaveUp: true };
    }
    const lastError = ended === null ? null : problemOf(ended);
    const recent = [...before.recent, { epoch, seq, kind, payload }].slice(-MAX_KEPT_COMMANDS);
    this.#state = { epoch, seq, lastError, recent };
    return outcomeOf(lastError);
  }

  /** Null: there is no such script. */
  async #executeScript(command: Command): Promise<ScriptOutcome | null> {
    const argv = this.#init.execute;
    if (argv === undefined) return null;
    const env = { CHANGEOVER_EPOCH: String(command.epoch), CHANGEOVER_SEQ: String(command.seq) };
    const stdin = JSON.stringify(command);
    return this.#run({ argv, env, stdin, budgetMs: this.#init.executeBudgetMs });
  }

  #notification(script: ScriptArgv, change: RoleChange): ScriptRun {
    const { pair, notifyBudgetMs } = this.#init;
    return {
      argv: [...script, "INSTANCE", pair, change.role, String(change.epoch)],
      env: {
        CHANGEOVER_ROLE: change.role,
        CHANGEOVER_PREVIOUS_ROLE: change.previousRole,
        CHANGEOVER_EPOCH: String(change.epoch),
      },
      budgetMs: notifyBudgetMs,
    };
  }

  async #pollHealth(argv: ScriptArgv): Promise<void> {
    const ended = await this.#run({ argv, env: {}, budgetMs: this.#init.executeBudgetMs });
    if (this.#closed) return;
    this.#health = ended.outcome === "exited" && ended.code <= 1 ? (ended.code === 0 ? "ok" : "degraded") : "failed";
    this.#healthTimer = this.#clock.setTimeout(() => void this.#pollHealth(argv), this.#init.healthIntervalMs);
  }

  #lookAtProcess(pidFile: string): void {
    if (this.#closed) return;
    const found = processIn(pidFile);
    if (found === null && !this.#gone) {
      this.#gone = true;
      this.#listener?.({ type: "refused" });
    } else if (found !== null && (this.#gone || found !== this.#process)) {
      this.#process = found;
      this.#gone = false;
      this.#tellWell();
    }
    this.#processTimer = this.#clock.setTimeout(() => this.#lookAtProcess(pidFile), PROCESS_EVERY_MS);
  }

  async #runTrack(track: NonNullable<ExecEngineInit["track"]>): Promise<void> {
    const { command, intervalMs, fall, rise } = { ...TRACK, ...track };
    const problem = problemOf(await this.#run({ argv: command, env: {}, budgetMs: track.timeoutMs ?? intervalMs }));
    if (this.#closed) return;
    const good = problem === null;
    const known = this.#tracked?.good ?? !good;
    this.#otherwise = good === known ? 0 : this.#otherwise + 1;
    // The first good run is enough to begin with.
    if (this.#otherwise >= (good ? (this.#tracked === null ? 1 : rise) : fall)) {
      this.#otherwise = 0;
      this.#tracked = { good, why: problem ?? "" };
      this.#logger?.warn({ good, problem }, "the track command changed its mind");
      if (good) this.#tellWell();
      else this.#listener?.({ type: "silent", why: `engine.track failed ${fall} times in a row: ${problem}` });
    }
    this.#trackTimer = this.#clock.setTimeout(() => void this.#runTrack(track), intervalMs);
  }

  /** Nothing says that it is gone or hangs. Another process than before has lost its state. */
  #tellWell(): void {
    if (this.#gone || this.#tracked?.good === false) return;
    this.#listener?.({ type: "asked" });
    this.#listener?.({ type: "answered", instance: this.#process, position: null, reconnected: false });
  }

  /** What the snapshot script wrote; what is no state is named in an alarm. */
  #stateFrom(ended: ScriptOutcome): Json {
    let fault = problemOf(ended);
    try {
      if (fault === null && ended.outcome === "exited") {
        const state = JSON.parse(ended.stdout) as Json;
        this.#listener?.({ type: "strange", hook: SNAPSHOT, fault: null });
        return state;
      }
    } catch {
      fault = "output that is not JSON";
    }
    // One that ran out of time may only have been given little of it.
    if (ended.outcome === "exited") this.#listener?.({ type: "strange", hook: SNAPSHOT, fault });
    throw notReady(`${SNAPSHOT}: ${fault}`);
  }

  async #run(run: ScriptRun): Promise<ScriptOutcome> {
    return this.#start(run).done;
  }

  #start(run: ScriptRun): RunningScript {
    if (this.#closed) return { done: Promise.resolve({ outcome: "failed", why: "closed" }), kill: () => undefined };
    const env = { CHANGEOVER_PAIR: this.#init.pair, CHANGEOVER_LABEL: this.#init.label, ...run.env };
    const script = startScript({ clock: this.#clock }, { ...run, env, maxStdoutBytes: MAX_STATE_BYTES });
    this.#running.add(script);
    void script.done.then(() => this.#running.delete(script));
    return script;
  }
}

function outcomeOf(error: string | null): ExecuteOutcome {
  return error === null ? { ok: true } : { ok: false, error };
}

/** What went wrong with a script, or `null`. */
function problemOf(ended: ScriptOutcome): string | null {
  if (ended.outcome !== "exited") return ended.why;
  if (ended.code === 0) return null;
  const said = ended.stderr.trim().split("\n").at(-1) ?? "";
  return said === "" ? `exit ${ended.code}` : `exit ${ended.code}: ${said.slice(0, MAX_ERROR_CHARS)}`;
}

function notReady(message: string): ChangeoverError {
  return new ChangeoverError("engine_not_ready", message, { retryable: true });
}
