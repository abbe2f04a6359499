/**
 * An engine in a process of its own, beside the coordinator on the same machine: it outlives the coordinator, dies, comes
 * back empty, hangs in one hook while it answers another. The coordinator reaches it through the shipped `HttpEngine`;
 * only the HTTP client below that is simulated.
 */
import type { HttpAnswer, HttpCall } from "../../adapters/http-client.ts";
import type { EngineConnection, HookClient } from "../../adapters/http-engine.ts";
import type { Json } from "../../core/canonical-json.ts";
import type { Command } from "../../core/command.ts";
import { ChangeoverError } from "../../core/errors.ts";
import type { ProcessClock } from "../ground/host-clock.ts";
import type { Prng } from "../ground/prng.ts";
import type { Life, Scheduler } from "../ground/scheduler.ts";
import { EngineMemory, type EngineFaults, type EngineObserver, type Pasts } from "./sim-engine.ts";

export const ENGINE_URL = "http://engine.simulated";

const HOOKS = ["execute", "snapshot", "restore", "health"] as const;
export type EngineHook = (typeof HOOKS)[number];

/** What it tells of itself beside its health: an engine may give either, both or nothing. */
export interface EngineTells {
  readonly instance: boolean;
  readonly position: boolean;
}

/** An engine that answers 404 to `GET /lifeline`. */
export const NO_LIFELINE: EngineConnection["lifeline"] = {
  state: { at: "none", why: "GET /lifeline answers 404" },
  open: () => undefined,
  close: () => undefined,
};

/** Over the loopback interface. */
const TAKES_MS = 0.05;
const MEAN_EXTRA_MS = 0.1;

interface Ground {
  readonly scheduler: Scheduler;
  readonly pasts: Pasts;
  readonly chance: Prng;
  readonly faults: EngineFaults;
  readonly observer: EngineObserver;
  readonly tells: EngineTells;
}

/** One call under way in the engine. */
interface Call {
  readonly hook: string;
  readonly body: Json | null;
  answer(answer: HttpAnswer): void;
}

export class EngineProcess {
  readonly #ground: Ground;
  #memory: EngineMemory | null = null;
  #starts = 0;
  #frozen: Call[] | null = null;
  #hung: { readonly hook: EngineHook; readonly executes: boolean } | null = null;
  /** Whoever has a connection to it. */
  readonly #connected = new Set<() => void>();
  #lostStateMs: number | null = null;
  /** What it had executed when it lost its state. */
  #lostSeq = 0;
  #poweredOff = false;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.start();
    this.#lostStateMs = null;
  }

  /** null: it is dead. */
  get memory(): EngineMemory | null {
    return this.#memory;
  }

  /** Since when it is dead, or alive without the state that it had; null: it has its state. */
  get lostStateMs(): number | null {
    return this.#lostStateMs;
  }

  /** A new process, that knows nothing. */
  start(): void {
    if (this.#memory !== null) return;
    this.#starts += 1;
    this.#memory = new EngineMemory(this.#ground.pasts, this.#ground.observer);
  }

  /** Its connections are closed by the kernel, unless the machine lost its power. */
  die(closes = true): void {
    if (this.#memory === null) return;
    const { past } = this.#memory;
    if (past !== null) {
      this.#lostStateMs ??= this.#ground.scheduler.nowMs;
      this.#lostSeq = Math.max(this.#lostSeq, past.seq);
    }
    this.#memory = null;
    this.#hung = null;
    this.#frozen = null;
    const connected = [...this.#connected];
    this.#connected.clear();
    if (closes) for (const lost of connected) lost();
  }

  /**
   * A person who restores an older folder also restarts an engine that does not tell its position: nobody could say whether
   * the folder holds what it has executed.
   */
  folderRestored(): void {
    if (this.#memory === null || this.#ground.tells.position) return;
    this.die();
    this.start();
  }

  losePower(): void {
    this.#poweredOff ||= this.#memory !== null;
    this.die(false);
  }

  powerOn(): void {
    if (this.#poweredOff) this.start();
    this.#poweredOff = false;
  }

  freeze(): void {
    if (this.#memory !== null) this.#frozen ??= [];
  }

  thaw(): void {
    const calls = this.#frozen ?? [];
    this.#frozen = null;
    for (const call of calls) this.#take(call);
  }

  /** From now on calls of one hook get no answer; `executes`: they are done all the same. */
  hang(amount: number): void {
    const hook = HOOKS[Math.floor(amount * HOOKS.length)] ?? "execute";
    if (this.#memory !== null) this.#hung = { hook, executes: (amount * 31) % 1 < 0.5 };
  }

  unhang(): void {
    this.#hung = null;
  }

  /** A call arrives; false: nobody listens. */
  receive(call: Call, lost: () => void): boolean {
    if (this.#memory === null) return false;
    this.#connected.add(lost);
    if (this.#frozen === null) this.#take(call);
    else this.#frozen.push(call);
    return true;
  }

  disconnect(lost: () => void): void {
    this.#connected.delete(lost);
  }

  #take(call: Call): void {
    const hung = this.#hung?.hook === call.hook;
    if (hung && this.#hung?.executes !== true) return;
    const answer = this.#answerTo(call);
    if (hung) return;
    const slowMs = call.hook === "execute" ? this.#ground.faults.slowMs : 0;
    const memory = this.#memory;
    this.#ground.scheduler.after(slowMs, () => {
      if (this.#memory === memory) call.answer(answer);
    });
  }

  #answerTo({ hook, body }: Call): HttpAnswer {
    const memory = this.#memory as EngineMemory;
    const { faults } = this.#ground;
    switch (hook) {
      case "execute": {
        const outcome = memory.apply(body as unknown as Command);
        this.#caughtUp(memory);
        return outcome.ok
          ? answered(200, { programSource: memory.programSource })
          : answered(422, { error: outcome.error });
      }
      case "snapshot":
        return faults.health === "failed" ? answered(503, { error: "engine failed" }) : answered(200, memory.state());
      case "restore":
        return this.#restore(body);
      case "health":
        return answered(200, { status: faults.health, programSource: memory.programSource, ...this.#tells() });
      default:
        return answered(200, null);
    }
  }

  #restore(state: Json): HttpAnswer {
    try {
      this.#memory?.restore(state);
    } catch (error) {
      if (!(error instanceof ChangeoverError)) throw error;
      return answered(400, { error: error.message });
    }
    this.#hasState();
    return answered(200, null);
  }

  /** Every command of the log executed again, from the first: that is its state again, without a restore. */
  #caughtUp({ past }: EngineMemory): void {
    if (this.#lostStateMs === null || past === null) return;
    if (past.count === past.seq && past.seq >= this.#lostSeq) this.#hasState();
  }

  #hasState(): void {
    this.#lostStateMs = null;
    this.#lostSeq = 0;
  }

  #tells(): { readonly [name: string]: Json } {
    const { instance, position } = this.#ground.tells;
    const { epoch = 0, seq = 0 } = this.#memory?.past ?? {};
    return {
      ...(instance ? { instance: `start ${this.#starts}` } : {}),
      ...(position ? { position: { epoch, seq } } : {}),
    };
  }
}

function answered(status: number, body: Json): HttpAnswer {
  return { outcome: "answered", status, body, isJson: true, requestId: null };
}

export interface HookClientGround {
  readonly process: EngineProcess;
  readonly scheduler: Scheduler;
  readonly clock: ProcessClock;
  readonly life: Life;
  readonly chance: Prng;
}

/** The client of one life of the coordinator's process. */
export class SimHookClient implements HookClient {
  readonly #ground: HookClientGround;
  readonly #onLost: () => void;
  readonly #underWay = new Set<(answer: HttpAnswer) => void>();
  #closed = false;

  constructor(ground: HookClientGround, onLost: () => void) {
    this.#ground = ground;
    this.#onLost = onLost;
  }

  call({ url, body, timeoutMs }: HttpCall): Promise<HttpAnswer> {
    if (this.#closed) return Promise.resolve(unreachable("closed"));
    const { process, scheduler, clock, life, chance } = this.#ground;
    // What is left of a dead process in this world calls nobody.
    if (!life.alive) return new Promise(() => undefined);
    const hook = url.slice(ENGINE_URL.length + 1);
    const given = body === undefined ? null : (JSON.parse(body) as Json);
    return new Promise((resolve) => {
      const end = (answer: HttpAnswer): void => {
        if (!this.#underWay.delete(end)) return;
        clock.clearTimeout(timer);
        resolve(answer);
      };
      this.#underWay.add(end);
      const timer = clock.setTimeout(() => end(unreachable(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const back = (answer: HttpAnswer): void => {
        const delayMs = TAKES_MS + chance.waiting(MEAN_EXTRA_MS);
        scheduler.after(delayMs, () => scheduler.enter(life, "arrival", () => end(answer)));
      };
      scheduler.after(TAKES_MS + chance.waiting(MEAN_EXTRA_MS), () => {
        // Whoever has given up has closed its connection.
        if (!this.#underWay.has(end)) return;
        if (!process.receive({ hook, body: given, answer: back }, this.#lost)) back(unreachable("ECONNREFUSED"));
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.#ground.process.disconnect(this.#lost);
    for (const end of [...this.#underWay]) end(unreachable("closed"));
  }

  /** The engine's process is gone: what was under way breaks, and the end of the kept connection is seen. */
  readonly #lost = (): void => {
    const { scheduler, life } = this.#ground;
    scheduler.after(TAKES_MS, () => {
      scheduler.enter(life, "arrival", () => {
        if (this.#closed) return;
        for (const end of [...this.#underWay]) end(unreachable("ECONNRESET"));
        this.#onLost();
      });
    });
  };
}

function unreachable(why: string): HttpAnswer {
  return { outcome: "unreachable", why };
}
