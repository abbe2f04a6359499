/** A pair that was just repaired fails over as fast as ever [CP5]. */
import { expect, test } from "vitest";
import { ask, until } from "../../src/cli/demo/observe.ts";
import { otherLabel } from "../../src/core/ids.ts";
import { withPair } from "../support/stage-pair.ts";
import { PATIENCE_MS } from "./suites.ts";

/** Silence alone takes 600 ms; a proof some ms, and more on a busy machine. */
const BY_PROOF_MS = 400;
const ROUNDS = 5;

test(
  "P4 CP5: killed again as soon as `/ready` answers 200, the take-over is by proof",
  { timeout: PATIENCE_MS },
  async () => {
    await withPair({}, async (pair) => {
      let leader = await pair.start();
      const took: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const other = otherLabel(leader);
        await pair.kill(leader);
        await pair.untilLeads(other);
        await pair.engines[leader].start();
        const url = `${pair.engines[leader].url}/ready`;
        await until("ready again", async () => (await ask(url, 150))?.status === 200, { pollMs: 2 });
        const sinceMs = performance.now();
        await pair.kill(other);
        await pair.untilLeads(leader);
        took.push(performance.now() - sinceMs);
        await pair.engines[other].start();
        leader = await pair.settled();
      }
      expect(took.sort((one, two) => one - two)[Math.floor(ROUNDS / 2)], String(took)).toBeLessThan(BY_PROOF_MS);
    });
  },
);
