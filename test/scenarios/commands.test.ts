/** Commands: once each, at their instant, in one order; states that are posted; strangers. */
import { expect } from "vitest";
import type { Json } from "../../src/core/canonical-json.ts";
import { makeId } from "../../src/core/ids.ts";
import type { StateSnapshot } from "../../src/core/messages.ts";
import { scenario, type Stage } from "./stage.ts";

const TOGGLE = { kind: "POST /api/switch/ftb", payload: {}, idempotencyKey: "fade-to-black" };

scenario("A4", "a fade-to-black toggle is sent twice with one key", {}, async (stage) => {
  await stage.given("a on air, b ready", () => stage.onAir("a"));
  await stage.when("it is sent twice at once, and again after a failover", async () => {
    const [first, second] = await stage.answer(Promise.all([stage.send("a", TOGGLE), stage.send("a", TOGGLE)]));
    expect(second).toEqual(first);
    stage.process("a").kill(3);
    await stage.until("b leads", () => stage.leads("b"), 100);
    expect(await stage.submit("b", TOGGLE)).toMatchObject({ outcome: "accepted", seq: 1 });
    stage.process("a").boot();
    await stage.atRest();
  });
  await stage.outcome("it toggles once on each engine", () => {
    expect(stage.executed("a")).toEqual(["fade-to-black"]);
    expect(stage.executed("b")).toEqual(["fade-to-black"]);
  });
});

scenario("A9", "commands stamped with their instants", {}, async (stage) => {
  const instants = new Map<string, number[]>();
  stage.world.watch({
    executed: (_label, command) => {
      const name = command.idempotencyKey ?? "";
      instants.set(name, [...(instants.get(name) ?? []), stage.world.nowMs]);
    },
  });
  await stage.given("a on air, b ready, clocks measured for 10 s", async () => {
    await stage.onAir("a");
    await stage.run(10_000);
  });
  await stage.when("200 commands are given", async () => {
    for (let cue = 0; cue < 200; cue += 1) {
      void stage.send("a");
      await stage.run(20);
    }
    await stage.run(500);
  });
  await stage.outcome("both execute each within a millisecond of each other, in the same order", () => {
    expect(stage.executed("a")).toHaveLength(200);
    expect(stage.executed("b")).toEqual(stage.executed("a"));
    const apart = [...instants.values()].map(([first = 0, second = Infinity]) => Math.abs(first - second));
    apart.sort((left, right) => left - right);
    expect(apart[Math.floor(apart.length * 0.99)]).toBeLessThan(1);
  });
});

scenario("A17", "a command arrives after its instant", {}, async (stage) => {
  await stage.given("a on air, b ready", () => stage.onAir("a"));
  await stage.when("it is due 300 ms ago", async () => {
    const executeAtUs = stage.coordinator("a").programmeTimeUs() - 300_000;
    expect((await stage.submit("a", { executeAtUs })).outcome).toBe("accepted");
    await stage.run(50);
  });
  await stage.outcome("both execute it at once, count it and raise the alarm", () => {
    for (const label of ["a", "b"] as const) {
      expect(stage.executed(label)).toHaveLength(1);
      expect(stage.coordinator(label).syncHealth().lateCommands).toBe(1);
      expect(stage.alarms(label)).toContain("commands-late");
    }
  });
});

scenario("A14", "the reconcile lock is held", {}, async (stage) => {
  await stage.given("a on air, b ready; a tool holds the lock for 2 s", () => stage.onAir("a"));
  const taken = await stage.answer(stage.coordinator("a").acquireLock({ holder: "tool", ttlMs: 2_000 }));
  const lockId = taken.outcome === "acquired" ? taken.lockId : makeId("lock", "none");
  await stage.outcome("another is told who holds it", async () => {
    const asked = stage.coordinator("b").acquireLock({ holder: "other", ttlMs: 2_000 });
    expect(await stage.answer(asked)).toMatchObject({ outcome: "held", holder: "tool" });
  });
  const snapshot = await snapshotOf(stage);
  await stage.when("its time has passed", () => stage.run(2_100));
  await stage.outcome("the old id is expired, and its snapshot refused", async () => {
    expect((await stage.answer(stage.coordinator("a").refreshLock(lockId))).outcome).toBe("expired");
    const posted = stage.coordinator("b").applySnapshot(lockId, snapshot as unknown as Json);
    expect((await stage.answer(posted)).outcome).toBe("lock-not-held");
  });
});

scenario("A15", "snapshots of an older epoch, malformed, truncated, with a wrong checksum", {}, async (stage) => {
  await stage.given("a on air with a command, then b by handover with another", async () => {
    await stage.onAir("a");
    await stage.submit("a");
    await stage.run(200);
  });
  const old = await snapshotOf(stage);
  await stage.onAir("b");
  await stage.submit("b");
  await stage.run(200);
  const taken = await stage.answer(stage.coordinator("b").acquireLock({ holder: "tool", ttlMs: 20_000 }));
  const lockId = taken.outcome === "acquired" ? taken.lockId : makeId("lock", "none");
  const before = JSON.stringify([stage.process("a").disk.content, stage.process("a").engineMemory?.chain]);
  const post = async (snapshot: Json): Promise<string> =>
    (await stage.answer(stage.coordinator("a").applySnapshot(lockId, snapshot))).outcome;
  const sound = old as unknown as { [key: string]: Json };
  await stage.outcome("each is refused for what it is", async () => {
    expect(await post(sound)).toBe("stale-epoch");
    expect(await post(null)).toBe("invalid-snapshot");
    expect(await post({ ...sound, state: undefined as unknown as Json })).toBe("invalid-snapshot");
    expect(await post({ ...sound, state: { chain: "0" } })).toBe("invalid-snapshot");
    expect(await post({ ...sound, checksum: "0".repeat(64) })).toBe("invalid-snapshot");
  });
  await stage.outcome("and nothing has changed, byte for byte", () => {
    expect(JSON.stringify([stage.process("a").disk.content, stage.process("a").engineMemory?.chain])).toBe(before);
  });
});

scenario("A20", "an impostor connects at the peer's address", {}, async (stage) => {
  await stage.given("a on air, b ready", () => stage.onAir("a"));
  // What the take-over put off is on disk by now.
  await stage.run(200);
  const { epoch } = stage.state("a");
  const before = JSON.stringify(stage.process("a").disk.content);
  await stage.when("someone with another engine id greets a", async () => {
    stage.world.impostor.knock("a", "own-id");
    await stage.run(50);
  });
  await stage.outcome("it is refused, counted and told; nothing is stored, leadership untouched", async () => {
    expect(stage.state("a").peer.refused).toBe(1);
    expect(stage.alarms("a")).toContain("peer-refused");
    expect(JSON.stringify(stage.process("a").disk.content)).toBe(before);
    await stage.run(1_000);
    expect(stage.state("a")).toMatchObject({ epoch, role: "leader", mayAct: true });
  });
});

scenario(
  "A18",
  "the reference clock is lost and comes back",
  {
    wrapPorts: (ports, label) => ({ ...ports, clockSource: { reading: () => reading(label), close: async () => {} } }),
  },
  async (stage) => {
    lost = false;
    await stage.given("a on air, both on the same reference", () => stage.onAir("a"));
    expect(stage.coordinator("a").syncHealth().clockSync.mode).toBe("ptp");
    await stage.when("the reference is lost", async () => {
      lost = true;
      await stage.run(6_000);
    });
    await stage.outcome("lockstep degrades visibly, roles are unaffected", () => {
      expect(stage.coordinator("b").syncHealth().clockSync.mode).not.toBe("ptp");
      expect(stage.alarms("b")).toContain("lockstep-degraded");
      expect(stage.leads("a")).toBe(true);
    });
    await stage.when("it is back", async () => {
      lost = false;
      await stage.run(6_000);
    });
    await stage.outcome("the alarm is gone, and commands still execute on both", async () => {
      expect(stage.alarms("b")).not.toContain("lockstep-degraded");
      await stage.submit("a");
      await stage.atRest();
      expect(stage.executed("b")).toHaveLength(1);
    });
  },
);

let lost = false;

function reading(_label: string): { mode: "ptp" | "free"; offsetNs: number; jitterNs: number } {
  return lost ? { mode: "free", offsetNs: 0, jitterNs: 0 } : { mode: "ptp", offsetNs: 200, jitterNs: 50 };
}

async function snapshotOf(stage: Stage): Promise<StateSnapshot> {
  const taken = await stage.answer(stage.coordinator("a").snapshot());
  if (taken.outcome !== "taken") throw new Error(`no snapshot: ${taken.outcome}`);
  return taken.snapshot;
}
