/**
 * Purpose: a stage for scenarios: the virtual pair with every invariant watched, and words to tell what is given, done
 * and seen. What was told is printed as a transcript.
 */
import { expect, test } from "vitest";
import type { Rules } from "../../src/actors/rules.ts";
import type { Coordinator, CoordinatorPorts, CoordinatorState } from "../../src/coordinator/types.ts";
import type { Command } from "../../src/core/command.ts";
import { otherLabel, type Label } from "../../src/core/ids.ts";
import type { CommandInput, SubmitOutcome } from "../../src/core/outcomes.ts";
import { DEFAULT_COMMANDS, resolveFailover, type FailoverSettings } from "../../src/core/settings.ts";
import type { CommandSettings } from "../../src/core/settings.ts";
import { unsettled } from "../../src/simulation/invariants/agreement.ts";
import { watchInvariants } from "../../src/simulation/invariants/all.ts";
import type { SpokeInit } from "../../src/simulation/world/sim-spoke.ts";
import type { SimProcess } from "../../src/simulation/world/sim-process.ts";
import { simulated } from "../../src/simulation/subject.ts";
import { World } from "../../src/simulation/world/world.ts";

/** What a scenario may set. */
export interface StageSettings {
  readonly failover?: Partial<FailoverSettings>;
  readonly commands?: Partial<CommandSettings>;
  readonly links?: readonly string[];
  readonly witness?: boolean;
  readonly seed?: number;
  readonly spokes?: readonly SpokeInit[];
  readonly wrapPorts?: (ports: CoordinatorPorts, label: Label) => CoordinatorPorts;
  readonly rules?: Partial<Rules>;
}

/** One frame at 60 Hz. */
export const FRAME_MS = 16.7;

/** The virtual pair, told about. */
export class Stage {
  readonly world: World;
  readonly lines: string[] = [];
  #key = 0;

  constructor(settings: StageSettings) {
    const witness = settings.witness ?? true;
    const { seed = 1, links = ["red", "blue"], wrapPorts = (ports) => ports, rules = {} } = settings;
    this.world = new World(
      { factory: simulated, wrapPorts, rules },
      {
        seed,
        failover: resolveFailover(settings.failover ?? {}, witness ? "memory" : "none"),
        commands: { ...DEFAULT_COMMANDS, ...settings.commands },
        linkNames: links,
        witness,
        driftPpm: { a: 80, b: -120 },
        spokes: settings.spokes ?? [],
        sites: [],
        feed: false,
        engineTells: null,
      },
    );
    watchInvariants(this.world, { boundedGaps: false });
  }

  /** A line of the transcript, then what it tells. */
  async tell(what: string, act: () => unknown): Promise<void> {
    const sinceMs = this.world.nowMs;
    await act();
    this.#unbroken();
    const tookMs = this.world.nowMs - sinceMs;
    this.lines.push(`${what}${tookMs > 0 ? ` (${tookMs.toFixed(1)} ms)` : ""}`);
  }

  given(what: string, act: () => unknown): Promise<void> {
    return this.tell(`  given ${what}`, act);
  }

  when(what: string, act: () => unknown): Promise<void> {
    return this.tell(`  when  ${what}`, act);
  }

  // A scenario's third word; a stage is never awaited itself.
  outcome(what: string, act: () => unknown): Promise<void> {
    return this.tell(`  then  ${what}`, act);
  }

  process(label: Label): SimProcess {
    return this.world.processes[label];
  }

  coordinator(label: Label): Coordinator {
    const { coordinator } = this.process(label);
    if (coordinator === null) throw new Error(`${label} is not running`);
    return coordinator;
  }

  state(label: Label): CoordinatorState {
    return this.coordinator(label).state();
  }

  alarms(label: Label): readonly string[] {
    return this.state(label).alarms.map(({ code }) => code);
  }

  async run(forMs: number): Promise<void> {
    await this.world.run(forMs);
    this.#unbroken();
  }

  /** Runs until `holds`, at most `limitMs`; the time that it took. */
  async until(what: string, holds: () => boolean, limitMs: number): Promise<number> {
    const sinceMs = this.world.nowMs;
    await this.world.runUntil(sinceMs + limitMs, holds);
    this.#unbroken();
    if (!holds()) throw new Error(`not within ${limitMs} ms: ${what}`);
    return this.world.nowMs - sinceMs;
  }

  /** Both engines up, `label` on air, the other ready to take over. */
  async onAir(label: Label): Promise<void> {
    if (!this.process("a").alive) this.world.boot();
    await this.until("both are ready", () => unsettled(this.world) === null, 10_000);
    if (!this.leads(label)) {
      const asked = this.coordinator(otherLabel(label)).handover({ reason: "the scenario begins", by: "stage" });
      expect((await this.answer(asked)).outcome).toBe("handed-over");
      await this.until("both are ready again", () => unsettled(this.world) === null, 10_000);
    }
  }

  leads(label: Label): boolean {
    return this.process(label).mayAct();
  }

  /** Both equal, one of them leading. */
  atRest(limitMs = 20_000): Promise<number> {
    const holds = (): boolean => unsettled(this.world) === null;
    return this.until(`at rest (${unsettled(this.world) ?? "now"})`, holds, limitMs);
  }

  /** Cuts the links in both directions, or only what `from` sends. */
  cut(from?: Label): void {
    for (const link of this.world.ground.links) {
      if (from !== "b") link.from.a.cutOff();
      if (from !== "a") link.from.b.cutOff();
    }
  }

  /** Cuts `label` off from the other engine and from the witness. */
  isolate(label: Label): void {
    this.cut();
    const { there, back } = this.world.ground.witnessWays[label];
    there.cutOff();
    back.cutOff();
  }

  /** Ends what `isolate` began. */
  rejoin(label: Label): void {
    this.healLinks();
    const { there, back } = this.world.ground.witnessWays[label];
    there.healWholly();
    back.healWholly();
  }

  /** Both lead, `b` under the higher epoch; nobody has taken a command since. Ends with `rejoin("a")`. */
  async splitBrain(): Promise<void> {
    await this.onAir("a");
    this.isolate("a");
    await this.until("b leads too", () => this.leads("b"), 3_000);
  }

  healLinks(): void {
    for (const link of this.world.ground.links) {
      link.from.a.healWholly();
      link.from.b.healWholly();
    }
  }

  /** Runs the world until `asked` is answered. */
  async answer<T>(asked: Promise<T>, limitMs = 10_000): Promise<T> {
    const box: { value?: T; error?: unknown; done: boolean } = { done: false };
    asked.then(
      (value) => Object.assign(box, { value, done: true }),
      (error: unknown) => Object.assign(box, { error, done: true }),
    );
    await this.until("an answer", () => box.done, limitMs);
    if (box.error !== undefined) throw box.error as Error;
    return box.value as T;
  }

  submit(label: Label, input: Partial<CommandInput> = {}): Promise<SubmitOutcome> {
    return this.answer(this.send(label, input));
  }

  /** Sends a command and does not wait. */
  send(label: Label, input: Partial<CommandInput> = {}): Promise<SubmitOutcome> {
    this.#key += 1;
    const key = `cue-${this.#key}`;
    return this.coordinator(label).submit({
      kind: "POST /api/switch/cut",
      payload: { source: `CAM ${this.#key}` },
      idempotencyKey: key,
      ...input,
    });
  }

  /** What the engine of `label` has executed, oldest first, by the clients' names. */
  executed(label: Label): readonly string[] {
    const names: string[] = [];
    for (let past = this.process(label).engineMemory?.past ?? null; past !== null; past = past.previous)
      names.push(past.name);
    return names.reverse();
  }

  log(label: Label): readonly Command[] {
    return this.coordinator(label).commands(0, 1_000).commands;
  }

  #unbroken(): void {
    const { violation } = this.world;
    if (violation !== null) throw new Error(`${violation.invariant} broken: ${violation.detail}`);
  }
}

/** One scenario of acceptance.md; its transcript is printed. */
export function scenario(
  id: string,
  title: string,
  settings: StageSettings,
  play: (stage: Stage) => Promise<void>,
): void {
  test(`[${id}] ${title}`, async () => {
    const stage = new Stage(settings);
    try {
      await play(stage);
    } finally {
      console.log([`${id} ${title}`, ...stage.lines].join("\n"));
    }
  });
}
