/**
 * What every engine owes the coordinator. Run on each implementation by the `engine-*.test.ts` beside this file.
 * The commands are cuts; a cut without a source is the command that fails.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import type { Engine } from "../../src/ports/engine.ts";
import { atMs, commandAt } from "../support/commands.ts";

/** How one implementation is made; called several times a test, each engine on its own. */
export interface EngineMaker {
  make(): Promise<Engine>;
  /** Ends what the engines needed, after they were closed. */
  cleanUp?(): Promise<void>;
  /** Whether a cut without a source fails in this engine. */
  judgesCommands: boolean;
}

const cut = (seq: number, source: string, epoch = 1) => commandAt(seq, "POST /api/switch/cut", { source }, { epoch });

export function describeEngineContract(name: string, maker: EngineMaker): void {
  describe(`${name} as an engine`, () => {
    let engines: Engine[] = [];
    let engine: Engine;
    const another = async (): Promise<Engine> => {
      const made = await maker.make();
      engines.push(made);
      return made;
    };
    const text = async (of: Engine): Promise<string> => canonicalJson(await of.snapshot());

    beforeEach(async () => {
      engines = [];
      engine = await another();
    });
    afterEach(async () => {
      await Promise.all(engines.map((each) => each.close()));
      await maker.cleanUp?.();
    });

    describeExecution(() => engine, another, text, maker.judgesCommands);
    describeState(() => engine, another, text);

    test("judges kinds and payloads without throwing", () => {
      expect(engine.validate("POST /api/switch/cut", { source: "cam1" })).toBeNull();
      expect(engine.validate(`POST /${"x".repeat(2_000)}`, null)).toMatch(/kind: 2006 characters/);
      expect(engine.validate("POST /x", "x".repeat(70_000))).toMatch(/payload: 70002 characters, at most/);
      expect(engine.validate("POST /x", "\ud800")).toMatch(/lone surrogate/);
    });

    test("hears of role changes and says how it is", async () => {
      await engine.onRole({ role: "leader", epoch: 3, previousRole: "follower", mayActForMs: 600 });
      await engine.onRole({ role: "follower", epoch: 4, previousRole: "leader", mayActForMs: 0 });
      await expect.poll(() => engine.health()).toBe("ok");
      expect(typeof engine.programSource()).toBe("string");
    });

    test("answers reads without changing", async () => {
      await engine.execute(cut(1, "cam2"));
      const before = await text(engine);
      const read = await engine.read("/nothing/of/this/name", atMs(1));
      expect(read.status).toBeGreaterThanOrEqual(400);
      expect(await text(engine)).toBe(before);
    });

    test("closes twice", async () => {
      await engine.close();
      await engine.close();
    });
  });
}

function describeExecution(
  engine: () => Engine,
  another: () => Promise<Engine>,
  text: (of: Engine) => Promise<string>,
  judgesCommands: boolean,
): void {
  test("[A19] a burst of 20 that is not waited for takes effect in order, as one by one", async () => {
    const oneByOne = await another();
    const burst = Array.from({ length: 20 }, (_, index) => cut(index + 1, `cam${(index % 3) + 1}`));
    await Promise.all(burst.map(async (command) => engine().execute(command)));
    for (const command of burst) expect(await oneByOne.execute(command)).toEqual({ ok: true });
    expect(await text(engine())).toBe(await text(oneByOne));
  });

  test("[A4] a repeated identity counts once, and one that is over changes nothing", async () => {
    await engine().execute(cut(1, "cam2"));
    await engine().execute(cut(2, "cam3"));
    const before = await text(engine());
    expect(await engine().execute(cut(2, "cam3"))).toEqual({ ok: true });
    expect(await engine().execute(cut(1, "cam2"))).toEqual({ ok: true });
    expect(await text(engine())).toBe(before);
  });

  test("the same place in a later epoch is another command", async () => {
    await engine().execute(cut(1, "cam2"));
    const before = await text(engine());
    await engine().execute(cut(2, "cam3", 2));
    expect(await text(engine())).not.toBe(before);
  });

  if (!judgesCommands) return;
  test("a command that fails says why, again when it is repeated, and the next goes on", async () => {
    const failing = commandAt(1, "POST /api/switch/cut", {});
    const first = await engine().execute(failing);
    expect(first).toEqual({ ok: false, error: expect.stringContaining("source") as string });
    expect(await engine().execute(failing)).toEqual(first);
    expect(await engine().execute(cut(2, "cam3"))).toEqual({ ok: true });
  });
}

function describeState(
  engine: () => Engine,
  another: () => Promise<Engine>,
  text: (of: Engine) => Promise<string>,
): void {
  test("a snapshot does not change afterwards", async () => {
    await engine().execute(cut(1, "cam2"));
    const snapshot = await engine().snapshot();
    const before = canonicalJson(snapshot);
    await engine().execute(cut(2, "cam3"));
    expect(canonicalJson(snapshot)).toBe(before);
    expect(await text(engine())).not.toBe(before);
  });

  test("an engine that took a state over goes on as the one that gave it, identities included", async () => {
    await engine().execute(cut(1, "cam2"));
    await engine().execute(cut(2, "cam3"));
    const successor = await another();
    await successor.restore(await engine().snapshot());
    await successor.execute(cut(2, "cam3"));
    expect(await text(successor)).toBe(await text(engine()));
    await Promise.all([engine(), successor].map(async (each) => each.execute(cut(3, "cam1"))));
    expect(await text(successor)).toBe(await text(engine()));
  });

  test("[A15] what is no state is refused and changes nothing", async () => {
    await engine().execute(cut(1, "cam2"));
    const before = await text(engine());
    for (const wrong of [{ nothing: "of the kind" }, {}]) {
      await expect((async () => engine().restore(wrong))()).rejects.toMatchObject({ code: "invalid_value" });
    }
    expect(await text(engine())).toBe(before);
  });
}
