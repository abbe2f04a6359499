/** An engine in a process of its own, driven by the shipped adapter over a simulated connection. */
import { expect, test } from "vitest";
import { HttpEngine } from "../../src/adapters/http-engine.ts";
import type { Command } from "../../src/core/command.ts";
import type { EngineSign } from "../../src/ports/engine.ts";
import { HostClock, ProcessClock } from "../../src/simulation/ground/host-clock.ts";
import { Prng } from "../../src/simulation/ground/prng.ts";
import { Scheduler, type Life } from "../../src/simulation/ground/scheduler.ts";
import {
  ENGINE_URL,
  EngineProcess,
  NO_LIFELINE,
  SimHookClient,
} from "../../src/simulation/ports/sim-engine-process.ts";
import { commandAt } from "../support/commands.ts";

function build() {
  const scheduler = new Scheduler();
  const life: Life = { alive: true, paused: false, backlog: [] };
  const host = new HostClock({ driftPpm: 0, unixOffsetMs: 0 });
  const clock = new ProcessClock({ scheduler, host, life, lateness: new Prng(1) });
  const executed: number[] = [];
  const process = new EngineProcess({
    ...{ scheduler, pasts: new Map(), chance: new Prng(2), faults: { slowMs: 0, health: "ok" as const } },
    observer: { executed: (command) => void executed.push(command.seq) },
    tells: { instance: false, position: true },
  });
  const engine = new HttpEngine(
    {
      clock,
      connect: (onLost) => ({
        lifeline: NO_LIFELINE,
        client: new SimHookClient({ process, scheduler, clock, life, chance: new Prng(3) }, onLost),
      }),
    },
    { baseUrl: ENGINE_URL },
  );
  const pass = async (ms: number): Promise<void> => {
    const untilMs = scheduler.nowMs + ms;
    const promises = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await promises();
    for (let event = scheduler.take(untilMs); event !== null; event = scheduler.take(untilMs)) {
      event.run?.();
      await promises();
    }
    scheduler.advanceTo(untilMs);
  };
  return { process, engine, executed, pass };
}

const command = (seq: number): Command => commandAt(seq, "POST /cut", { source: `cam${seq}` }, { epoch: 1 });

test("EN9: a command that is tried again reaches a process that was started anew only after a look has told of it", async () => {
  const { process, engine, executed, pass } = build();
  const signs: string[] = [];
  engine.watch((sign: EngineSign) => {
    if (sign.type === "answered") signs.push(`position ${sign.position?.seq ?? "none"}`);
  });
  await pass(5);
  for (const seq of [1, 2]) {
    void engine.execute(command(seq));
    await pass(5);
  }
  process.die();
  void engine.execute(command(3));
  // Restarted before the second try, and before the next look of the poll.
  process.start();
  signs.length = 0;
  await pass(200);
  expect(executed).toEqual([1, 2, 3]);
  expect(signs[0]).toBe("position 0");
  await engine.close();
});

test("EN9: it is not sent at all while nobody answers the look", async () => {
  const { process, engine, executed, pass } = build();
  engine.watch(() => undefined);
  await pass(5);
  void engine.execute(command(1));
  await pass(5);
  process.die();
  const outcome = engine.execute(command(2));
  await pass(1_000);
  expect(await outcome).toMatchObject({ ok: false, gaveUp: true });
  expect(executed).toEqual([1]);
  await engine.close();
});
