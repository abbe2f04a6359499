/** The reconcile lock as tools acquire it, where the witness answers late or not at all. */
import { expect, test } from "vitest";
import { Pair } from "./pair.ts";

/** The witness of `a` answers an acquisition after `lateMs`; null: never, although it has taken it. */
async function pairWith(lateMs: number | null): Promise<Pair> {
  const pair: Pair = new Pair({
    wrapPorts: (ports, label) => {
      if (label === "b") return ports;
      const { witness } = ports;
      const acquire = witness.acquireLock.bind(witness);
      witness.acquireLock = async (request) => {
        const answer = await acquire(request);
        if (lateMs === null) return { outcome: "unreachable", reason: "no answer within 150 ms" };
        await new Promise<void>((resolve) => pair.clock.setTimeout(resolve, lateMs));
        return answer;
      };
      return ports;
    },
  });
  await Promise.all([pair.start("a"), pair.start("b")]);
  await pair.until(() => pair.of("a").mayAct() && pair.of("b").ready());
  return pair;
}

const ASKED = { holder: "tool", ttlMs: 1_000 };

test.each([
  ["RL2: an answer that came too late to be useful is no lock", 970],
  ["RL3: an acquisition that was not answered is no lock", null],
])("%s, and it is given back", async (_title, lateMs) => {
  const pair = await pairWith(lateMs);
  expect(await pair.untilDone(pair.of("a").acquireLock(ASKED))).toMatchObject({ outcome: "unreachable" });
  expect(await pair.untilDone(pair.of("b").acquireLock(ASKED))).toMatchObject({ outcome: "acquired" });
});

test("RL2: an answer in good time is a lock for its caller alone", async () => {
  const pair = await pairWith(20);
  expect(await pair.untilDone(pair.of("a").acquireLock(ASKED))).toMatchObject({ outcome: "acquired" });
  expect(await pair.untilDone(pair.of("b").acquireLock(ASKED))).toMatchObject({ outcome: "held", holder: "tool" });
});
