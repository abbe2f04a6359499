/** Reports of a peer whose event loop stands still, as far as they are refused [EN5]. */
import { expect, test } from "vitest";
import { Pair } from "./pair.ts";

test("[EN5] [ID1] a report of a peer that was never met moves nothing, and calls nobody a stranger", async () => {
  const pair = new Pair();
  const { coordinator } = await pair.start("b");
  const answer = await coordinator.peerStalled({
    ...{ pair: "studio-1", label: "a", engineId: "eng_a", incarnation: "inc_1-a", epoch: 1, n: 1 },
    ...{ stoodMs: 300, stalled: true, signature: "" },
  });
  expect(answer).toEqual({ taken: false, detail: "no peer has been met yet" });
  expect(coordinator.state().alarms.map(({ code }) => code)).not.toContain("peer-refused");
});
