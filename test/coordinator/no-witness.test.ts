/** What a policy promises where no witness is configured. */
import { expect } from "vitest";
import { scenario } from "../scenarios/stage.ts";

scenario(
  "CP3",
  "`consistency` never leads blind, whatever blindPromoteMs says",
  { failover: { policy: "consistency", blindPromoteMs: 1_000 }, witness: false },
  async (stage) => {
    await stage.onAir("a");
    const { epoch } = stage.state("a");
    stage.cut();
    await stage.run(5_000);
    expect(stage.state("b")).toMatchObject({ role: "follower", epoch });
    stage.healLinks();
    await stage.atRest();
    expect(stage.state("a").epoch).toBe(epoch);
    expect(stage.leads("a")).toBe(true);
  },
);
