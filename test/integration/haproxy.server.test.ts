/**
 * The HAProxy example as it stands, in front of two real engines: the leader is killed, frozen, handed over, or busy.
 * The measured gaps are printed; `docs/integrations.md` quotes them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { freePort } from "../support/free-port.ts";
import { call } from "../support/http-call.ts";
import { RealPair } from "../support/real-pair.ts";
import { describeWithServer, requireServer } from "../support/servers.ts";
import { until } from "../../src/cli/demo/observe.ts";

const CONFIG = join(import.meta.dirname, "../../examples/haproxy/haproxy.cfg");
const CUT = "/engine/api/switch/cut";

describeWithServer("haproxy", "HAProxy in front of a pair", () => {
  it("sends commands to whoever leads, also after the leader was killed", { timeout: 60_000 }, async () => {
    const pair = await RealPair.prepare();
    let proxy: ChildProcess | null = null;
    try {
      const leader = await pair.start();
      const front = await freePort();
      proxy = startProxy(pair, front);
      const cut = async (source: string): Promise<number> => sendCut(front, source);
      await until("the proxy has found the leader", async () => (await cut("cam2")) === 200);
      await pair.kill(leader);
      await until("the proxy has found the successor", async () => (await cut("cam3")) === 200, { withinMs: 10_000 });
      const { programSource, role } = await pair.state(otherLabel(leader));
      expect(role).toBe("leader");
      expect(["cam2", "cam3"]).toContain(programSource);
    } finally {
      proxy?.kill("SIGKILL");
      if (proxy !== null) await once(proxy, "exit");
      await pair.close();
    }
  });

  it("B1: keeps a healthy leader that blocks for 100 ms again and again", { timeout: 120_000 }, async ({ skip }) => {
    const pair = await RealPair.prepare();
    const { front, said, end } = await proxied(pair);
    try {
      await pair.settled();
      // A machine that stands still for longer moves the role, and then the proxy must follow: such a round proves nothing.
      for (let round = 1; ; round += 1) {
        const before = await roleChanges(pair);
        const load = requests(front);
        const mark = said().length;
        const leader = await pair.leader();
        let lateMs = 0;
        const wait = async (ms: number): Promise<void> => {
          const sinceMs = performance.now();
          await delay(ms);
          lateMs = Math.max(lateMs, performance.now() - sinceMs - ms);
        };
        for (let block = 0; block < BLOCKS; block += 1) {
          pair.engines[leader].freeze();
          await wait(100);
          pair.engines[leader].thaw();
          await wait(400);
        }
        const statuses = await load.end();
        if (lateMs < MACHINE_LATE_MS && before === (await roleChanges(pair))) {
          expect(statuses.length).toBeGreaterThan(20);
          expect(statuses.filter((status) => status !== 200)).toEqual([]);
          expect(said().slice(mark)).not.toMatch(/is DOWN/);
          break;
        }
        if (round === ROUNDS) skip(`the machine stood still for up to ${Math.round(lateMs)} ms in every round`);
        await pair.settled();
      }
    } finally {
      await end();
      await pair.close();
    }
  });

  it("the gaps that a client sees at a handover, a kill and a freeze", { timeout: 120_000 }, async () => {
    const pair = await RealPair.prepare();
    const { front, end } = await proxied(pair);
    const gapOf = async (what: string, fault: (leader: Label) => Promise<unknown>): Promise<void> => {
      const leader = await pair.settled();
      await until("the proxy has found the leader", async () => (await sendCut(front, `${what}-0`)) === 200);
      const load = requests(front);
      await until("requests pass", async () => load.statuses.length > 10);
      await fault(leader);
      await pair.untilLeads(otherLabel(leader), 20_000);
      await until("requests pass again", async () => load.statuses.slice(-5).every((status) => status === 200));
      const statuses = await load.end();
      const failed = statuses.filter((status) => status !== 200).length;
      console.log(
        `HAProxy, ${what}: gap of ${Math.round(load.longestGapMs())} ms, ${failed} of ${statuses.length} failed`,
      );
      pair.engines[leader].thaw();
      await pair.engines[leader].start();
    };
    try {
      await gapOf("handover", async (leader) =>
        call("POST", `${pair.engines[leader].url}/api/handover`, { reason: "measured by a test" }),
      );
      await gapOf("SIGKILL", async (leader) => pair.kill(leader));
      await gapOf("SIGSTOP", async (leader) => pair.engines[leader].freeze());
    } finally {
      await end();
      await pair.close();
    }
  });
});

const BLOCKS = 12;
const ROUNDS = 5;
/** A round in which this process itself was late by so much says nothing about the proxy. */
const MACHINE_LATE_MS = 150;
const REQUEST_EVERY_MS = 10;

/** The pair started, with HAProxy before it that has found the leader. */
async function proxied(pair: RealPair) {
  await pair.start();
  const front = await freePort();
  const proxy = startProxy(pair, front);
  let words = "";
  proxy.stderr?.on("data", (chunk: Buffer) => (words += chunk.toString()));
  await until("the proxy has found the leader", async () => (await sendCut(front, "first")) === 200);
  const end = async (): Promise<void> => {
    const gone = once(proxy, "exit");
    proxy.kill("SIGKILL");
    await gone;
  };
  return { front, said: () => words, end };
}

async function roleChanges(pair: RealPair): Promise<string> {
  const { role, epoch } = await pair.state("a");
  return `${role} ${epoch}`;
}

/** Cuts through the proxy, one after the other, until `end`. */
function requests(front: number) {
  const statuses: number[] = [];
  let ended = false;
  let lastMs = performance.now();
  let gapMs = 0;
  const running = (async () => {
    for (let nth = 0; !ended; nth += 1) {
      const status = await sendCut(front, `cam-${lastMs}-${nth}`);
      statuses.push(status);
      if (status === 200) {
        gapMs = Math.max(gapMs, performance.now() - lastMs);
        lastMs = performance.now();
      }
      await delay(REQUEST_EVERY_MS);
    }
  })();
  const end = async (): Promise<readonly number[]> => {
    ended = true;
    await running;
    return statuses;
  };
  return { statuses, longestGapMs: () => gapMs, end };
}

function startProxy(pair: RealPair, front: number): ChildProcess {
  const address = (url: string): string => new URL(url).host;
  return spawn(requireServer("haproxy"), ["-f", CONFIG], {
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ENGINE_A: address(pair.engines.a.url),
      ENGINE_B: address(pair.engines.b.url),
      FRONT: `127.0.0.1:${front}`,
    },
  });
}

async function sendCut(front: number, source: string): Promise<number> {
  try {
    return (await call("POST", `http://127.0.0.1:${front}${CUT}`, { source }, { "idempotency-key": source })).status;
  } catch {
    return 0;
  }
}
