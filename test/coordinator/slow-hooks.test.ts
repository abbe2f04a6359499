/** Hooks of the engine that never settle: heartbeats, votes and demotions go on. */
import { expect, test } from "vitest";
import type { CoordinatorPorts } from "../../src/coordinator/types.ts";
import { Pair } from "./pair.ts";

const never = (): Promise<never> => new Promise(() => undefined);

/**
 * The hooks that may answer later never do; `calls` counts them. A hung `execute` is left out: it is given up, and the role
 * moves to the other engine (`hung-execute.test.ts`).
 */
function hanging(calls: Record<string, number>) {
  return (ports: CoordinatorPorts): CoordinatorPorts => {
    const { engine } = ports;
    for (const hook of ["onRole", "repeatRole", "snapshot", "read"]) {
      Object.assign(engine, {
        [hook]: () => {
          calls[hook] = (calls[hook] ?? 0) + 1;
          return never();
        },
      });
    }
    return ports;
  };
}

test("EN13: hooks that never settle delay neither heartbeats nor votes nor a demotion, and nothing piles up", async () => {
  const calls: Record<string, number> = {};
  const pair = await Pair.started({ wrapPorts: hanging(calls) });
  void pair.of("a").submit({ kind: "POST /cut", payload: { source: "cam2" } });
  const sentBefore = pair.of("a").counters().heartbeatsSent;
  const startedMs = pair.clock.monoMs();
  await pair.until(() => pair.clock.monoMs() >= startedMs + 10_000);
  // A beat every 200 ms.
  expect(pair.of("a").counters().heartbeatsSent - sentBefore).toBeGreaterThanOrEqual(50);
  expect([pair.of("a").state().role, pair.of("a").state().confirmedBy]).toEqual(["leader", "both"]);
  // 50 beats, and each call is given up after 2 s at the earliest.
  expect(calls["repeatRole"]).toBeLessThanOrEqual(6);
  const movedMs = pair.clock.monoMs();
  void pair.of("a").handover({ reason: "test", by: "ops" });
  await pair.until(() => pair.of("b").mayAct() && pair.of("a").state().role === "follower");
  expect(pair.clock.monoMs() - movedMs).toBeLessThan(500);
});
