/** An embedded engine whose `execute` gives a promise that never settles. */
import { expect, test } from "vitest";
import type { Command } from "../../src/core/command.ts";
import type { Label } from "../../src/core/ids.ts";
import { Pair } from "./pair.ts";

interface Hung {
  /** So many calls are not settled. */
  calls: number;
  /** Calls that cut to this source are not settled. */
  source: string | null;
}

/** A pair in which the engine of `of` forgets to settle some calls of `execute`. */
async function withHungEngine(of: Label | "both"): Promise<{ readonly pair: Pair; readonly hung: Hung }> {
  const hung: Hung = { calls: 0, source: null };
  const pair = await Pair.started({
    wrapPorts: (ports, label) => {
      if (of !== "both" && label !== of) return ports;
      const { engine } = ports;
      const execute = engine.execute.bind(engine);
      return {
        ...ports,
        engine: Object.assign(engine, {
          execute: (command: Command) => {
            const { source } = command.payload as { readonly source: string };
            if (hung.calls === 0 && source !== hung.source) return execute(command);
            hung.calls = Math.max(0, hung.calls - 1);
            return new Promise(() => undefined);
          },
        }),
      };
    },
  });
  return { pair, hung };
}

const sourcesOf = (pair: Pair): string[] =>
  (["a", "b"] as const).map((label) => pair.of(label).peerHealth().programSource);

test("[EN3] [A38] a follower's engine is behind until it has been restored: the command is not skipped", async () => {
  const { pair, hung } = await withHungEngine("b");
  await pair.submit("a", "CAM 1");
  hung.calls = 1;
  await pair.submit("a", "CAM 2");
  await pair.until(() => !pair.of("b").ready());
  expect(pair.alarm("b", "engine-hook")).toBe(true);
  expect(pair.of("a").state().role).toBe("leader");
  await pair.until(() => pair.of("b").ready());
  await pair.until(() => pair.of("b").state().lastExecutedSeq === 2);
  expect(sourcesOf(pair)).toEqual(["CAM 2", "CAM 2"]);
  expect(pair.alarm("b", "state-drift")).toBe(false);
});

test("[EN3] [EN6] [A38] a leader's engine that gave up a command gives the role to the healthy one", async () => {
  const { pair, hung } = await withHungEngine("a");
  await pair.submit("a", "CAM 1");
  hung.calls = 1;
  await pair.submit("a", "CAM 2");
  await pair.until(() => pair.of("b").mayAct());
  expect(pair.of("b").peerHealth().programSource).toBe("CAM 2");
  await pair.until(() => pair.of("a").ready());
  expect(sourcesOf(pair)).toEqual(["CAM 2", "CAM 2"]);
});

test("[EN3] [A38] a command on which both engines hang is named, and the pair goes on", async () => {
  const { pair, hung } = await withHungEngine("both");
  await pair.submit("a", "CAM 1");
  hung.source = "CAM 2";
  await pair.submit("a", "CAM 2");
  await pair.until(() => pair.alarm("a", "engine-hook") && pair.alarm("b", "engine-hook"));
  await pair.until(() => (["a", "b"] as const).some((label) => pair.of(label).mayAct()));
  await pair.until(() => (["a", "b"] as const).every((label) => pair.of(label).state().lastExecutedSeq === 2));
  hung.source = null;
  await pair.until(() => (["a", "b"] as const).some((label) => pair.of(label).mayAct()));
  const leader = pair.of("a").mayAct() ? "a" : "b";
  expect(await pair.submit(leader, "CAM 3")).toMatchObject({ outcome: "accepted" });
  await pair.until(() => sourcesOf(pair).every((source) => source === "CAM 3"));
  await pair.until(() => pair.of(leader === "a" ? "b" : "a").ready());
});
