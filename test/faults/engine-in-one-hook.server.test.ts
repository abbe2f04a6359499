/**
 * Real engines beside their coordinators that go wrong in one thing while everything else looks well: `/execute` never
 * answers, or the state was changed past Changeover. And engines that only slept, in which nothing is wrong at all.
 */
import { createServer, request, type Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { otherLabel, type Label } from "../../src/core/ids.ts";
import { freePort } from "../support/free-port.ts";
import { PythonEngine } from "../support/python-engines.ts";
import { RealPair } from "../support/real-pair.ts";
import { describeWithServer } from "../support/servers.ts";

const LABELS = ["a", "b"] as const;
const PATIENCE_MS = 60_000;
/** How often an engine that hangs is looked at, and how far apart. */
const LOOKS = 40;
const LOOK_EVERY_MS = 50;

/** Passes everything on to an engine; while it hangs, `/execute` gets no answer. */
class HookProxy {
  hangs = false;
  /** Executions that got no answer. */
  hung = 0;
  readonly port: number;
  readonly #server: Server;

  private constructor(port: number, target: number) {
    this.port = port;
    this.#server = createServer((call, answer) => {
      if (this.hangs && call.url === "/execute") {
        this.hung += 1;
        return;
      }
      const { method, url: path, headers } = call;
      const onward = request({ host: "127.0.0.1", port: target, method, path, headers, agent: false }, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      });
      const end = (): void => void answer.destroy();
      onward.on("error", end);
      answer.on("close", () => onward.destroy());
      call.pipe(onward);
    });
  }

  static async open(target: number): Promise<HookProxy> {
    const proxy = new HookProxy(await freePort(), target);
    await new Promise<void>((resolve) => proxy.#server.listen(proxy.port, "127.0.0.1", resolve));
    return proxy;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

let engines: Readonly<Record<Label, PythonEngine>>;
let proxies: Readonly<Record<Label, HookProxy>>;
let pair: RealPair;
let leader: Label;

beforeAll(async () => {
  engines = { a: new PythonEngine(await freePort()), b: new PythonEngine(await freePort()) };
  await Promise.all(LABELS.map(async (label) => engines[label].start()));
  proxies = { a: await HookProxy.open(engines.a.port), b: await HookProxy.open(engines.b.port) };
  // Patient with the lifeline: a busy machine must not move the role here.
  const engine = (label: Label): object => ({
    kind: "http",
    baseUrl: `http://127.0.0.1:${proxies[label].port}`,
    lifeline: { intervalMs: 20, missLimit: 100 },
  });
  pair = await RealPair.prepare({ engine: { a: engine("a"), b: engine("b") }, commands: { compareEveryMs: 300 } });
  await pair.start();
}, PATIENCE_MS);
beforeEach(async () => {
  for (const label of LABELS) proxies[label].hangs = false;
  leader = await pair.settled(PATIENCE_MS);
}, PATIENCE_MS);

afterAll(async () => {
  await pair.close();
  for (const label of LABELS) proxies[label].close();
  await Promise.all(LABELS.map(async (label) => engines[label].kill()));
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

async function bothShow(program: string): Promise<void> {
  for (const label of LABELS) {
    await until(`engine ${label} shows ${program}`, async () => (await engines[label].state()).program === program);
  }
}

/** Changes an engine past Changeover: its position stays, its picture does not. */
async function tamper(label: Label, program: string): Promise<void> {
  const state = await engines[label].state();
  const answer = await fetch(`${engines[label].url}/restore`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...state, program }),
  });
  expect(answer.status).toBeLessThan(300);
}

const alarmsOf = async (label: Label): Promise<string[]> => (await pair.state(label)).alarms.map(({ code }) => code);

describeWithServer("python3", "engines that go wrong in one thing", () => {
  // First, while no command was ever executed.
  test.each(["leader", "follower"] as const)(
    "E6: the %s's engine sleeps and wakes when no command was ever executed: no drift",
    async (whose) => {
      const label = whose === "leader" ? leader : otherLabel(leader);
      engines[label].freeze();
      await pair.untilState(label, "the hang is seen", ({ machines }) => machines["engine"] !== "well");
      engines[label].thaw();
      await pair.settled(PATIENCE_MS);
      for (const each of LABELS) {
        await pair.untilState(each, "well", ({ machines }) => machines["engine"] === "well");
        expect(await alarmsOf(each)).not.toContain("state-drift");
      }
    },
  );

  test("E2 EN3 EN6: /execute of the leader's engine hangs while /health is well: the other leads, nothing is skipped, it is restored before it is ready", async () => {
    expect(await cut(leader, "CAM 1")).toBe(200);
    await bothShow("CAM 1");
    const other = otherLabel(leader);
    proxies[leader].hangs = true;
    expect(await cut(leader, "CAM 2")).toBe(200);
    const hangsAt = (await pair.state(leader)).lastCommandSeq;
    await pair.untilLeads(other, 30_000);
    expect(proxies[leader].hung).toBeGreaterThan(0);
    await until("taken", async () => (await cut(other, "CAM 3")) === 200);
    // A state that has the command brings the engine past it: only then may it be ready. No execution gets there.
    for (let look = 0; look < LOOKS; look++) {
      const { status } = await fetch(`${pair.engines[leader].url}/ready`);
      const { seq } = await engines[leader].state();
      expect(status === 503 || seq >= hangsAt, `ready ${status} at command ${seq} of ${hangsAt}`).toBe(true);
      await delay(LOOK_EVERY_MS);
    }
    proxies[leader].hangs = false;
    await bothShow("CAM 3");
    expect(await pair.settled(PATIENCE_MS)).toBe(other);
    expect((await engines[leader].state()).seq).toBe((await engines[other].state()).seq);
  });

  test("E2 EN3: /execute of the follower's engine hangs: the role stays, it is not ready, and it is restored", async () => {
    const other = otherLabel(leader);
    proxies[other].hangs = true;
    expect(await cut(leader, "CAM 1")).toBe(200);
    await until("it is not ready", async () => (await fetch(`${pair.engines[other].url}/ready`)).status === 503);
    expect(await cut(leader, "CAM 2")).toBe(200);
    expect(await pair.leader()).toBe(leader);
    proxies[other].hangs = false;
    await bothShow("CAM 2");
    expect(await pair.settled(PATIENCE_MS)).toBe(leader);
  });

  test("EN10: the follower's engine was changed past Changeover: it takes the leader's state by itself", async () => {
    expect(await cut(leader, "CAM 1")).toBe(200);
    await bothShow("CAM 1");
    await tamper(otherLabel(leader), "BARS");
    await bothShow("CAM 1");
    expect(await pair.settled(PATIENCE_MS)).toBe(leader);
    await until("no alarm stands", async () => !(await alarmsOf(otherLabel(leader))).includes("state-drift"));
  });

  test("EN10: the leader's engine was changed past Changeover: what is on air stays, and the follower takes it", async () => {
    // Another source than before: what both show says that both have executed it.
    expect(await cut(leader, "CAM 2")).toBe(200);
    await bothShow("CAM 2");
    await tamper(leader, "BARS");
    await bothShow("BARS");
    expect(await pair.settled(PATIENCE_MS)).toBe(leader);
  });
});
