/** Handovers that cross something else: what must not be lost when the role moves on purpose. */
import { expect } from "vitest";
import { scenario } from "../scenarios/stage.ts";

const BY = { reason: "planned work", by: "operator" };

scenario("HO2", "an engine whose log has parted from the leader's is not handed the role", {}, async (stage) => {
  await stage.splitBrain();
  for (let count = 0; count < 3; count += 1) await stage.submit("a");
  const stands = await stage.submit("b");
  // A tool holds the lock, so that recovery cannot begin.
  await stage.answer(stage.coordinator("b").acquireLock({ holder: "tool", ttlMs: 4_000 }));
  stage.rejoin("a");
  await stage.until("a follows", () => stage.state("a").syncState === "reconciling", 3_000);
  const graceful = { mode: "graceful", requestId: "over-to-a", expectedEpoch: null, acceptDualAir: false } as const;
  expect(await stage.answer(stage.coordinator("a").forceLeader({ ...graceful, ...BY }))).toMatchObject({
    outcome: "no-quorum",
  });
  await stage.until("b leads on", () => stage.leads("b"), 1_000);
  await stage.run(200);
  const known = stage.coordinator("a").forceLeader({ ...graceful, ...BY, requestId: "once-more" });
  expect(await stage.answer(known, 50)).toMatchObject({
    detail: "the leader did not hand over: the leader refused: not-ready",
  });
  expect(stage.leads("b")).toBe(true);
  await stage.atRest();
  if (stands.outcome !== "accepted") throw new Error("b led");
  expect(stage.log("a").find(({ seq }) => seq === stands.seq)?.epoch).toBe(stands.epoch);
});
