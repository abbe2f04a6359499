/** The suites of faults once more, with a real Redis as witness: whole where the witness decides. */
import { afterAll, beforeAll } from "vitest";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { describeWithServer } from "../support/servers.ts";
import { linkFaults } from "./links.suite.ts";
import { processFaults } from "./process-faults.suite.ts";
import { FAULTS, rundowns } from "./rundown.suite.ts";
import { splitBrains } from "./split-brain.suite.ts";
import type { WitnessUnderTest } from "./suites.ts";

/** Faults in which the role moves, and in which both ask the witness. */
const WITNESS_DECIDES: readonly (typeof FAULTS)[number]["name"][] = ["the leader is killed", "the link is cut"];

describeWithServer("redis-server", "faults, with Redis", () => {
  let server: RedisServer | undefined;
  const redis: WitnessUnderTest = { name: "Redis", redis: () => server?.url };

  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => server?.stop());

  processFaults(redis);
  linkFaults(redis);
  splitBrains(redis);
  rundowns(
    redis,
    FAULTS.filter(({ name }) => WITNESS_DECIDES.includes(name)),
  );
});
