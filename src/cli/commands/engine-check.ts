/**
 * `changeover engine check URL` plays every hook against a candidate engine and says what does not hold: order, repeats,
 * restore, determinism by checksum, the pace of the lifeline. The engine's state is read first and put back at the end.
 * What each hook must do is written in `docs/engines.md`; each finding names the section.
 */
import { readFileSync } from "node:fs";
import { type Command as CliCommand, InvalidArgumentError } from "commander";
import { type EngineReport, readReport } from "../../adapters/engine-report.ts";
import { type HttpAnswer, HttpClient } from "../../adapters/http-client.ts";
import { Lifeline } from "../../adapters/lifeline.ts";
import { sha256Of, SystemClock } from "../../adapters/basics.ts";
import { canonicalJson, type Json } from "../../core/canonical-json.ts";
import type { Command, LogPosition } from "../../core/command.ts";
import { hlcNow, hlcZero } from "../../core/hlc.ts";
import { networkFault } from "../../core/network-fault.ts";
import { CliError, EXIT, messageOf } from "../exit.ts";
import { secretFrom, wholeNumber } from "../options.ts";
import { columns, json, line } from "../output.ts";

/** One thing that was tried. */
export interface Checked {
  readonly check: string;
  /** `bad`: Changeover cannot work with this. `doubtful`: it works, with the loss that `detail` names. */
  readonly state: "good" | "doubtful" | "bad";
  readonly detail: string;
  readonly remedy: string;
}

interface Options extends CheckOptions {
  readonly commands?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
}

export interface CheckOptions {
  /** For one call, ms. */
  readonly timeout: number;
  /** `engine.lifeline.intervalMs`. */
  readonly lifelineMs: number;
  /** How long the lifeline is watched; 2 000 unless given. */
  readonly listenMs?: number;
}

interface Call {
  readonly kind: string;
  readonly payload: Json;
}

/** What is played unless `--commands` gives something else: the calls of a switcher. */
const CALLS: readonly Call[] = ["check-1", "check-2", "check-3", "check-1"].map((source) => ({
  kind: "POST /api/switch/cut",
  payload: { source },
}));
const MAX_CALLS = 1_000;
const MAX_STATE_BYTES = 1_073_741_824;
/** For `/snapshot` and `/restore`, as in `engine.stateTimeoutMs`. */
const STATE_TIMEOUT_MS = 10_000;
/** Defaults of `engine.lifeline`. */
const INTERVAL_MS = 20;
const MISS_LIMIT = 5;
/** How long the lifeline is watched. */
const LISTEN_MS = 2_000;

export function addEngineCheck(engine: CliCommand): void {
  engine
    .command("check")
    .description("play every hook against an engine that is not on air, and report what does not hold")
    .argument("<url>", "the engine, as in engine.baseUrl", engineUrl)
    .option("--commands <file>", "JSON lines of {kind, payload} or {method, path, body} that the engine understands")
    .option("--token-file <file>", "file with the engine's bearer token (or the token in CHANGEOVER_ENGINE_TOKEN)")
    .option("--timeout <ms>", "for one call", wholeNumber(1, 600_000), 500)
    .option("--lifeline-ms <ms>", "engine.lifeline.intervalMs", wholeNumber(1, 10_000), INTERVAL_MS)
    .option("--json", "print JSON")
    .action(async (url: string, options: Options) => {
      const calls = options.commands === undefined ? CALLS : callsIn(options.commands);
      const token = secretFrom(options.tokenFile, "CHANGEOVER_ENGINE_TOKEN");
      const found = await checkEngineAt(url, { ...options, calls, token });
      if (options.json === true) json(found);
      else lines(found).forEach((text) => line(text));
      process.exitCode = found.some(({ state }) => state === "bad") ? EXIT.failed : EXIT.done;
    });
}

/**
 * Plays every hook against the engine at `url`.
 *
 * @throws CliError when nothing answers there
 */
export async function checkEngineAt(
  url: string,
  options: CheckOptions & { readonly calls?: readonly Call[]; readonly token?: string | null },
): Promise<readonly Checked[]> {
  const candidate = new Candidate(url, options, options.calls ?? CALLS, options.token ?? null);
  return candidate.check().finally(() => candidate.close());
}

/** The engine under examination. */
class Candidate {
  readonly #url: string;
  readonly #options: CheckOptions;
  readonly #calls: readonly Call[];
  readonly #clock = new SystemClock();
  readonly #client = new HttpClient({ clock: this.#clock });
  readonly #headers: Readonly<Record<string, string>>;
  readonly #found: Checked[] = [];
  readonly #startedUs = Math.round(this.#clock.unixMs() * 1_000);
  #epoch = 1;

  constructor(url: string, options: CheckOptions, calls: readonly Call[], token: string | null) {
    this.#url = url.replace(/\/+$/, "");
    this.#options = options;
    this.#calls = calls;
    this.#headers = token === null ? {} : { authorization: `Bearer ${token}` };
  }

  close(): void {
    this.#client.close();
  }

  async check(): Promise<readonly Checked[]> {
    const report = await this.#health();
    if (report === null) return this.#found;
    this.#epoch = (report.position?.epoch ?? 0) + 1;
    const before = await this.#snapshot("snapshot");
    if (before === null) return this.#found;
    this.#say("good", "snapshot", `${before.text.length} characters of canonical JSON`);
    try {
      await this.#commands(before);
    } finally {
      await this.#putBack(before);
    }
    await this.#role();
    await this.#lifeline();
    return this.#found;
  }

  async #health(): Promise<EngineReport | null> {
    const answer = await this.#call("GET", "/health");
    if (answer.outcome === "unreachable") {
      if (answer.why === "ECONNREFUSED" || answer.why === "ENOTFOUND") {
        throw new CliError(
          EXIT.unreachable,
          `cannot reach ${this.#url}: ${networkFault(answer.why)?.words ?? answer.why}; is the engine running?`,
        );
      }
      this.#say("bad", "health", `GET /health: ${answer.why}`, "answer within engine.healthTimeoutMs");
      return null;
    }
    if (!isSuccess(answer)) {
      const peer = await this.#call("GET", "/api/peer/health");
      const label = peer.outcome === "answered" ? textOf(peer.body, "engineLabel") : null;
      if (label !== null) {
        this.#say("bad", "health", `this is coordinator ${label} of a pair`, "give the address of the engine itself");
      } else {
        this.#say("bad", "health", `GET /health answers ${answer.status}`, "answer 200 with {status}");
      }
      return null;
    }
    const { report, fault } = readReport(answer.body);
    if (fault !== null) this.#say("bad", "health", fault, "correct these fields, or leave them out");
    else this.#say("good", "health", `status ${report?.status ?? "not given, so ok"}`);
    if (report?.instance === undefined || report.instance === null) {
      this.#say(
        "doubtful",
        "instance",
        "not given: every lost connection counts as a restart, and the state is restored",
        "give instance: a text that changes when the engine restarts",
      );
    } else this.#say("good", "instance", report.instance);
    if (report?.position === undefined || report.position === null) {
      this.#say(
        "doubtful",
        "position",
        "not given: a coordinator that restarts beside this engine restores it",
        "give position: {epoch, seq} of the last command executed",
      );
    }
    return report ?? { status: null, programSource: null, position: null, instance: null };
  }

  async #commands(before: State): Promise<void> {
    const first = await this.#play("execute");
    if (first === null) return;
    const { after, refused } = first;
    const count = this.#calls.length;
    if (refused === count) {
      const why = `all ${count} commands were refused, so order, repeats and determinism say little`;
      this.#say("doubtful", "execute", why, "give commands that this engine understands with --commands");
    } else this.#say("good", "execute", `${count} commands, ${refused} refused`);
    await this.#positionIs({ epoch: this.#epoch, seq: count });
    await this.#repeats(after);
    await this.#restores(before, after);
    await this.#malformed();
  }

  /** Executes all commands in order. Null: it does not. */
  async #play(check: string): Promise<{ readonly after: State; readonly refused: number } | null> {
    let refused = 0;
    for (const command of this.#log()) {
      const answer = await this.#execute(command);
      if (answer.outcome === "unreachable") {
        this.#say("bad", check, `command ${command.seq}: ${answer.why}`, "answer within engine.executeTimeoutMs");
        return null;
      }
      if (answer.status >= 500 || [401, 404, 405].includes(answer.status)) {
        const said = `command ${command.seq} is answered ${answer.status}`;
        this.#say("bad", check, said, "2xx: done; 4xx with {error}: refused for good");
        return null;
      }
      if (isSuccess(answer)) continue;
      refused += 1;
      if (textOf(answer.body, "error") === null) {
        const said = `command ${command.seq} is answered ${answer.status} without {error}`;
        this.#say("doubtful", check, said, "say in {error} why a command is refused");
      }
    }
    const after = await this.#snapshot("snapshot");
    return after === null ? null : { after, refused };
  }

  async #positionIs(expected: LogPosition): Promise<void> {
    const answer = await this.#call("GET", "/health");
    const position = answer.outcome === "answered" ? (readReport(answer.body).report?.position ?? null) : null;
    if (position === null) return;
    const same = position.epoch === expected.epoch && position.seq === expected.seq;
    const said = `(${position.epoch}, ${position.seq}) after command (${expected.epoch}, ${expected.seq})`;
    if (same) this.#say("good", "position", said);
    else
      this.#say("bad", "position", said, "position is the identity of the last command executed, as part of the state");
  }

  /** The last identity again, and the first one: neither changes anything. */
  async #repeats(after: State): Promise<void> {
    const log = this.#log();
    for (const command of [log.at(-1), log[0]]) {
      if (command === undefined) continue;
      await this.#execute(command);
      const now = await this.#snapshot("repeats");
      if (now === null) return;
      if (now.checksum !== after.checksum) {
        const said = `command (${command.epoch}, ${command.seq}) was executed a second time`;
        const remedy = "an identity (epoch, seq) that is not above the last one changes nothing";
        return this.#say("bad", "repeats", said, remedy);
      }
    }
    this.#say("good", "repeats", "an identity counts once");
  }

  /** Back to the state before, the same commands again, and that state taken over again. */
  async #restores(before: State, after: State): Promise<void> {
    if (!(await this.#restore("restore", before))) return;
    const back = await this.#snapshot("restore");
    if (back === null) return;
    if (back.checksum !== before.checksum) {
      const said = "GET /snapshot differs from what was given to POST /restore";
      return this.#say(
        "bad",
        "restore",
        said,
        "take over the whole state, the last identity included, and nothing else",
      );
    }
    const again = await this.#play("determinism");
    if (again === null) return;
    if (again.after.checksum === after.checksum) {
      this.#say("good", "determinism", `the same commands twice: sha256 ${after.checksum.slice(0, 12)} both times`);
    } else if (again.after.checksum === before.checksum) {
      const said = "after POST /restore the same commands were taken for repeats";
      this.#say("bad", "determinism", said, "the last identity belongs to the state: restore it too");
    } else {
      const said = `the same commands from the same state gave ${differenceOf(after.state, again.after.state)}`;
      this.#say("bad", "determinism", said, "no clock and no chance in the state; use the command's executeAtUs");
    }
    if (!(await this.#restore("restore", after))) return;
    const kept = await this.#snapshot("restore");
    if (kept === null) return;
    if (kept.checksum === after.checksum) this.#say("good", "restore", "the state comes back with the same checksum");
    else this.#say("bad", "restore", "a restored state has another checksum", "restore exactly what /snapshot gave");
  }

  /** What is no state and no command is refused, and changes nothing. */
  async #malformed(): Promise<void> {
    const before = await this.#snapshot("bad input");
    if (before === null) return;
    const bad = [
      ["POST /restore", await this.#call("POST", "/restore", { text: '"not a state"' })],
      ["POST /execute", await this.#call("POST", "/execute", { text: "{" })],
    ] as const;
    for (const [hook, answer] of bad) {
      if (answer.outcome === "unreachable") {
        this.#say("bad", "bad input", `${hook}: ${answer.why}`, "answer 400 with {error}");
      } else if (answer.status < 400 || answer.status >= 500) {
        this.#say(
          "doubtful",
          "bad input",
          `${hook} answers ${answer.status} to what is none`,
          "answer 400 with {error}",
        );
      }
    }
    const now = await this.#snapshot("bad input");
    if (now === null) return;
    if (now.checksum === before.checksum) this.#say("good", "bad input", "changes nothing");
    else this.#say("bad", "bad input", "something that is no state was taken over", "check a state before it is used");
  }

  async #putBack(before: State): Promise<void> {
    if (await this.#restore("put back", before)) this.#say("good", "put back", "the engine has its first state again");
  }

  async #role(): Promise<void> {
    const roles = [
      { role: "leader", epoch: this.#epoch, previousRole: "follower", mayActForMs: 200 },
      { role: "follower", epoch: this.#epoch, previousRole: "leader", mayActForMs: 0 },
    ];
    for (const body of roles) {
      const answer = await this.#call("POST", "/role", { text: JSON.stringify(body) });
      if (answer.outcome === "answered" && isSuccess(answer)) continue;
      if (answer.outcome === "answered" && [404, 405, 501].includes(answer.status)) {
        const said = "POST /role is not there: right for an engine that drives nothing outside";
        return this.#say("doubtful", "role", said, "answer 2xx, and stop driving when mayActForMs has passed");
      }
      const why = answer.outcome === "answered" ? `answers ${answer.status}` : answer.why;
      return this.#say("bad", "role", `POST /role ${why}`, "answer 2xx");
    }
    this.#say("good", "role", "leader and follower are taken");
  }

  async #lifeline(): Promise<void> {
    const { lifelineMs, listenMs = LISTEN_MS } = this.#options;
    let worstMs = 0;
    let lines = 0;
    let lastMs: number | null = null;
    const strange: string[] = [];
    const listener = {
      onLine: () => {
        const now = this.#clock.monoMs();
        if (lastMs !== null) worstMs = Math.max(worstMs, now - lastMs);
        lastMs = now;
        lines += 1;
      },
      onStalled: () => undefined,
      onEnded: () => (lastMs = null),
      onStrange: (fault: string) => void (strange.length === 0 && strange.push(fault)),
    };
    const init = {
      ...{ url: `${this.#url}/lifeline`, headers: this.#headers, missLimit: MISS_LIMIT },
      ...{ intervalMs: lifelineMs, openTimeoutMs: this.#options.timeout },
    };
    const lifeline = new Lifeline({ clock: this.#clock }, init, listener);
    lifeline.open();
    await new Promise<void>((done) => this.#clock.setTimeout(done, listenMs));
    const { state } = lifeline;
    lifeline.close();
    const limitMs = lifelineMs * MISS_LIMIT;
    const remedy = `write a line at least every ${lifelineMs} ms`;
    const pace = `${lines} lines in ${listenMs} ms, ${Math.round(worstMs)} ms between two at most`;
    if (state.at === "none") this.#say("doubtful", "lifeline", `${state.why}: a hang is detected late`, remedy);
    else if (lines === 0) this.#say("bad", "lifeline", "GET /lifeline gives no line", remedy);
    else if (state.at === "stalled" || worstMs > limitMs) this.#say("bad", "lifeline", `${pace}: stalled`, remedy);
    else if (worstMs > 2 * lifelineMs) this.#say("doubtful", "lifeline", pace, `${remedy}, better every half of it`);
    else this.#say("good", "lifeline", pace);
    for (const fault of strange) {
      this.#say("bad", "lifeline", `it gave ${fault}`, "write empty lines, or the JSON of /health");
    }
  }

  #log(): Command[] {
    let hlc = hlcZero("eng_check");
    return this.#calls.map(({ kind, payload }, index) => {
      const seq = index + 1;
      hlc = hlcNow(hlc, this.#startedUs / 1_000 + index, "eng_check");
      return {
        ...{ seq, epoch: this.#epoch, hlc, executeAtUs: this.#startedUs + index * 40_000, kind, payload },
        ...{ origin: "eng_check", originSeq: seq, idempotencyKey: null, clock: { eng_check: seq } },
      } as unknown as Command;
    });
  }

  #execute(command: Command): Promise<HttpAnswer> {
    const identity = `${command.epoch}-${command.seq}`;
    const headers = {
      "x-changeover-epoch": String(command.epoch),
      "x-changeover-seq": String(command.seq),
      "idempotency-key": identity,
    };
    return this.#call("POST", "/execute", { text: JSON.stringify(command), headers });
  }

  async #snapshot(check: string): Promise<State | null> {
    const answer = await this.#call("GET", "/snapshot", { timeoutMs: STATE_TIMEOUT_MS });
    if (answer.outcome === "answered" && isSuccess(answer)) {
      try {
        const text = canonicalJson(answer.body);
        return { state: answer.body, text, checksum: sha256Of(text) };
      } catch (error) {
        this.#say("bad", check, `GET /snapshot gives ${messageOf(error)}`, "a state is JSON");
        return null;
      }
    }
    const why = answer.outcome === "answered" ? `answers ${answer.status}` : answer.why;
    this.#say("bad", check, `GET /snapshot ${why}`, "answer 200 with the whole state, of one moment");
    return null;
  }

  async #restore(check: string, { state }: State): Promise<boolean> {
    const answer = await this.#call("POST", "/restore", { text: JSON.stringify(state), timeoutMs: STATE_TIMEOUT_MS });
    if (answer.outcome === "answered" && isSuccess(answer)) return true;
    const why = answer.outcome === "answered" ? `answers ${answer.status}` : answer.why;
    this.#say("bad", check, `POST /restore of its own state ${why}`, "take over what GET /snapshot gave");
    return false;
  }

  #call(
    method: string,
    path: string,
    more: {
      readonly text?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly timeoutMs?: number;
    } = {},
  ): Promise<HttpAnswer> {
    return this.#client.call({
      ...{ method, url: this.#url + path, headers: { ...this.#headers, ...more.headers } },
      ...(more.text === undefined ? {} : { body: more.text }),
      ...{ timeoutMs: more.timeoutMs ?? this.#options.timeout, maxBytes: MAX_STATE_BYTES },
    });
  }

  #say(state: Checked["state"], check: string, detail: string, remedy = ""): void {
    this.#found.push({ check, state, detail, remedy });
  }
}

interface State {
  readonly state: Json;
  readonly text: string;
  readonly checksum: string;
}

const SIGNS = { good: "ok", doubtful: "??", bad: "!!" } as const;

function lines(found: readonly Checked[]): string[] {
  const rows = found.flatMap(({ check, state, detail, remedy }) => [
    [SIGNS[state], check, detail],
    ...(remedy === "" || state === "good" ? [] : [["", "", `→ ${remedy}`]]),
  ]);
  const bad = found.filter(({ state }) => state === "bad").length;
  const verdict = bad === 0 ? "Changeover can drive this engine" : `${bad} of ${found.length} checks do not hold`;
  return [...columns(rows), "", `${verdict}; what each hook must do: docs/engines.md`];
}

function engineUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:\/\//.test(text)) {
    throw new InvalidArgumentError("must be http://host:port, with a path below which the hooks lie if there is one");
  }
  const { username, password } = new URL(text);
  if (username !== "" || password !== "") throw new InvalidArgumentError("must have no user or password in it");
  return text;
}

function callsIn(file: string): readonly Call[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new CliError(EXIT.wrongUse, `--commands: cannot read the file ${file} (${code})`);
  }
  const rows = text.split("\n").filter((row) => row.trim() !== "");
  if (rows.length === 0 || rows.length > MAX_CALLS) {
    throw new CliError(EXIT.wrongUse, `--commands: ${file} has ${rows.length} commands, must have 1 to ${MAX_CALLS}`);
  }
  return rows.map((row, index) => callIn(row, `--commands: ${file}, command ${index + 1}`));
}

function callIn(row: string, where: string): Call {
  let given: Readonly<Record<string, Json>> | null;
  try {
    given = JSON.parse(row) as Readonly<Record<string, Json>> | null;
  } catch {
    throw new CliError(EXIT.wrongUse, `${where} is not JSON`);
  }
  const kind = given?.["kind"];
  if (typeof kind === "string") return { kind, payload: given?.["payload"] ?? null };
  const { method, path, body } = given ?? {};
  if (typeof method === "string" && typeof path === "string")
    return { kind: `${method} ${path}`, payload: body ?? null };
  throw new CliError(EXIT.wrongUse, `${where} must have kind and payload, or method, path and body`);
}

/** The first place where two states differ, for a person. */
function differenceOf(left: Json, right: Json, path = "state"): string {
  const both = [left, right];
  if (both.every((value) => typeof value === "object" && value !== null)) {
    const [one, other] = both as readonly Readonly<Record<string, Json>>[];
    const keys = [...new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})])];
    const key = keys.find((name) => JSON.stringify(one?.[name]) !== JSON.stringify(other?.[name]));
    if (key !== undefined) return differenceOf(one?.[key] ?? null, other?.[key] ?? null, `${path}.${key}`);
  }
  const shown = (value: Json): string => JSON.stringify(value).slice(0, 60);
  return `${path} ${shown(left)}, then ${shown(right)}`;
}

function isSuccess({ status }: Extract<HttpAnswer, { outcome: "answered" }>): boolean {
  return status >= 200 && status < 300;
}

function textOf(body: Json, name: string): string | null {
  const value = (body as Readonly<Record<string, Json>> | null)?.[name];
  return typeof value === "string" ? value : null;
}
