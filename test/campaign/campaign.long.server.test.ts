/** Twenty rounds of the campaign: five seeds for each witness and policy. `npm run campaign` plays as many as you like. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UNMET_NEED } from "../support/left-out-reporter.ts";
import { playCampaign, whatIsMissing } from "./campaign.ts";
import { roundLines } from "./report.ts";

const OPTIONS = {
  rounds: 5,
  firstSeed: 1,
  witnesses: ["redis", "sqlite"],
  policies: ["on-air", "consistency"],
  engine: "embedded",
  minutes: null,
  out: "",
  lanes: 2,
  program: null,
  keep: false,
} as const;

const ROUNDS = OPTIONS.rounds * OPTIONS.witnesses.length * OPTIONS.policies.length;
/** About seven seconds each on two cores; a shared machine may take five times as long. */
const WITHIN_MS = 900_000;

const missing = whatIsMissing(OPTIONS);
const isLeftOut = missing.length > 0 && process.env["CI"] !== "true";

describe.skipIf(isLeftOut)(isLeftOut ? `the campaign — ${UNMET_NEED} ${missing.join("; ")}` : "the campaign", () => {
  const mostListeners = process.getMaxListeners();
  beforeAll(() => void process.setMaxListeners(0));
  afterAll(() => void process.setMaxListeners(mostListeners));

  test(
    `[I6] [I7] [I9] [I17] [I19] [I20] ${ROUNDS} rounds of random faults: no violation`,
    { timeout: WITHIN_MS },
    async () => {
      expect(missing).toEqual([]);
      const results = await playCampaign(OPTIONS, (result) => {
        for (const line of roundLines(result)) console.info(line);
      });
      expect(results).toHaveLength(ROUNDS);
      expect(results.filter(({ violations }) => violations.length > 0).flatMap(roundLines)).toEqual([]);
    },
  );
});
