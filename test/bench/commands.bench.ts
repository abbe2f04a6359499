/**
 * What a command costs: one at a time from submission to its answer, durable on both engines; and in bursts, where many
 * share one transaction and one frame. The yardstick stores the same text on both sides of a bare ws socket.
 */
import Database from "better-sqlite3";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { resolveConfig } from "../../src/config/load.ts";
import type { Coordinator } from "../../src/coordinator/types.ts";
import type { Durability } from "../../src/core/command.ts";
import { type Host, startHost } from "../../src/host/start-host.ts";
import { quietLogger } from "./quiet-logger.ts";
import { bareTable } from "./bare-table.ts";
import { Child } from "./child.ts";
import { KeepAlive } from "./keep-alive.ts";
import { Pair } from "./pair.ts";
import { perSecond } from "./rate.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";
import { TakesAll } from "./takes-all.ts";

const ECHO = fileURLToPath(new URL("durable-echo-process.ts", import.meta.url));
const SERIAL_GOAL = "≤ 1.5 × bare ws round trip with one fsync on each side";
const BURST_GOAL = "≥ 5000/s";
const WARM_UP = 200;
/** Connections, each with one command under way. */
const CONNECTIONS = 128;
/** Commands under way in one process. */
const OUTSTANDING = 2_000;
const COMMAND = { kind: "count", payload: { n: 1, text: "a payload as commands have it" } };
const TEXT = JSON.stringify(COMMAND);

/** How safe the commands were when they were answered. */
class Tally {
  answered = 0;
  local = 0;

  note(durability: Durability): void {
    this.answered += 1;
    if (durability === "local") this.local += 1;
  }
}

/** Serial latency, in the process and over HTTP, and both kinds of burst. */
export async function benchCommands(scale: Scale): Promise<BenchResult[]> {
  const rounds = amount(scale, 4_000, 400);
  const seconds = amount(scale, 10, 3);
  const pair = await Pair.start({ traits: {} });
  try {
    const { leader } = await pair.roles();
    const alone = new Tally();
    const bare = await bareRoundTrips(rounds);
    const overHttp = await serialOverHttp(leader.url, rounds, alone);
    const httpBurst = await burstOverHttp(leader.url, seconds, alone);
    const embedded = await besideAnEmbeddedLeader(pair, async ({ coordinator }) => ({
      serial: await serial(coordinator, rounds, alone),
      burst: await burst(coordinator, seconds, alone),
    }));
    const yardstick = { name: "ws round trip, one fsync on each side", samples: bare };
    const serialRow = (name: string, samples: readonly number[]): BenchResult =>
      benchRow({ name, unit: "ms", samples, yardstick, goal: SERIAL_GOAL });
    const burstRow = (name: string, samples: readonly number[]): BenchResult =>
      benchRow({ name, unit: "1/s", samples, yardstick: null, goal: BURST_GOAL });
    return [
      serialRow("command accepted → durable on both → answered", embedded.serial),
      serialRow("the same over HTTP", overHttp),
      burstRow(`burst, ${OUTSTANDING} under way in the process`, embedded.burst),
      burstRow(`burst, POST /api/commands over ${CONNECTIONS} connections`, httpBurst),
      benchRow({
        name: `of these ${alone.answered} commands: answered "local", the peer being too slow`,
        unit: "times",
        samples: [alone.local],
        yardstick: null,
        goal: "0 on a quiet machine",
      }),
    ];
  } finally {
    await pair.close();
  }
}

async function bareRoundTrips(rounds: number): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "changeover-bench-"));
  const child = new Child([ECHO, join(folder, "far.db")]);
  const near = new Database(join(folder, "near.db"));
  try {
    const insert = bareTable(near);
    const ws = new WebSocket(`ws://127.0.0.1:${await child.line()}`, { perMessageDeflate: false });
    await once(ws, "open");
    return await timed(rounds, async () => {
      insert([TEXT]);
      ws.send(TEXT);
      await once(ws, "message");
    });
  } finally {
    near.close();
    await child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function serialOverHttp(url: string, rounds: number, tally: Tally): Promise<number[]> {
  const connection = await KeepAlive.open(url);
  const samples = await timed(rounds, async () => post(connection, tally));
  connection.close();
  return samples;
}

async function burstOverHttp(url: string, seconds: number, tally: Tally): Promise<number[]> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, async () => KeepAlive.open(url)));
  const rates = await perSecond(
    seconds,
    connections.map((connection) => async () => post(connection, tally)),
  );
  for (const connection of connections) connection.close();
  return rates;
}

async function post(connection: KeepAlive, tally: Tally): Promise<void> {
  const { status, body } = await connection.post("/api/commands", TEXT);
  if (status !== 200) throw new Error(`a command was answered ${status} ${body}`);
  tally.note((JSON.parse(body) as { readonly durability: Durability }).durability);
}

async function serial(coordinator: Coordinator, rounds: number, tally: Tally): Promise<number[]> {
  return timed(rounds, async () => submit(coordinator, tally));
}

async function burst(coordinator: Coordinator, seconds: number, tally: Tally): Promise<number[]> {
  return perSecond(
    seconds,
    Array.from({ length: OUTSTANDING }, () => async () => submit(coordinator, tally)),
  );
}

async function submit(coordinator: Coordinator, tally: Tally): Promise<void> {
  const answer = await coordinator.submit(COMMAND);
  if (answer.outcome !== "accepted") throw new Error(`a command was answered ${JSON.stringify(answer)}`);
  tally.note(answer.durability);
}

/** Puts an engine of this process in the place of the pair's follower, makes it leader, and hands it over. */
async function besideAnEmbeddedLeader<T>(pair: Pair, act: (host: Host) => Promise<T>): Promise<T> {
  const { follower, leader } = await pair.roles();
  await follower.child.stop();
  const host = await startHost(resolveConfig(follower.config), { engine: new TakesAll(), logger: quietLogger });
  try {
    await pair.handOver("bench");
    await pair.settled();
    return await act(host);
  } finally {
    await leader.child.kill();
    await host.close();
  }
}

/** How long each of `rounds` calls takes, one after another, ms. */
async function timed(rounds: number, call: () => Promise<void>): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < WARM_UP + rounds; round += 1) {
    const startMs = performance.now();
    await call();
    if (round >= WARM_UP) samples.push(performance.now() - startMs);
  }
  return samples;
}
