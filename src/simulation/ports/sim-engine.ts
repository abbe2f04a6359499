/**
 * A small deterministic engine behind the `Engine` port, that remembers in which order it executed what.
 * Keeps true: the same commands from the same state give the same state; a repeated (epoch, seq) is applied once.
 * Does not know: who leads. It may be made slow, failing or unhealthy.
 */
import { ChangeoverError } from "../../core/errors.ts";
import type { Json } from "../../core/canonical-json.ts";
import type { Command } from "../../core/command.ts";
import type { Clock } from "../../ports/basics.ts";
import type { Engine, EngineHealth, EngineRead, ExecuteOutcome, RoleChange } from "../../ports/engine.ts";

/** One executed command and all before it. States share their past, so that a snapshot costs nothing. */
export interface Executed {
  readonly previous: Executed | null;
  readonly count: number;
  readonly epoch: number;
  readonly seq: number;
  /** The client's name for the command: the idempotency key, or the kind. */
  readonly name: string;
  readonly outcome: ExecuteOutcome;
}

/** The state as it travels. `chain` is a hash over the whole past, so that equal chains mean equal pasts. */
interface EngineState {
  readonly chain: string;
  readonly count: number;
  readonly programSource: string;
}

/** Which past belongs to which chain: shared by the engines of one world, since a state may move from one to the other. */
export type Pasts = Map<string, Executed | null>;

/** Faults of the engine that outlive its process. */
export interface EngineFaults {
  /** How long an execution takes to be answered; it takes effect at once. */
  slowMs: number;
  health: EngineHealth;
}

/** Sees what an engine does. */
export interface EngineObserver {
  executed(command: Command, past: Executed | null, repeated: boolean): void;
}

const BLACK = "BLACK";
/** The state of an engine that has executed nothing. */
const FIRST_CHAIN = "0";

/** What an engine has executed: its state. */
export class EngineMemory {
  readonly #pasts: Pasts;
  readonly #observer: EngineObserver;
  #past: Executed | null = null;
  #chain = FIRST_CHAIN;
  #programSource = BLACK;

  constructor(pasts: Pasts, observer: EngineObserver) {
    this.#pasts = pasts;
    this.#observer = observer;
    this.#pasts.set(FIRST_CHAIN, null);
  }

  /** What was executed, newest first. */
  get past(): Executed | null {
    return this.#past;
  }

  get chain(): string {
    return this.#chain;
  }

  get programSource(): string {
    return this.#programSource;
  }

  state(): Json {
    return { chain: this.#chain, count: this.#past?.count ?? 0, programSource: this.#programSource };
  }

  restore(state: Json): void {
    const given = state as unknown as EngineState | null;
    const past = given === null ? undefined : this.#pasts.get(given.chain);
    if (given === null || past === undefined) throw new ChangeoverError("invalid_value", "not a state of this engine");
    this.#past = past;
    this.#chain = given.chain;
    this.#programSource = given.programSource;
  }

  apply(command: Command): ExecuteOutcome {
    const known = this.find(command);
    this.#observer.executed(command, this.#past, known !== null);
    if (known !== null) return known.outcome;
    const outcome: ExecuteOutcome = isFailing(command) ? { ok: false, error: "refused by the switcher" } : { ok: true };
    const name = command.idempotencyKey ?? command.kind;
    const { epoch, seq } = command;
    this.#past = { previous: this.#past, count: (this.#past?.count ?? 0) + 1, epoch, seq, name, outcome };
    this.#chain = chainAfter(this.#chain, `${epoch}/${seq}/${name}`);
    this.#pasts.set(this.#chain, this.#past);
    if (outcome.ok) this.#programSource = sourceOf(command) ?? this.#programSource;
    return outcome;
  }

  /** The same command, executed before; null: it was not. */
  find(command: Pick<Command, "epoch" | "seq">): Executed | null {
    let executed = this.#past;
    while (executed !== null && executed.seq > command.seq) executed = executed.previous;
    return executed !== null && executed.seq === command.seq && executed.epoch === command.epoch ? executed : null;
  }
}

/** The position and past of a state, as text or value; undefined: no state of an engine of this world. */
export function pastOfState(pasts: Pasts, state: Json): Executed | null | undefined {
  return pasts.get((state as unknown as Partial<EngineState> | null)?.chain ?? "");
}

/** The engine inside the process of one life. */
export class SimEngine implements Engine {
  readonly memory: EngineMemory;
  readonly #clock: Clock;
  readonly #faults: EngineFaults;

  constructor(components: {
    readonly clock: Clock;
    readonly pasts: Pasts;
    readonly faults: EngineFaults;
    readonly observer: EngineObserver;
  }) {
    this.#clock = components.clock;
    this.#faults = components.faults;
    this.memory = new EngineMemory(components.pasts, components.observer);
  }

  get past(): Executed | null {
    return this.memory.past;
  }

  get chain(): string {
    return this.memory.chain;
  }

  validate(kind: string, _payload: Json): string | null {
    return kind.startsWith("POST ") ? null : `kind ${kind} does not begin with POST`;
  }

  execute(command: Command): ExecuteOutcome | Promise<ExecuteOutcome> {
    const outcome = this.memory.apply(command);
    if (this.#faults.slowMs === 0) return outcome;
    return new Promise((resolve) => {
      this.#clock.setTimeout(() => resolve(outcome), this.#faults.slowMs);
    });
  }

  snapshot(): Json {
    if (this.#faults.health === "failed")
      throw new ChangeoverError("engine_not_ready", "engine failed", { retryable: true });
    return this.memory.state();
  }

  restore(state: Json): void {
    this.memory.restore(state);
  }

  onRole(_change: RoleChange): void {}

  health(): EngineHealth {
    return this.#faults.health;
  }

  programSource(): string {
    return this.memory.programSource;
  }

  read(path: string, _nowUnixUs: number): EngineRead {
    return path === "/program" ? { status: 200, body: this.programSource() } : { status: 404, body: null };
  }

  async close(): Promise<void> {}
}

function isFailing(command: Command): boolean {
  return (command.payload as { fail?: boolean } | null)?.fail === true;
}

function sourceOf(command: Command): string | null {
  return (command.payload as { source?: string } | null)?.source ?? null;
}

/** Two lanes of FNV-1a over the chain so far and the new link. */
function chainAfter(chain: string, link: string): string {
  const text = `${chain}>${link}`;
  let laneA = 0x811c9dc5;
  let laneB = 0x9747b28c;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    laneA = Math.imul(laneA ^ code, 0x01000193);
    laneB = Math.imul(laneB ^ code, 0x5bd1e995);
  }
  return (laneA >>> 0).toString(16).padStart(8, "0") + (laneB >>> 0).toString(16).padStart(8, "0");
}
