/** The contract of the port Engine: what every engine owes the coordinator. */
import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { type Json, canonicalJson } from "../core/canonical-json.ts";
import type { Command } from "../core/command.ts";
import type { Engine } from "../ports/engine.ts";
import { type ContractCase, type Declare, collectCases, eventually } from "./contract.ts";

/** What an engine is told to do in these cases. */
export interface SampleCommand {
  readonly kind: string;
  readonly payload: Json;
}

/** Engines under test, and the commands that they understand. */
export interface EngineUnderTest {
  /** A new engine, on its own; called several times a case. */
  make(): Promise<Engine>;
  /** Ends what the engines needed; called after they were closed. */
  end?(): Promise<void>;
  /** The `n`th of three commands (0 to 2), each of which leads to another state. Cuts of a video switcher unless given. */
  readonly command?: (n: number) => SampleCommand;
  /** A command that fails in this engine, and what its error says; null: none does. */
  readonly failing: (SampleCommand & { readonly says: RegExp }) | null;
}

/** The command of a switcher, for engines that interpret switcher calls, and the one among them that fails. */
const cutTo = (n: number): SampleCommand => ({ kind: "POST /api/switch/cut", payload: { source: `cam${n + 1}` } });

export const CUT_WITHOUT_SOURCE = { kind: "POST /api/switch/cut", payload: {}, says: /source/ } as const;

interface Stage {
  readonly engine: Engine;
  readonly another: () => Promise<Engine>;
  /** Command number `seq` of the log: the `n`th sample. */
  readonly command: (seq: number, n: number, epoch?: number) => Command;
  readonly failing: EngineUnderTest["failing"];
}

const START_US = 1_709_654_400_000_000;
const FRAME_US = 40_000;

function commandAt(seq: number, { kind, payload }: SampleCommand, epoch: number): Command {
  const executeAtUs = START_US + seq * FRAME_US;
  const place = { seq, epoch, hlc: String(seq).padStart(20, "0"), executeAtUs, origin: "eng_a", originSeq: seq };
  return { ...place, kind, payload, idempotencyKey: null, clock: { eng_a: seq } } as unknown as Command;
}

async function text(of: Engine): Promise<string> {
  return canonicalJson(await of.snapshot());
}

/** The cases that an engine has to pass. */
export function engineContract(given: EngineUnderTest): readonly ContractCase[] {
  return collectCases<Stage>([executing, failing, keeping, telling], async (body) => {
    const engines: Engine[] = [];
    const another = async (): Promise<Engine> => {
      const made = await given.make();
      engines.push(made);
      return made;
    };
    const sample = given.command ?? cutTo;
    try {
      const command = (seq: number, n: number, epoch = 1): Command => commandAt(seq, sample(n), epoch);
      await body({ engine: await another(), another, command, failing: given.failing });
    } finally {
      await Promise.all(engines.map(async (engine) => engine.close()));
      await given.end?.();
    }
  });
}

function telling(it: Declare<Stage>): void {
  it("judges kinds and payloads without throwing", async ({ engine, command }) => {
    const { kind, payload } = command(1, 0);
    equal(engine.validate(kind, payload), null);
    match(engine.validate(`POST /${"x".repeat(2_000)}`, null) ?? "", /kind: 2006 characters/);
    match(engine.validate("POST /x", "x".repeat(70_000)) ?? "", /payload: 70002 characters, at most/);
    match(engine.validate("POST /x", "\ud800") ?? "", /lone surrogate/);
  });

  it("hears of role changes and says how it is", async ({ engine }) => {
    await engine.onRole({ role: "leader", epoch: 3, previousRole: "follower", mayActForMs: 600 });
    await engine.onRole({ role: "follower", epoch: 4, previousRole: "leader", mayActForMs: 0 });
    await eventually(() => engine.health() === "ok", "the engine is ok");
    equal(typeof engine.programSource(), "string");
  });

  it("answers reads without changing", async ({ engine, command }) => {
    await engine.execute(command(1, 1));
    const before = await text(engine);
    const read = await engine.read("/nothing/of/this/name", START_US + 1_000);
    ok(read.status >= 400);
    equal(await text(engine), before);
  });

  it("closes twice", async ({ engine }) => {
    await engine.close();
    await engine.close();
  });
}

function executing(it: Declare<Stage>): void {
  it("[A19] a burst of 20 that is not waited for takes effect in order, as one by one", async ({
    engine,
    another,
    command,
  }) => {
    const oneByOne = await another();
    const burst = Array.from({ length: 20 }, (_, index) => command(index + 1, index % 3));
    await Promise.all(burst.map(async (command) => engine.execute(command)));
    for (const command of burst) deepEqual(await oneByOne.execute(command), { ok: true });
    equal(await text(engine), await text(oneByOne));
  });

  it("[A4] a repeated identity counts once, and one that is over changes nothing", async ({ engine, command }) => {
    await engine.execute(command(1, 1));
    await engine.execute(command(2, 2));
    const before = await text(engine);
    deepEqual(await engine.execute(command(2, 2)), { ok: true });
    deepEqual(await engine.execute(command(1, 1)), { ok: true });
    equal(await text(engine), before);
  });

  it("the same place in a later epoch is another command", async ({ engine, command }) => {
    await engine.execute(command(1, 1));
    const before = await text(engine);
    await engine.execute(command(2, 2, 2));
    notEqual(await text(engine), before);
  });
}

function failing(it: Declare<Stage>): void {
  it("a command that fails says why, again when it is repeated, and the next goes on", async (stage) => {
    const { engine, command, failing: sample } = stage;
    if (sample === null) return;
    const broken = commandAt(1, sample, 1);
    const first = await engine.execute(broken);
    match(first.ok ? "it did not fail" : first.error, sample.says);
    deepEqual(await engine.execute(broken), first);
    deepEqual(await engine.execute(command(2, 2)), { ok: true });
  });
}

function keeping(it: Declare<Stage>): void {
  it("a snapshot does not change afterwards", async ({ engine, command }) => {
    await engine.execute(command(1, 1));
    const snapshot = await engine.snapshot();
    const before = canonicalJson(snapshot);
    await engine.execute(command(2, 2));
    equal(canonicalJson(snapshot), before);
    notEqual(await text(engine), before);
  });

  it("an engine that took a state over goes on as the one that gave it, identities included", async ({
    engine,
    another,
    command,
  }) => {
    await engine.execute(command(1, 1));
    await engine.execute(command(2, 2));
    const successor = await another();
    await successor.restore(await engine.snapshot());
    await successor.execute(command(2, 2));
    equal(await text(successor), await text(engine));
    await Promise.all([engine, successor].map(async (each) => each.execute(command(3, 0))));
    equal(await text(successor), await text(engine));
  });

  it("[A15] what is no state is refused and changes nothing", async ({ engine, command }) => {
    await engine.execute(command(1, 1));
    const before = await text(engine);
    for (const wrong of [{ nothing: "of the kind" }, {}]) {
      await rejects(async () => engine.restore(wrong), { code: "invalid_value" });
    }
    equal(await text(engine), before);
  });
}
