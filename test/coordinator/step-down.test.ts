/** Giving the role up for good: nobody may lead between the step down and the end of the process. */
import { expect } from "vitest";
import { scenario } from "../scenarios/stage.ts";

scenario("DP2", "an engine that has lost its listener never leads again", {}, async (stage) => {
  await stage.onAir("a");
  stage.coordinator("a").listenerLost("the listening socket closed");
  await stage.until("b leads", () => stage.leads("b"), 3_000);
  stage.process("b").kill(3);
  await stage.run(5_000);
  expect(stage.leads("a")).toBe(false);
  const request = {
    mode: "immediate",
    reason: "drill",
    requestId: "x",
    expectedEpoch: null,
    acceptDualAir: true,
  } as const;
  const answer = await stage.answer(stage.coordinator("a").forceLeader({ ...request, by: "operator" }));
  expect(answer).toEqual({ outcome: "no-quorum", detail: "this engine has given up leading" });
});

scenario(
  "DP3",
  "a leader acts no more once its release is under way",
  { failover: { policy: "consistency" } },
  async (stage) => {
    await stage.onAir("a");
    stage.cut();
    await stage.run(2_000);
    expect(stage.leads("a")).toBe(true);
    // The release reaches the witness at once; that it did is heard late.
    stage.world.ground.witnessWays.a.back.slow(130);
    await stage.run(200);
    stage.process("a").stop();
    await stage.run(5);
    expect(stage.world.ground.witness?.server.record?.released).toBe(true);
    expect(stage.leads("a")).toBe(false);
    await stage.until("b leads", () => stage.leads("b"), 3_000);
  },
);
