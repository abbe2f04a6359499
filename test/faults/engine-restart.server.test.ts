/** Engines beside the coordinator that die and come back empty: the Python engine of the examples, killed with SIGKILL. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { otherLabel, type Label } from "../../src/core/ids.ts";
import { freePort } from "../support/free-port.ts";
import { PythonEngine } from "../support/python-engines.ts";
import { RealPair } from "../support/real-pair.ts";
import { describeWithServer } from "../support/servers.ts";

let engines: Readonly<Record<Label, PythonEngine>>;
let pair: RealPair;
let leader: Label;

beforeEach(async () => {
  engines = { a: new PythonEngine(await freePort()), b: new PythonEngine(await freePort()) };
  await Promise.all([engines.a.start(), engines.b.start()]);
  // Patient: a busy machine must not move the role in the tests that are about something else.
  const shared = { kind: "http", lifeline: { intervalMs: 20, missLimit: 50 } };
  const engine = { a: { ...shared, baseUrl: engines.a.url }, b: { ...shared, baseUrl: engines.b.url } };
  pair = await RealPair.prepare({ engine, commands: { compareEveryMs: 300 } });
  leader = await pair.start();
}, 60_000);

afterEach(async () => {
  await pair.close();
  await Promise.all([engines.a.kill(), engines.b.kill()]);
});

async function cut(label: Label, source: string): Promise<number> {
  const response = await fetch(`${pair.engines[label].url}/engine/api/switch/cut`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ source }),
  });
  await response.text();
  return response.status;
}

async function reasonOfLastChange(label: Label): Promise<string> {
  const answer = await fetch(`${pair.engines[label].url}/api/leadership`);
  return JSON.stringify(await answer.json());
}

async function sixCuts(): Promise<void> {
  for (let number = 1; number <= 6; number += 1) expect(await cut(leader, `CAM ${number}`)).toBe(200);
  for (const label of ["a", "b"] as const) await untilShows(label, "CAM 6");
}

async function untilShows(label: Label, program: string): Promise<void> {
  await until(`engine ${label} shows ${program}`, async () => {
    return (await engines[label].state().catch(() => null))?.program === program;
  });
}

/** From the moment of a kill on, `label` never says that it is ready while its engine shows something else. */
async function untilRestored(label: Label, program: string): Promise<void> {
  await until(`${label} is restored and ready`, async () => {
    const status = (await fetch(`${pair.engines[label].url}/ready`)).status;
    const shown = await engines[label].state().catch(() => null);
    if (status === 200 && shown !== null) expect(shown.program).toBe(program);
    const { machines } = await pair.state(label);
    return status === 200 && shown !== null && machines["engine"] === "well";
  });
}

describeWithServer("python3", "engines that come back empty", () => {
  test(
    "E1 [EN9] [EN10] [I16] the follower's engine is killed and started at once: restored before it is ready",
    { timeout: 60_000 },
    async () => {
      await sixCuts();
      const follower = otherLabel(leader);
      await engines[follower].kill();
      await engines[follower].start();
      await pair
        .untilState(follower, "the loss is seen", ({ machines }) => machines["engine"] !== "well")
        .catch(() => undefined);
      await untilRestored(follower, "CAM 6");
      await untilShows(follower, "CAM 6");
      await pair.kill(leader);
      await pair.untilLeads(follower);
      expect((await engines[follower].state()).program).toBe("CAM 6");
    },
  );

  test(
    "E1 E3 [EN1] [EN6] [EN9] the leader's engine is killed: the role moves at once, and it comes back restored",
    { timeout: 60_000 },
    async () => {
      await sixCuts();
      const other = otherLabel(leader);
      const sinceMs = performance.now();
      await engines[leader].kill();
      await pair.untilLeads(other);
      expect(performance.now() - sinceMs).toBeLessThan(1_000);
      await engines[leader].start();
      expect(await cut(other, "CAM 7")).toBe(200);
      await untilRestored(leader, "CAM 7").catch(() => untilRestored(leader, "CAM 7"));
      await untilShows(leader, "CAM 7");
    },
  );

  test("E1 [EN10] [EN11] without a peer the leader restores its own engine in place", { timeout: 60_000 }, async () => {
    await sixCuts();
    await pair.kill(otherLabel(leader));
    await pair.untilState(leader, "the peer is gone", ({ peer }) => peer.state === "dead");
    await engines[leader].kill();
    await engines[leader].start();
    await untilShows(leader, "CAM 6");
    await untilRestored(leader, "CAM 6");
    expect(await cut(leader, "CAM 7")).toBe(200);
    await untilShows(leader, "CAM 7");
  });

  test(
    "E2 [EN2] [EN3] [EN6] the leader's engine hangs: the other leads, nothing is skipped, and it is restored",
    { timeout: 90_000 },
    async () => {
      await sixCuts();
      const other = otherLabel(leader);
      engines[leader].freeze();
      void cut(leader, "CAM 7").catch(() => undefined);
      await pair.untilLeads(other, 20_000);
      expect(await reasonOfLastChange(other)).toContain("no line of its lifeline for 1000 ms");
      engines[leader].thaw();
      await until("taken", async () => (await cut(other, "CAM 8")) === 200);
      await untilShows(leader, "CAM 8");
      expect((await engines[leader].state()).seq).toBe((await engines[other].state()).seq);
    },
  );
});
