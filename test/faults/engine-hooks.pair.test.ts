/** Hooks of embedded engines that go wrong at run time, on both engines of a real pair at once. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import type { Label } from "../../src/core/ids.ts";
import { RealPair } from "../support/real-pair.ts";

const LAUNCHER = fileURLToPath(new URL("../support/faulty-engine-process.ts", import.meta.url));
let pair: RealPair;
let leader: Label;

beforeAll(async () => {
  pair = await RealPair.prepare({ launcher: LAUNCHER, commands: { checkpointEvery: 5, compareEveryMs: 200 } });
  leader = await pair.start();
}, 60_000);
afterAll(async () => pair.close());

function breakHook(hook: string, gives: string): void {
  const file = join(pair.folder, "fault.json");
  writeFileSync(`${file}.new`, JSON.stringify({ hook, gives }));
  renameSync(`${file}.new`, file);
}

function mendHooks(): void {
  rmSync(join(pair.folder, "fault.json"), { force: true });
}

let cuts = 0;
async function cut(): Promise<number> {
  const response = await fetch(`${pair.engines[leader].url}/engine/api/switch/cut`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ source: `CAM ${(cuts += 1)}` }),
  });
  await response.text();
  return response.status;
}

async function ask(hook: string): Promise<number> {
  const url = pair.engines[leader].url;
  if (hook === "snapshot") return (await fetch(`${url}/api/sync/state-snapshot`)).status;
  if (hook === "read") return (await fetch(`${url}/engine/api/switch/state`)).status;
  return cut();
}

async function alarmSays(label: Label, hook: string, what: RegExp): Promise<void> {
  await pair.untilState(label, `alarm for ${hook} with ${what.source}`, ({ alarms }) =>
    alarms.some(
      ({ code, detail }) => code === "engine-hook" && detail.includes(`engine.${hook}() `) && what.test(detail),
    ),
  );
}

const CASES: readonly (readonly [hook: string, gives: string, says: RegExp, status: number])[] = [
  ["execute", "nothing", /execute\(\) returned undefined; must return \{ok/, 200],
  ["execute", "number", /execute\(\) returned number 42/, 200],
  ["execute", "throws", /execute\(\) threw: the hook is broken/, 200],
  ["validate", "promise", /validate\(\) returned a promise/, 503],
  ["validate", "nothing", /validate\(\) returned undefined/, 503],
  ["validate", "throws", /validate\(\) threw: the hook is broken/, 503],
  ["health", "promise", /health\(\) returned a promise/, 200],
  ["health", "nothing", /health\(\) returned undefined/, 200],
  ["health", "throws", /health\(\) threw/, 200],
  ["programSource", "nothing", /programSource\(\) returned undefined/, 200],
  ["programSource", "promise", /programSource\(\) returned a promise/, 200],
  ["snapshot", "nothing", /snapshot\(\) returned undefined/, 503],
  ["snapshot", "nan", /snapshot\(\) returned the number NaN at state.level/, 503],
  ["snapshot", "cycle", /snapshot\(\) returned a value nested deeper than 128, or a cycle/, 503],
  ["snapshot", "bigint", /snapshot\(\) returned a bigint at state.count/, 503],
  ["snapshot", "map", /snapshot\(\) returned a Map at state.sources/, 503],
  ["snapshot", "throws", /snapshot\(\) threw/, 503],
  ["read", "nothing", /read\(\) returned undefined/, 502],
  ["read", "never", /read\(\) returned a promise that did not settle/, 502],
  ["read", "throws", /read\(\) threw/, 502],
];

describe("[A38] E5: a hook that goes wrong is named, and the pair goes on", { timeout: 60_000 }, () => {
  test.each(CASES)("%s gives %s", async (hook, gives, says, status) => {
    const before = { a: pair.engines.a.pid, b: pair.engines.b.pid };
    breakHook(hook, gives);
    try {
      expect(await ask(hook)).toBe(status);
      await alarmSays(leader, hook, says);
      expect(await pair.leader()).toBe(leader);
    } finally {
      mendHooks();
    }
    await until("commands are taken again", async () => (await cut()) === 200);
    await pair.untilState(
      leader,
      "executed",
      ({ lastExecutedSeq, lastCommandSeq }) => lastExecutedSeq === lastCommandSeq,
    );
    expect({ a: pair.engines.a.pid, b: pair.engines.b.pid }).toEqual(before);
  });

  test("[A38] E5: a restart does not replay into the same death: both are killed while execute still gives nothing", async () => {
    breakHook("execute", "nothing");
    expect(await cut()).toBe(200);
    await alarmSays(leader, "execute", /returned undefined/);
    await Promise.all([pair.kill("a"), pair.kill("b")]);
    leader = await pair.start();
    expect(await cut()).toBe(200);
    await alarmSays(leader, "execute", /returned undefined/);
    mendHooks();
  });

  test("[EN3] [A38] execute gives a promise that never settles: it is named, the engine is restored, and the pair goes on", async () => {
    leader = await pair.ready();
    breakHook("execute", "never");
    try {
      expect(await cut()).toBe(200);
      await alarmSays(leader, "execute", /did not settle within 2000 ms/);
    } finally {
      mendHooks();
    }
    // An engine that gave a command up is unfit until it is restored, so the role may move meanwhile.
    await until(
      "commands are taken again",
      async () => {
        leader = await pair.ready();
        return (await cut()) === 200;
      },
      { withinMs: 30_000 },
    );
  });

  test("a close that never settles does not keep the process", async () => {
    breakHook("close", "never");
    const gone = pair.engines[leader].gone();
    process.kill(pair.engines[leader].pid ?? 0, "SIGTERM");
    await gone;
    mendHooks();
  });
});
