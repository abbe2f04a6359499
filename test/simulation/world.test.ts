/** The world itself, with the least that can stand for a coordinator in it. */
import { describe, expect, it } from "vitest";
import { makeId } from "../../src/core/ids.ts";
import { DEFAULT_COMMANDS, DEFAULT_FAILOVER } from "../../src/core/settings.ts";
import type { WitnessRecord } from "../../src/ports/witness.ts";
import { World } from "../../src/simulation/world/world.ts";
import { tinyCoordinators, type Diary } from "./tiny-coordinator.ts";

function build(links: readonly string[] = ["red"]): { world: World; diaries: Diary[] } {
  const diaries: Diary[] = [];
  const world = new World(
    { factory: tinyCoordinators(diaries) },
    {
      seed: 1,
      failover: DEFAULT_FAILOVER,
      commands: DEFAULT_COMMANDS,
      linkNames: links,
      witness: true,
      driftPpm: { a: 0, b: 0 },
      spokes: [],
      sites: [],
      feed: false,
      engineTells: null,
    },
  );
  world.boot();
  return { world, diaries };
}

function record(epoch: number, seq: number): WitnessRecord {
  const engineId = makeId("engine", "a");
  return { holder: "a", engineId, epoch, seq, lastCommandSeq: 0, lastCommandEpoch: 0, clock: {}, released: false };
}

describe("processes", () => {
  it("meet over every link, and hear each other in order", async () => {
    const { world, diaries } = build(["red", "blue"]);
    await world.run(50);
    for (let n = 1; n <= 5; n += 1) diaries[0]?.say(n);
    await world.run(50);
    const [a, b] = diaries.map(({ lines }) => lines.map((line) => line.replace(/^\d+ /, "")));
    expect(a).toEqual(expect.arrayContaining(["up red eng_b1", "up blue eng_b1"]));
    expect(b?.filter((line) => line.startsWith("heard"))).toEqual([1, 2, 3, 4, 5].map((n) => `heard ${n}`));
  });

  it("close their sockets some ms after a kill, and come back as a new life with the same disk", async () => {
    const { world, diaries } = build();
    await world.run(150);
    world.processes.b.kill(3);
    await world.run(20);
    expect(diaries[0]?.lines.at(-1)).toMatch(/^15[3-9] down red true$/);
    const ticks = diaries[1]?.lines.length;
    await world.run(500);
    expect(diaries[1]?.lines).toHaveLength(ticks ?? -1);
    world.processes.b.boot();
    await world.run(700);
    expect(diaries[2]?.lines).toContainEqual(expect.stringContaining("up red eng_a1"));
    expect(diaries[0]?.lines).toContainEqual(expect.stringMatching(/^\d{3,4} up red eng_b1$/));
  });

  it("do nothing while frozen, and then all that fell due, in order", async () => {
    const { world, diaries } = build();
    await world.run(150);
    world.processes.b.pause();
    diaries[0]?.say(1);
    await world.run(1_000);
    diaries[0]?.say(2);
    await world.run(100);
    expect(diaries[1]?.lines.at(-1)).toMatch(/tick$/);
    world.processes.b.wake("arrivals-first");
    await world.run(1);
    expect(diaries[1]?.lines.slice(-3)).toEqual(["1250 heard 1", "1250 heard 2", "1250 tick"]);
  });
});

describe("probe", () => {
  it("tells a dead process from a live, a frozen and an unreachable one", async () => {
    const { world, diaries } = build();
    await world.run(100);
    const probe = async (): Promise<string> => {
      let result = "";
      void diaries[0]?.ports.peerProbe.probe(50).then((answer) => (result = answer));
      await world.run(60);
      return result;
    };
    expect(await probe()).toBe("alive");
    world.processes.b.pause();
    expect(await probe()).toBe("unknown");
    world.processes.b.wake("as-due");
    world.ground.links[0]?.from.b.cutOff();
    expect(await probe()).toBe("unknown");
    world.ground.links[0]?.from.b.heal();
    world.processes.b.kill(10);
    expect(await probe()).toBe("refused");
    world.processes.b.boot();
    world.processes.b.losePower();
    expect(await probe()).toBe("unknown");
  });
});

describe("witness", () => {
  it("may have swapped although no answer came", async () => {
    const { world, diaries } = build();
    const witness = diaries[0]?.ports.witness;
    world.ground.witnessWays.a.back.cutOff();
    let outcome = "";
    void witness?.swap(null, record(1, 1)).then((answer) => (outcome = answer.outcome));
    await world.run(200);
    expect(outcome).toBe("unknown");
    expect(world.ground.witness?.server.record?.epoch).toBe(1);
  });

  it("forgets, and goes back to an old copy, under a new run id", async () => {
    const { world, diaries } = build();
    const witness = diaries[0]?.ports.witness;
    const host = world.ground.witness;
    for (let seq = 1; seq <= 10; seq += 1) {
      void witness?.swap(host?.server.record ?? null, record(1, seq));
      await world.run(400);
    }
    const before = host?.server.runId;
    host?.failOver();
    expect(host?.server.record?.seq).toBeLessThan(9);
    expect(host?.server.runId).not.toBe(before);
    host?.server.forget();
    expect(host?.server.record).toBeNull();
  });
});
