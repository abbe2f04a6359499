/** A person's requests for the role: what is answered when they are repeated or cross something else. */
import { expect } from "vitest";
import type { ForceLeaderRequest } from "../../src/core/outcomes.ts";
import { scenario } from "../scenarios/stage.ts";

const request: Omit<ForceLeaderRequest, "requestId"> = {
  mode: "graceful",
  reason: "drill",
  expectedEpoch: null,
  acceptDualAir: false,
  by: "operator",
};

scenario("HO4", "a refused request stays refused when it is repeated later", {}, async (stage) => {
  await stage.onAir("a");
  await stage.run(250);
  const first = await stage.answer(stage.coordinator("a").forceLeader({ ...request, requestId: "one" }));
  expect(first.outcome).toBe("already-leader");
  const wrong = { ...request, requestId: "two", expectedEpoch: 999 };
  expect(await stage.answer(stage.coordinator("b").forceLeader(wrong))).toMatchObject({ outcome: "epoch-mismatch" });
  await stage.onAir("b");
  expect(await stage.answer(stage.coordinator("a").forceLeader({ ...request, requestId: "one" }))).toEqual(first);
  expect(stage.leads("b")).toBe(true);
});

scenario("HO4", "two requests at one moment are answered alike, and the role moves once", {}, async (stage) => {
  await stage.onAir("a");
  await stage.run(250);
  const { epoch } = stage.state("a");
  const asked = ["left", "right"].map((requestId) => stage.coordinator("b").forceLeader({ ...request, requestId }));
  const [left, right] = await stage.answer(Promise.all(asked));
  expect([left?.outcome, right?.outcome]).toEqual(["leads", "leads"]);
  expect(stage.state("b").epoch).toBe(epoch + 1);
});

scenario("HO4", "a handover that was asked for is on record, also one that was refused", {}, async (stage) => {
  await stage.onAir("a");
  await stage.run(250);
  const done = await stage.answer(stage.coordinator("a").handover({ reason: "swap racks", by: "operator" }));
  if (done.outcome !== "handed-over") throw new Error(done.outcome);
  const kept = stage.process("a").disk.content?.requests;
  expect(kept?.get(done.requestId)).toMatchObject({ by: "operator", reason: "swap racks", mode: "handover" });
  await stage.answer(stage.coordinator("a").handover({ reason: "once more", by: "operator" }));
  expect([...(kept?.values() ?? [])].map(({ reason }) => reason)).toContain("once more");
});

scenario(
  "HO3",
  "what a person has moved past a cut link stays moved",
  { failover: { policy: "consistency" } },
  async (stage) => {
    await stage.onAir("a");
    stage.cut();
    await stage.run(1_000);
    const forced = { ...request, mode: "immediate" as const, requestId: "move" };
    expect(await stage.answer(stage.coordinator("b").forceLeader(forced))).toMatchObject({ outcome: "leads" });
    const { epoch } = stage.state("b");
    await stage.run(3_000);
    expect(stage.leads("b")).toBe(true);
    expect(stage.state("b").epoch).toBe(epoch);
    expect(stage.state("a").role).toBe("follower");
  },
);
