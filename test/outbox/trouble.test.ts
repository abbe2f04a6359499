/** The outbox in trouble: events that are not taken, sinks that are away or hang, disks that are full. */
import { describe, expect } from "vitest";
import type { ControlEvent } from "../../src/core/control-event.ts";
import { expectOrdered, type FeedStage, onStage } from "./feed-stage.ts";

/** A dead letter comes after ten attempts, whose waits add up to a minute or two. */
const DEAD_WITHIN_MS = 300_000;

const isPoison = (event: ControlEvent): boolean => JSON.stringify(event.payload).includes("poison");

/** A poisoned command among others, and a record; the sink refuses it until it is told otherwise. */
async function poisoned(stage: FeedStage): Promise<ControlEvent> {
  stage.sink.faultOf = (event) => (isPoison(event) ? "refused" : null);
  await stage.submit("a");
  await stage.submit("a", { payload: { source: "poison" } });
  await stage.submit("a");
  stage.coordinator("a").replication.records.set("macros", "m1", 1);
  const status = () => stage.coordinator("a").outbox();
  await stage.until("it is a dead letter", () => status().dead === 1, DEAD_WITHIN_MS);
  const [letter] = status().deadLetters;
  expect(letter).toMatchObject({ stackId: "programme", version: 2, attempts: 10, reason: "refused" });
  const row = stage.process("a").ports?.store.replica.outbox.find(letter?.eventId ?? "");
  if (row === null || row === undefined) throw new Error("the dead letter has its row");
  return row.event;
}

describe("an event that is not taken", () => {
  onStage("[A23] holds up its own stack only, is told as an alarm, and a person skips it", async (stage) => {
    const { eventId } = await poisoned(stage);
    await stage.run(120_000);
    expect(stage.versions("programme")).toEqual([1]);
    const { origin } = stage.coordinator("a").replication.records;
    expect(stage.versions(`records/${origin}`)).toEqual([1]);
    expect(stage.alarms("a")).toContain("outbox-dead-letter");
    expect(stage.coordinator("b").skipEvent(eventId, "ops")).toMatchObject({ outcome: "not-leader", leader: "a" });
    expect(stage.coordinator("a").skipEvent(eventId, "ops")).toMatchObject({ outcome: "done", stackId: "programme" });
    await stage.published();
    expect(stage.versions("programme")).toEqual([1, 2, 3]);
    expect(stage.events("programme")[1]).toMatchObject({
      ...{ eventId, eventType: "event.skipped", baseVersion: 1 },
      payload: { eventType: "command.accepted", by: "ops" },
    });
    expect(stage.alarms("a")).not.toContain("outbox-dead-letter");
    expect(stage.coordinator("a").skipEvent(eventId, "ops").outcome).toBe("already-published");
    expect(stage.coordinator("a").retryEvent("cmd_none").outcome).toBe("not-found");
    expectOrdered(stage);
  });

  onStage("[A23] goes out when a person retries it after the cause was mended", async (stage) => {
    const { eventId } = await poisoned(stage);
    delete stage.sink.faultOf;
    await stage.run(60_000);
    expect(stage.versions("programme"), "nobody has looked yet").toEqual([1]);
    expect(stage.coordinator("a").retryEvent(eventId).outcome).toBe("done");
    await stage.published();
    expect(stage.events("programme")[1]).toMatchObject({ eventId, eventType: "command.accepted" });
    expect(stage.versions("programme")).toEqual([1, 2, 3]);
  });

  onStage(
    "cannot be skipped while it is still tried, and is dropped when not even its place is taken",
    async (stage) => {
      stage.sink.faultOf = ({ stackId, version }) => (stackId === "programme" && version === 1 ? "refused" : null);
      await stage.submit("a");
      await stage.submit("a");
      const head = stage.coordinator("a").outbox().oldest?.eventId ?? "";
      expect(stage.coordinator("a").skipEvent(head, "ops").outcome).toBe("not-dead");
      const isDead = (): boolean => stage.coordinator("a").outbox().dead === 1;
      await stage.until("it is a dead letter", isDead, DEAD_WITHIN_MS);
      expect(stage.coordinator("a").skipEvent(head, "ops").outcome).toBe("done");
      await stage.until("what stands for it is one too", () => !isDead(), 1_000);
      await stage.until("what stands for it is one too", isDead, DEAD_WITHIN_MS);
      expect(stage.coordinator("a").skipEvent(head, "ops").outcome).toBe("done");
      await stage.published();
      expect(stage.versions("programme")).toEqual([2]);
    },
  );
});

describe("a sink in trouble", () => {
  onStage("is told as an alarm while it is away, and goes on by itself when it is back", async (stage) => {
    stage.sink.faultOf = () => "unavailable";
    for (let count = 0; count < 3; count += 1) await stage.submit("a");
    await stage.until("a person is told", () => stage.alarms("a").includes("outbox-behind"), 60_000);
    await stage.until("it counts as dead", () => stage.coordinator("a").outbox().dead > 0, DEAD_WITHIN_MS);
    delete stage.sink.faultOf;
    await stage.published(60_000);
    await stage.run(6_000);
    expect(stage.versions("programme")).toEqual([1, 2, 3]);
    expect(stage.alarms("a").filter((code) => code.startsWith("outbox"))).toEqual([]);
  });

  onStage("hangs, and neither heartbeats nor commands wait for it", async (stage) => {
    await stage.published();
    stage.sink.delayMs = () => 1e9;
    for (let count = 0; count < 3; count += 1) expect((await stage.submit("a")).outcome).toBe("accepted");
    await stage.run(40_000);
    expect(stage.leads("a")).toBe(true);
    expect(stage.state("a").confirmedBy).toBe("both");
    expect(stage.alarms("a")).toContain("outbox-behind");
    const moved = await stage.answer(stage.coordinator("a").handover({ reason: "test", by: "ops" }));
    expect(moved.outcome).toBe("handed-over");
  });

  onStage("loses a race to another publisher: no fault of the event, which is tried again", async (stage) => {
    let races = 0;
    stage.sink.faultOf = ({ stackId }) => (stackId === "programme" && (races += 1) <= 12 ? "overtaken" : null);
    await stage.submit("a");
    await stage.published(DEAD_WITHIN_MS);
    expect(stage.versions("programme")).toEqual([1]);
    expect(stage.coordinator("a").outbox()).toMatchObject({ dead: 0, failedAttempts: 12 });
  });
});

describe("a full disk", () => {
  onStage("what was published and could not be noted is published again, as a double", async (stage) => {
    await stage.published();
    stage.coordinator("a").setMaintenance({ on: true, reason: "the role stays", by: "operator" });
    stage.sink.delayMs = () => 300;
    await stage.submit("a");
    await stage.run(100);
    stage.process("a").disk.full = true;
    await stage.run(1_000);
    expect(stage.versions("programme")).toEqual([1]);
    expect(stage.waiting("a")).toBe(1);
    expect(stage.alarms("a")).toContain("store-failed");
    stage.process("a").disk.full = false;
    await stage.published();
    expect(stage.coordinator("a").outbox()).toMatchObject({ duplicates: 1 });
    await stage.run(2_000);
    expect(stage.alarms("a")).not.toContain("store-failed");
    expectOrdered(stage);
  });
});
