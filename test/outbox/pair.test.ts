/** The outbox of a pair: what is told, in which order, by whom, and what becomes of it when the role moves. */
import { describe, expect, it } from "vitest";
import { expectOrdered, FeedStage, onStage } from "./feed-stage.ts";
import { Stage } from "../scenarios/stage.ts";

describe("what the outbox tells", () => {
  onStage("tells of commands, records and leaderships, each once, in the order of its stack", async (stage) => {
    for (let count = 0; count < 3; count += 1) await stage.submit("a");
    const { records } = stage.coordinator("b").replication;
    records.set("macros", "m1", { steps: 2 });
    records.delete("macros", "m1");
    await stage.published();
    const commands = stage.events("programme");
    const places = commands.map(({ version, baseVersion }) => [version, baseVersion]);
    expect(places).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
    expect(commands[0]).toMatchObject({
      ...{ eventType: "command.accepted", tenantId: stage.state("a").pair },
      payload: { seq: 1, kind: "POST /api/switch/cut", payload: { source: "CAM 1" } },
    });
    const told = stage.events(`records/${records.origin}`).map(({ eventType, version }) => [eventType, version]);
    expect(told).toEqual([
      ["record.set", 1],
      ["record.deleted", 2],
    ]);
    expect(stage.events("leadership").at(-1)).toMatchObject({
      ...{ eventType: "leadership.began", version: stage.state("a").epoch, payload: { leader: "a" } },
    });
    expectOrdered(stage);
  });

  onStage(
    "publishes nothing that its caller has not been answered for",
    async (stage) => {
      await stage.submit("a");
      await stage.published();
      stage.cut();
      const answer = stage.send("a");
      await stage.run(100);
      expect(stage.versions("programme")).toEqual([1]);
      expect(stage.waiting("a")).toBe(1);
      await stage.answer(answer);
      await stage.until("it is told", () => stage.versions("programme").length === 2, 2_000);
    },
    { commands: { ackTimeoutMs: 400 } },
  );

  it("writes no row and runs no pump where there is no sink", async () => {
    const stage = new Stage({});
    await stage.onAir("a");
    await stage.submit("a");
    await stage.run(5_000);
    const status = stage.coordinator("a").outbox();
    expect(status).toMatchObject({ sink: "nop", pump: "resting", depth: 0, oldest: null, published: 0 });
    expect(stage.process("a").ports?.store.replica.outbox.stacksAfter("", 10)).toEqual([]);
  });
});

describe("the outbox over a failover", () => {
  onStage("[A22] goes on where the dead leader stopped: every event once, in order", async (stage) => {
    await stage.submit("a");
    await stage.published();
    stage.sink.faultOf = () => "unavailable";
    for (let count = 0; count < 2; count += 1) await stage.submit("a");
    expect(stage.waiting("b")).toBe(2);
    stage.process("a").kill(3);
    delete stage.sink.faultOf;
    await stage.until("b leads", () => stage.leads("b"), 3_000);
    await stage.submit("b");
    await stage.published();
    expect(stage.versions("programme")).toEqual([1, 2, 3, 4]);
    expect(stage.events("programme")[3], "the first command of an epoch stands upon any").toMatchObject({
      baseVersion: 0,
    });
    stage.process("a").boot();
    await stage.atRest();
    await stage.published();
    expect(stage.versions("programme")).toEqual([1, 2, 3, 4]);
    expectOrdered(stage);
  });

  onStage("[A22] an answer that was lost makes a double, which collapses on its eventId", async (stage) => {
    await stage.published();
    stage.sink.faultOf = ({ stackId, version }) => (stackId === "programme" && version === 2 ? "answer-lost" : null);
    for (let count = 0; count < 3; count += 1) await stage.submit("a");
    await stage.until("two are told", () => stage.versions("programme").length === 2, 3_000);
    stage.process("a").kill(3);
    delete stage.sink.faultOf;
    await stage.until("b leads", () => stage.leads("b"), 3_000);
    await stage.published();
    expect(stage.versions("programme")).toEqual([1, 2, 3]);
    expect(stage.coordinator("b").outbox().duplicates).toBeGreaterThan(0);
    expectOrdered(stage);
  });

  onStage("what a deposed leader was still publishing is not written back under another's epoch", async (stage) => {
    await stage.published();
    stage.sink.delayMs = () => 500;
    await stage.submit("a");
    await stage.run(50);
    const { published } = stage.coordinator("a").outbox();
    expect((await stage.answer(stage.coordinator("a").handover({ reason: "test", by: "ops" }))).outcome).toBe(
      "handed-over",
    );
    await stage.run(450);
    expect(stage.coordinator("a").outbox()).toMatchObject({ published, pump: "resting" });
    await stage.published();
    expectOrdered(stage);
  });

  onStage("[A22] a cut follower learns later what was told, and an empty one is given what was not", async (stage) => {
    stage.process("b").kill(3);
    for (let count = 0; count < 3; count += 1) await stage.submit("a");
    await stage.until("all is told", () => stage.waiting("a") === 0, 5_000);
    stage.process("b").boot();
    await stage.atRest();
    await stage.published();
    expect(stage.process("b").ports?.store.replica.outbox.mark("programme")).toMatchObject({ version: 3 });
    expect(stage.versions("programme")).toEqual([1, 2, 3]);
  });
});

describe("the outbox over a split", () => {
  it("[SB3] what was taken back unpublished is never told; what was told is told as a conflict", async () => {
    const stage = new FeedStage();
    await stage.onAir("a");
    await stage.submit("a");
    await stage.published();
    stage.isolate("a");
    await stage.until("b leads too", () => stage.leads("b"), 3_000);
    stage.sink.faultOf = ({ payload }) => (JSON.stringify(payload).includes("CAM 3") ? "unavailable" : null);
    const taken = [await stage.submit("a"), await stage.submit("a"), await stage.submit("b")];
    expect(taken.map(({ outcome }) => outcome)).toEqual(["accepted", "accepted", "accepted"]);
    await stage.run(500);
    const told = stage.events("programme").map(({ payload }) => JSON.stringify(payload));
    expect(told.some((text) => text.includes("CAM 2"))).toBe(true);
    stage.rejoin("a");
    await stage.atRest();
    delete stage.sink.faultOf;
    await stage.published();
    expect(stage.feed.entries.some(({ event }) => JSON.stringify(event.payload).includes("CAM 3"))).toBe(false);
    const conflicts = stage.feed.entries.filter(({ event }) => event.eventType === "conflict.superseded");
    const divergent = stage.events("programme").find(({ payload }) => JSON.stringify(payload).includes("CAM 2"));
    expect(conflicts).toHaveLength(2);
    expect(conflicts.some(({ event }) => JSON.stringify(event.payload).includes(divergent?.eventId ?? "-"))).toBe(true);
  });
});
