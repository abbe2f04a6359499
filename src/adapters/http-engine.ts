/**
 * An engine in any language, driven by hooks over HTTP: `POST /execute`, `GET /snapshot`, `POST /restore`,
 * `POST /role`, `GET /health` below one base URL. `examples/http-engine/README.md` says what each hook is sent.
 * Calls that touch the state go out one after the other, in order; a call that is repeated carries the same
 * identity; role changes do not wait behind them, and the newest is told again until the engine has taken it.
 * It does not know what a command means. Whether the engine keeps identities apart is the engine's duty.
 */
import type { Json } from "../core/canonical-json.ts";
import type { Command, LogPosition } from "../core/command.ts";
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
import { type EngineReport, readReport, shown } from "./engine-report.ts";
import { foreignCommandProblem } from "./foreign-command.ts";
import { type HttpAnswer, HttpClient } from "./http-client.ts";
import { Lifeline } from "./lifeline.ts";
import { SerialQueue } from "./serial-queue.ts";

/** Where the engine is, and how long each hook may take. */
export interface HttpEngineInit {
  /** Such as `http://127.0.0.1:9101`; a path below which the hooks lie is allowed. */
  baseUrl: string;
  /** One attempt of `POST /execute`. Default 500. */
  executeTimeoutMs?: number;
  /** Attempts of one command, all with the same identity. Default 3. */
  executeAttempts?: number;
  /** Pause before the second attempt; doubles. Default 50. */
  retryDelayMs?: number;
  /** `GET /snapshot` and `POST /restore`. Default 10 000. */
  stateTimeoutMs?: number;
  /** `POST /role`. Default 500. */
  roleTimeoutMs?: number;
  /** `GET /health` and reads. Default 500. */
  healthTimeoutMs?: number;
  /** Pause between two polls of the health. Default 500. */
  healthIntervalMs?: number;
  /** Bytes of a state, and of a read. Default 64 MiB. */
  maxStateBytes?: number;
  /** Bearer token for the hooks. */
  token?: string;
  /** How often the engine writes a line to `GET /lifeline`, and after how many missing lines it is stalled [EN2]. */
  lifeline?: { intervalMs?: number; missLimit?: number };
}

/** Over which the hooks are called. */
export type HookClient = Pick<HttpClient, "call" | "close">;
/** What stands for the network in the virtual world. */
export interface EngineConnection {
  readonly client: HookClient;
  readonly lifeline: Pick<Lifeline, "state" | "open" | "close">;
}

const DEFAULTS = {
  executeTimeoutMs: 500,
  executeAttempts: 3,
  retryDelayMs: 50,
  stateTimeoutMs: 10_000,
  roleTimeoutMs: 500,
  healthTimeoutMs: 500,
  healthIntervalMs: 500,
  maxStateBytes: 67_108_864,
};

/** Polls in a row without a good answer after which the engine counts as failed. */
const FAILED_AFTER_POLLS = 3;
/** Pause between two looks at an engine whose connection was lost: one that closes after every answer is no storm. */
const LOOK_AGAIN_MS = 10;
const MAX_RETRY_DELAY_MS = 2_000;
const MAX_ERROR_CHARS = 500;
/** Of an answer that is no state and no read: it is parsed in one turn of the loop. */
const MAX_ANSWER_BYTES = 1_048_576;
const LIFELINE = { intervalMs: 20, missLimit: 5 };
/** Looks in a row at which `/health` and the lifeline name different instances. A restart explains one or two. */
const TWO_ENGINES_AFTER_LOOKS = 3;

export class HttpEngine implements Engine {
  readonly boundsItself = true;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #init: HttpEngineInit & typeof DEFAULTS;
  readonly #baseUrl: string;
  readonly #client: HookClient;
  readonly #queue = new SerialQueue();
  readonly #lifeline: Pick<Lifeline, "state" | "open" | "close">;
  #lineInstance: string | null = null;
  #looksApart = 0;
  /** Hooks that gave what makes no sense, until they give something good. */
  readonly #strange = new Set<string>();
  #foreign: string | null = null;
  #pollTimer: TimerHandle | null = null;
  #endPause: (() => void) | null = null;
  #missedPolls = 0;
  #health: EngineHealth = "degraded";
  #programSource = "";
  #untoldRole: ToldRole | null = null;
  #telling: Promise<void> | null = null;
  #roleTrouble: string | null = null;
  #listener: ((sign: EngineSign) => void) | null = null;
  /** A connection was lost since the last answer. */
  #lost = false;
  #looking: Promise<void> | null = null;
  /** What the present look found is no proof: the next one comes at once. */
  #lookAgain = false;
  /** A connection broke since the last answer to a look: another process may listen there now. */
  #mayBeNew = false;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  /**
   * Begins to poll the health at once; until the first answer it is `degraded`. `connect`: another network than the
   * real one; `onLost` is called when a connection over which an answer came was closed.
   */
  constructor(
    components: { clock: Clock; logger?: Logger; connect?: (onLost: () => void) => EngineConnection },
    init: HttpEngineInit,
  ) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#init = { ...DEFAULTS, ...init };
    this.#baseUrl = init.baseUrl.replace(/\/+$/, "");
    const onLost = (): void => this.#lookSoon();
    const given = components.connect?.(onLost);
    this.#client = given?.client ?? new HttpClient(components, { onLost });
    this.#lifeline = given?.lifeline ?? this.#newLifeline();
    void this.#poll();
  }

  #newLifeline(): Lifeline {
    return new Lifeline(
      { clock: this.#clock },
      {
        ...{ ...LIFELINE, ...this.#init.lifeline },
        url: `${this.#baseUrl}/lifeline`,
        headers: this.#authorization(),
        openTimeoutMs: this.#init.healthTimeoutMs,
      },
      {
        onLine: (report) => this.#onLine(report),
        onStalled: () => this.#onStalled(),
        onEnded: (refused) => this.#onLifelineEnded(refused),
        onStrange: (fault) => this.#reportStrange("GET /lifeline", fault),
      },
    );
  }

  link(): EngineLink {
    const { state } = this.#lifeline;
    if (state.at !== "none") return { lifeline: state.at, note: null };
    const lateMs = FAILED_AFTER_POLLS * (this.#init.healthTimeoutMs + this.#init.healthIntervalMs);
    const note = `${state.why}: the engine is polled on /health instead, so a hang is detected late, after about ${lateMs} ms`;
    return { lifeline: "none", note };
  }

  validate(kind: string, payload: Json): string | null {
    return foreignCommandProblem(kind, payload);
  }

  async execute(command: Command): Promise<ExecuteOutcome> {
    try {
      return await this.#queue.run(() => this.#executeWithRetries(command));
    } catch (error) {
      return { ok: false, error: error instanceof Error ? error.message : "unknown failure" };
    }
  }

  get stateTimeoutMs(): number {
    return this.#init.stateTimeoutMs;
  }

  async snapshot(withinMs = this.#init.stateTimeoutMs): Promise<Json> {
    return this.#queue.run(async () => {
      const timeoutMs = Math.min(withinMs, this.#init.stateTimeoutMs);
      const answer = await this.#hook("GET", "/snapshot", { timeoutMs, maxBytes: this.#init.maxStateBytes });
      if (answer.outcome !== "answered" || !isSuccess(answer.status)) throw notReady("snapshot", answer);
      if (!answer.isJson) {
        // An error page must not become the state of the pair [EN11].
        const fault = `${shown(answer.body ?? "")} is not JSON`;
        this.#reportStrange("GET /snapshot", fault);
        const message = `the engine gives no state: GET /snapshot: ${fault}`;
        throw new ChangeoverError("engine_not_ready", message, { retryable: true });
      }
      this.#reportGood("GET /snapshot");
      // It may have been started again just before: the caller must know before it uses this state [EN11].
      if (this.#listener !== null) await this.#look();
      return answer.body;
    });
  }

  async restore(state: Json, withinMs = this.#init.stateTimeoutMs): Promise<void> {
    await this.#queue.run(async () => {
      const timeoutMs = Math.min(withinMs, this.#init.stateTimeoutMs);
      const answer = await this.#hook("POST", "/restore", { body: state, timeoutMs });
      if (answer.outcome === "answered" && isSuccess(answer.status)) return;
      if (answer.outcome === "answered" && answer.status < 500) {
        throw new ChangeoverError("invalid_value", `the engine refuses the state: ${errorText(answer)}`);
      }
      throw notReady("restore", answer);
    });
  }

  async position(): Promise<LogPosition | null> {
    const answer = await this.#hook("GET", "/health", { timeoutMs: this.#init.healthTimeoutMs });
    const good = answer.outcome === "answered" && isSuccess(answer.status);
    const position = good ? (readReport(answer.body).report?.position ?? null) : null;
    return position === null || position.seq === 0 ? null : position;
  }

  watch(listener: (sign: EngineSign) => void): void {
    this.#listener = listener;
    this.#lookSoon();
    this.#lifeline.open();
  }

  async onRole(change: RoleChange): Promise<void> {
    this.#untoldRole = this.#toTell(change, this.#init.roleTimeoutMs);
    await this.#tellNewestRole();
  }

  async repeatRole(role: RoleChange): Promise<void> {
    // A change that is not told yet is told first, and carries the newest time.
    const timeoutMs = this.#untoldRole?.timeoutMs ?? Math.min(this.#init.roleTimeoutMs, this.#init.healthIntervalMs);
    this.#untoldRole = this.#toTell(role, timeoutMs);
    await this.#tellNewestRole();
  }

  #toTell({ mayActForMs, ...role }: RoleChange, timeoutMs: number): ToldRole {
    return { ...role, timeoutMs, untilMs: this.#clock.monoMs() + mayActForMs };
  }

  health(): EngineHealth {
    return this.#lifeline.state.at === "stalled" ? "failed" : this.#health;
  }

  programSource(): string {
    return this.#programSource;
  }

  async read(path: string, _nowUnixUs: number): Promise<EngineRead> {
    if (!path.startsWith("/")) return { status: 400, body: { error: `path: ${path}, must begin with "/"` } };
    if (!isBelow(this.#baseUrl, path))
      return { status: 400, body: { error: `path: ${path}, leads out of the engine` } };
    const { healthTimeoutMs: timeoutMs, maxStateBytes: maxBytes } = this.#init;
    const answer = await this.#hook("GET", path, { timeoutMs, maxBytes });
    if (answer.outcome === "answered") return { status: answer.status, body: answer.body };
    return { status: 502, body: { error: `the engine does not answer: ${answer.why}` } };
  }

  /** Waits for the role that is being told, `roleTimeoutMs` at most: an engine must not go on as leader on its own. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#pollTimer !== null) this.#clock.clearTimeout(this.#pollTimer);
    this.#pollTimer = null;
    this.#lifeline.close();
    this.#endPause?.();
    await this.#telling;
    this.#client.close();
  }

  async #executeWithRetries(command: Command): Promise<ExecuteOutcome> {
    const identity = `${command.epoch}-${command.seq}`;
    const headers = {
      "x-changeover-epoch": String(command.epoch),
      "x-changeover-seq": String(command.seq),
      "idempotency-key": identity,
    };
    let last: HttpAnswer = { outcome: "unreachable", why: "closed" };
    for (let attempt = 1; attempt <= this.#init.executeAttempts && !this.#closed; attempt += 1) {
      if (attempt > 1) await this.#pause(Math.min(this.#init.retryDelayMs * 2 ** (attempt - 2), MAX_RETRY_DELAY_MS));
      // An engine that was started again must not execute this on its empty state: the watcher hears of it first [EN9].
      if (this.#mayBeNew && this.#listener !== null) await this.#look();
      if (this.#mayBeNew && this.#listener !== null) {
        last = { outcome: "unreachable", why: "its connection broke, and it does not answer" };
        continue;
      }
      const timeoutMs = this.#init.executeTimeoutMs;
      last = await this.#hook("POST", "/execute", { body: command as unknown as Json, headers, timeoutMs });
      if (last.outcome === "answered" && !isWorthRepeating(last)) return this.#outcomeOf(last.status, last);
      if (last.outcome === "unreachable" && isBroken(last.why)) this.#mayBeNew = true;
    }
    this.#health = "failed";
    const error = `the engine does not execute: ${errorText(last)}`;
    return this.#closed ? { ok: false, error } : { ok: false, error, gaveUp: true };
  }

  #outcomeOf(status: number, answer: HttpAnswer): ExecuteOutcome {
    if (!isSuccess(status)) return { ok: false, error: errorText(answer) };
    this.#learnProgramSource(answer);
    return { ok: true };
  }

  async #poll(): Promise<void> {
    this.#pollTimer = null;
    await this.#look();
    if (this.#closed) return;
    if (this.#missedPolls === 0) await this.#tellNewestRole();
    this.#pollAfter(this.#lookAgain && this.#missedPolls <= 1 ? LOOK_AGAIN_MS : this.#init.healthIntervalMs);
  }

  #pollAfter(ms: number): void {
    if (this.#closed) return;
    if (this.#pollTimer !== null) this.#clock.clearTimeout(this.#pollTimer);
    this.#pollTimer = this.#clock.setTimeout(() => void this.#poll(), ms);
  }

  /** A connection was lost: the process may be gone, and the next connection tells [EN1]. */
  #lookSoon(): void {
    this.#lost = true;
    this.#mayBeNew = true;
    this.#lookAgain = true;
    // One that breaks every connection without a good answer is known to be unwell: it is asked at the usual pace [EN1].
    const pauseMs = this.#missedPolls > 1 ? this.#init.healthIntervalMs : LOOK_AGAIN_MS;
    this.#pollAfter(Math.max(0, this.#lookedAtMs + pauseMs - this.#clock.monoMs()));
  }

  /** One look at the engine at a time; one that is asked for meanwhile shares it. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    this.#lookedAtMs = this.#clock.monoMs();
    const reconnected = this.#lost;
    this.#lost = false;
    this.#lookAgain = false;
    this.#tell({ type: "asked" });
    const answer = await this.#hook("GET", "/health", { timeoutMs: this.#init.healthTimeoutMs });
    if (this.#closed) return;
    const wasGone = this.#missedPolls > 0;
    const report = this.#learnHealth(answer);
    await this.#learnWhoAnswers(answer);
    if (this.#closed) return;
    if (report !== null) {
      this.#mayBeNew = false;
      // The process may be another one, with a lifeline of its own.
      if (wasGone || reconnected) this.#lifeline.open();
      this.#compareInstances(report.instance);
      if (this.#lifeline.state.at === "stalled") return;
      this.#tell({ type: "answered", instance: report.instance, position: report.position, reconnected });
      return;
    }
    this.#lost = true;
    // Another kept connection of a process that is gone breaks here: only a new one tells, and only the first time.
    if (answer.outcome === "unreachable" && this.#missedPolls === 1) this.#lookAgain = true;
    if (answer.outcome === "unreachable" && answer.why === "ECONNREFUSED") this.#tell({ type: "refused" });
    else if (this.#missedPolls >= FAILED_AFTER_POLLS) {
      this.#tell({
        type: "silent",
        why: `no good answer to GET /health ${this.#missedPolls} times: ${errorText(answer)}`,
      });
    }
  }

  #onLine(report: EngineReport | null): void {
    if (this.#closed) return;
    // One that gave a strange line is over it with the next line of any kind; most lines are empty.
    this.#reportGood("GET /lifeline");
    if (report !== null) {
      this.#lineInstance = report.instance;
      if (report.programSource !== null) this.#programSource = report.programSource;
      if (report.status !== null && this.#missedPolls === 0) this.#setHealth(report.status);
    }
    // An engine that gives no answers to calls does not live by its lines alone.
    if (this.#missedPolls >= FAILED_AFTER_POLLS) return;
    this.#tell({ type: "line", instance: report?.instance ?? null, position: report?.position ?? null });
  }

  #onStalled(): void {
    const { intervalMs, missLimit } = { ...LIFELINE, ...this.#init.lifeline };
    const why = `no line of its lifeline for ${intervalMs * missLimit} ms (intervalMs × missLimit)`;
    this.#logger?.warn({ why }, "the engine is stalled");
    this.#tell({ type: "silent", why });
  }

  /** The process may be gone, and the next connection tells [EN1]. */
  #onLifelineEnded(refused: boolean): void {
    if (this.#closed) return;
    this.#lineInstance = null;
    if (refused) this.#tell({ type: "refused" });
    this.#lookSoon();
  }

  /** Both name an instance, and not the same: an address, a proxy or a port leads to another engine. */
  #compareInstances(instance: string | null): void {
    if (instance === null || this.#lineInstance === null) return;
    this.#looksApart = instance === this.#lineInstance ? 0 : this.#looksApart + 1;
    // Only what a line says between two looks counts: what was named once may be another engine by now.
    this.#lineInstance = null;
    if (this.#looksApart < TWO_ENGINES_AFTER_LOOKS) return;
    this.#reportStrange("GET /lifeline", "another instance than /health: two different engines answer");
  }

  /** A coordinator at `baseUrl`, this one or another, executes nothing: its own path tells. */
  async #learnWhoAnswers(answer: HttpAnswer): Promise<void> {
    const suspicious = answer.outcome === "answered" && answer.status >= 400 && answer.status < 500;
    let why: string | null = null;
    if (suspicious) {
      const peer = await this.#hook("GET", "/api/peer/health", { timeoutMs: this.#init.healthTimeoutMs });
      const label = peer.outcome === "answered" ? textField(peer.body, "engineLabel") : null;
      if (label !== null) why = `answers as coordinator ${label} of a pair, not as an engine`;
    }
    if (why === null && this.#foreign === null) return;
    this.#foreign = why;
    const told = why === null ? null : `engine.baseUrl: ${this.#baseUrl} ${why}; it must be the address of the engine`;
    this.#tell({ type: "foreign", why: told });
  }

  #reportStrange(hook: string, fault: string): void {
    this.#strange.add(hook);
    this.#tell({ type: "strange", hook, fault });
  }

  #reportGood(hook: string): void {
    if (this.#strange.delete(hook)) this.#tell({ type: "strange", hook, fault: null });
  }

  #tell(sign: EngineSign): void {
    this.#listener?.(sign);
  }

  /** What a good answer says; null: it was none. */
  #learnHealth(answer: HttpAnswer): EngineReport | null {
    if (answer.outcome !== "answered" || !isSuccess(answer.status)) {
      this.#missedPolls += 1;
      this.#setHealth(this.#missedPolls >= FAILED_AFTER_POLLS ? "failed" : "degraded");
      return null;
    }
    this.#missedPolls = 0;
    const { report, fault } = readReport(answer.body);
    if (fault === null) this.#reportGood("GET /health");
    else this.#reportStrange("GET /health", fault);
    this.#setHealth(report?.status ?? "ok");
    if (report !== null && report.programSource !== null) this.#programSource = report.programSource;
    return report ?? NOTHING_SAID;
  }

  #setHealth(health: EngineHealth): void {
    const before = this.#health;
    this.#health = health;
    if (before !== health) this.#logger?.warn({ before, after: health }, "engine health changed");
  }

  #learnProgramSource(answer: HttpAnswer): void {
    const source = answer.outcome === "answered" ? textField(answer.body, "programSource") : null;
    if (source !== null) this.#programSource = source;
  }

  /**
   * One call at a time and only the newest role waits [EN13], so that an older one never arrives after a newer one. One that
   * was not taken is told again with the next poll.
   */
  #tellNewestRole(): Promise<void> {
    if (this.#untoldRole === null) return Promise.resolve();
    this.#telling ??= this.#tellRoles().finally(() => (this.#telling = null));
    return this.#telling;
  }

  async #tellRoles(): Promise<void> {
    for (let role = this.#untoldRole; role !== null; role = this.#untoldRole) {
      const told = await this.#tellRole(role);
      if (this.#untoldRole !== role) continue;
      if (!told) return;
      this.#untoldRole = null;
    }
  }

  async #tellRole({ untilMs, timeoutMs, ...role }: ToldRole): Promise<boolean> {
    const headers = { "x-changeover-epoch": String(role.epoch) };
    // It may have waited behind an earlier call.
    const mayActForMs = Math.max(0, Math.floor(untilMs - this.#clock.monoMs()));
    const answer = await this.#hook("POST", "/role", { body: { ...role, mayActForMs }, headers, timeoutMs });
    if (answer.outcome === "answered" && (isSuccess(answer.status) || HAS_NO_HOOK.has(answer.status))) {
      this.#roleTrouble = null;
      this.#reportGood("POST /role");
      return true;
    }
    const why = errorText(answer);
    if (why !== this.#roleTrouble) this.#logger?.warn({ epoch: role.epoch, why }, "role hook failed");
    this.#roleTrouble = why;
    this.#reportStrange("POST /role", `no good answer: ${why}`);
    return false;
  }

  async #hook(
    method: string,
    path: string,
    options: { timeoutMs: number; maxBytes?: number; body?: Json; headers?: Readonly<Record<string, string>> },
  ): Promise<HttpAnswer> {
    return this.#client.call({
      method,
      url: this.#baseUrl + path,
      headers: { ...this.#authorization(), ...options.headers },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      timeoutMs: options.timeoutMs,
      maxBytes: options.maxBytes ?? MAX_ANSWER_BYTES,
    });
  }

  #authorization(): Readonly<Record<string, string>> {
    return this.#init.token === undefined ? {} : { authorization: `Bearer ${this.#init.token}` };
  }

  async #pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimeout(resolve, delayMs);
      this.#endPause = () => {
        this.#clock.clearTimeout(timer);
        resolve();
      };
    });
    this.#endPause = null;
  }
}

/** A role as it waits to be told. Monotonic ms. */
type ToldRole = Omit<RoleChange, "mayActForMs"> & { readonly untilMs: number; readonly timeoutMs: number };

/** Answers to `POST /role` of an engine that drives nothing outside and has no such hook. */
const HAS_NO_HOOK: ReadonlySet<number> = new Set([404, 405, 501]);

const NOTHING_SAID: EngineReport = { status: null, programSource: null, position: null, instance: null };

/** The connection broke or was refused, and did not just take too long. */
function isBroken(why: string): boolean {
  return /^E[A-Z]+$/.test(why);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Whether a path with its dot segments stays below the base URL: the hooks' token is for the engine alone. */
function isBelow(baseUrl: string, path: string): boolean {
  if (!URL.canParse(baseUrl + path)) return false;
  return new URL(baseUrl + path).pathname.startsWith(new URL(`${baseUrl}/`).pathname);
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/**
 * No judgement on the command: trouble, a redirect, which is not followed, or something that has no `POST /execute` at all,
 * such as another program.
 */
function isWorthRepeating(answer: Extract<HttpAnswer, { outcome: "answered" }>): boolean {
  const { status, body } = answer;
  if (status >= 500 || isRedirect(status) || status === 408 || status === 429 || isOfCoordinator(body)) return true;
  return [401, 403, 404, 405].includes(status) && textField(body, "error") === null;
}

/** The refusal of a coordinator, which executes nothing: `engine.baseUrl` leads to the wrong place. */
function isOfCoordinator(body: Json): boolean {
  return textField(body, "type")?.startsWith("urn:changeover:problem:") ?? false;
}

function textField(body: Json, name: string): string | null {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return null;
  const value = (body as Readonly<Record<string, Json>>)[name];
  return typeof value === "string" ? value : null;
}

function errorText(answer: HttpAnswer): string {
  if (answer.outcome === "unreachable") return answer.why;
  const said = textField(answer.body, "error") ?? textField(answer.body, "detail");
  if (isRedirect(answer.status)) return `HTTP ${answer.status}: a redirect, which is not followed`;
  return said === null ? `HTTP ${answer.status}` : said.slice(0, MAX_ERROR_CHARS);
}

function notReady(what: string, answer: HttpAnswer): ChangeoverError {
  const message = `the engine gives no answer to ${what}: ${errorText(answer)}`;
  return new ChangeoverError("engine_not_ready", message, { retryable: true });
}
