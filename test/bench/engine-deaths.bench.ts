/**
 * How long nobody leads when the engine dies, hangs or blocks, and when two faults meet: the rows of the speed table. Each
 * from the very fault to the first 200 of the other engine's `GET /leader`, beside the floor of the same run.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { freePort } from "../support/free-port.ts";
import { startRedis } from "../support/redis-server.ts";
import { findServer, requireServer } from "../support/servers.ts";
import { benchFloor } from "./floor.ts";
import { KeepAlive } from "./keep-alive.ts";
import { type EngineHandle, Pair, stateOf } from "./pair.ts";
import { firstLeads } from "./poll-leader.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const HEARTBEAT_MS = 200;
const GIB_IN_MIB = 1_024;
const STALL_MS = 250;
const BELOW_MS = 200;
const BLOCK_MS = 1_500;
const WATCHED_MS = 1_000;
const ENGINE = fileURLToPath(new URL("../../examples/http-engine/engine.py", import.meta.url));
/** Holds memory that was written to, then is the engine. */
const HEAVY_ENGINE = `import runpy, sys
held = bytearray(int(sys.argv[1]) * 1048576)
held[::4096] = b"x" * len(held[::4096])
sys.argv = [sys.argv[2], "--port", sys.argv[3]]
runpy.run_path(sys.argv[0], run_name="__main__")`;

type Floor = { readonly name: string; readonly samples: readonly number[] };

/** The engine beside the coordinator: killed, killed with much memory, stopped. */
export async function benchEngineDeath(scale: Scale): Promise<BenchResult[]> {
  const floor = await floorOf(scale);
  const rounds = amount(scale, 20, 4);
  const small = await besides("SIGKILL", 0, rounds);
  const hung = await besides("SIGSTOP", 0, rounds);
  const large = await besides("SIGKILL", (scale.quick ? 1 : 4) * GIB_IN_MIB, rounds);
  return [
    row("engine process beside it killed → the other leads", small, floor, "≤ 2 × floor"),
    row(`engine process of ${scale.quick ? 1 : 4} GiB beside it killed → the other leads`, large, floor, "≤ 117 ms"),
    row("engine process stopped, lifeline 20 × 5 → the other leads", hung, floor, "≤ 130 ms"),
  ];
}

/** The event loop of an embedded engine: blocked, blocked for less than it may, and what the watch costs it. */
export async function benchStall(scale: Scale): Promise<BenchResult[]> {
  const rounds = amount(scale, 20, 4);
  const blocked: number[] = [];
  let moves = 0;
  const pair = await Pair.start({ traits: {} });
  try {
    for (let round = 0; round < rounds; round += 1) {
      const { leader, follower } = await pair.roles();
      const before = (await stateOf(leader.url))?.epoch ?? 0;
      await block(leader, BELOW_MS);
      await delay(HEARTBEAT_MS);
      moves += ((await stateOf(leader.url))?.epoch ?? 0) - before;
      await delay(HEARTBEAT_MS * (1 + Math.random()));
      blocked.push(await untilOtherLeads(follower, () => void block(leader, BLOCK_MS)));
      await delay(BLOCK_MS);
    }
  } finally {
    await pair.close();
  }
  const goal = `≤ ${STALL_MS} ms + two frames (283 ms)`;
  const shares = [await mainLoopShare(true, rounds), await mainLoopShare(false, rounds)] as const;
  return [
    row("embedded engine's loop blocked for good → the other leads", blocked, await floorOf(scale), goal),
    benchRow({
      name: `role moved by a loop that was blocked for ${BELOW_MS} ms, of ${rounds} times`,
      unit: "times",
      samples: [moves],
      yardstick: null,
      goal: "0",
    }),
    benchRow({
      name: "idle leader with the watch, a core of the machine",
      unit: "%",
      samples: shares[0],
      yardstick: { name: "idle follower, which is not watched", samples: shares[1] },
      goal: "no more than 0.2 % of a core",
    }),
  ];
}

/** A coordinator with an embedded engine of any size. */
export async function benchSizes(scale: Scale): Promise<BenchResult[]> {
  const floor = await floorOf(scale);
  const rows: BenchResult[] = [];
  for (const ballastMiB of scale.quick ? [0, GIB_IN_MIB] : [0, GIB_IN_MIB, 4 * GIB_IN_MIB]) {
    const name = ballastMiB === 0 ? "of 150 MB" : `of ${ballastMiB / GIB_IN_MIB} GiB`;
    const samples = await killed({ ballastMiB }, amount(scale, 20, 3), 0);
    rows.push(
      row(`coordinator with an embedded engine ${name} killed → the other leads`, samples, floor, "≤ 2 × floor"),
    );
  }
  return rows;
}

/** Killed within a second of its return from an earlier death. */
export async function benchAgain(scale: Scale): Promise<BenchResult[]> {
  const samples = await killed({}, amount(scale, 20, 4), WATCHED_MS);
  const name = "killed within a second of the other's return → the returned one leads";
  return [row(name, samples, await floorOf(scale), "≤ 2 × floor")];
}

function row(name: string, samples: readonly number[], floor: Floor | null, goal: string): BenchResult {
  return benchRow({ name, unit: "ms", samples, yardstick: floor, goal });
}

async function floorOf(scale: Scale): Promise<Floor | null> {
  if (findServer("redis-server") === undefined) return null;
  const redis = await startRedis();
  try {
    const samples = await benchFloor(redis.url, amount(scale, 20, 4));
    return { name: "floor: close, refused, one swap", samples };
  } finally {
    await redis.stop();
  }
}

async function untilOtherLeads(follower: EngineHandle, strike: () => void): Promise<number> {
  const connection = await KeepAlive.open(follower.url);
  const seen = firstLeads(connection);
  await delay(HEARTBEAT_MS * (0.5 + Math.random()));
  const faultMs = performance.now();
  strike();
  const tookMs = (await seen) - faultMs;
  connection.close();
  return tookMs;
}

/** Kills one leader after another; `withinMs` > 0: as soon as the killed one is ready again, and at most so much later. */
async function killed(traits: { readonly ballastMiB?: number }, rounds: number, withinMs: number): Promise<number[]> {
  const pair = await Pair.start({ traits });
  const samples: number[] = [];
  try {
    let { leader, follower } = await pair.roles();
    for (let round = 0; round < rounds; round += 1) {
      const connection = await KeepAlive.open(follower.url);
      const seen = firstLeads(connection);
      await delay(withinMs > 0 ? (withinMs * Math.random()) / 4 : HEARTBEAT_MS * (0.5 + Math.random()));
      const faultMs = performance.now();
      leader.child.signal("SIGKILL");
      samples.push((await seen) - faultMs);
      connection.close();
      await leader.child.gone();
      await pair.restart(leader.label);
      if (withinMs > 0) await untilReady(leader.url);
      ({ leader, follower } = withinMs > 0 ? { leader: follower, follower: leader } : await pair.roles());
    }
    return samples;
  } finally {
    await pair.close();
  }
}

async function untilReady(url: string): Promise<void> {
  for (;;) {
    const status = await fetch(`${url}/ready`).then(
      async (answer) => answer.text().then(() => answer.status),
      () => 0,
    );
    if (status === 200) return;
    await delay(1);
  }
}

/** Answered once the loop runs again; nobody waits for it. */
async function block(engine: EngineHandle, ms: number): Promise<void> {
  await fetch(`${engine.url}/engine/block/${ms}`)
    .then(async (answer) => answer.text())
    .catch(() => undefined);
}

/** Share of a core of a whole engine in per cent, a sample a second. */
async function mainLoopShare(ofLeader: boolean, seconds: number): Promise<number[]> {
  const pair = await Pair.start();
  try {
    const { leader, follower } = await pair.roles();
    const { child } = ofLeader ? leader : follower;
    await delay(5_000);
    const samples: number[] = [];
    for (let second = 0; second < seconds; second += 1) {
      const before = child.cpuMs();
      const startMs = performance.now();
      await delay(1_000);
      samples.push((100 * (child.cpuMs() - before)) / (performance.now() - startMs));
    }
    return samples;
  } finally {
    await pair.close();
  }
}

/** Engines of another language beside the coordinators; the leader's gets the signal. */
async function besides(signal: "SIGKILL" | "SIGSTOP", ballastMiB: number, rounds: number): Promise<number[]> {
  const ports: Readonly<Record<Label, number>> = { a: await freePort(), b: await freePort() };
  const engines: Partial<Record<Label, ChildProcess>> = {};
  const start = async (label: Label): Promise<void> => {
    const args = ["-c", HEAVY_ENGINE, String(ballastMiB), ENGINE, String(ports[label])];
    const child = spawn(requireServer("python3"), args, { stdio: ["ignore", "pipe", "ignore"] });
    engines[label] = child;
    await once(createInterface({ input: child.stdout }), "line");
  };
  await Promise.all((["a", "b"] as const).map(start));
  const engine = (label: Label): object => ({ kind: "http", baseUrl: `http://127.0.0.1:${ports[label]}` });
  const samples: number[] = [];
  let pair: Pair | null = null;
  try {
    pair = await Pair.start({ engine: { a: engine("a"), b: engine("b") } });
    for (let round = 0; round < rounds; round += 1) {
      const leader = await pair.settled();
      const child = engines[leader];
      if (child === undefined) throw new Error("no engine");
      samples.push(await untilOtherLeads(pair.engines[otherLabel(leader)], () => void child.kill(signal)));
      if (signal === "SIGSTOP") child.kill("SIGCONT");
      else {
        if (child.signalCode === null) await once(child, "exit");
        await start(leader);
      }
    }
    return samples;
  } finally {
    await pair?.close();
    for (const child of Object.values(engines)) child.kill("SIGKILL");
  }
}
