/**
 * What viewers of the statecharts cost: commands a second with 0, 1 and 20 viewers and with one that never reads, each
 * beside nobody looking, in turns on the same pair.
 */
import { once } from "node:events";
import { WebSocket } from "ws";
import { KeepAlive } from "./keep-alive.ts";
import { Pair } from "./pair.ts";
import { perSecond } from "./rate.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const CONNECTIONS = 16;
const COMMAND = JSON.stringify({ kind: "POST /api/switch/cut", payload: { source: "cam1" } });
const CASES = [
  { name: "0 viewers", viewers: 0, stalled: false },
  { name: "1 viewer", viewers: 1, stalled: false },
  { name: "20 viewers", viewers: 20, stalled: false },
  { name: "1 stalled viewer", viewers: 1, stalled: true },
] as const;

export async function benchViewers(scale: Scale): Promise<BenchResult[]> {
  const pair = await Pair.start();
  try {
    const { leader } = await pair.roles();
    const rows: BenchResult[] = [];
    for (const { name, viewers, stalled } of CASES) {
      const samples: number[] = [];
      const beside: number[] = [];
      for (let turn = 0; turn < amount(scale, 6, 2); turn += 1) {
        beside.push(...(await rates(leader.url)));
        const sockets = await Promise.all(Array.from({ length: viewers }, async () => look(leader.url, stalled)));
        samples.push(...(await rates(leader.url)));
        for (const socket of sockets) socket.terminate();
      }
      const yardstick = { name: "nobody looking", samples: beside };
      rows.push(benchRow({ name: `commands with ${name}`, unit: "1/s", samples, yardstick, goal: "≥ 0.95 ×" }));
    }
    return rows;
  } finally {
    await pair.close();
  }
}

async function look(url: string, stalled: boolean): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/machines/stream`);
  await once(socket, "open");
  if (stalled) socket.pause();
  return socket;
}

async function rates(url: string): Promise<number[]> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, async () => KeepAlive.open(url)));
  try {
    return await perSecond(
      1,
      connections.map((connection) => async () => {
        const { status } = await connection.post("/api/commands", COMMAND);
        if (status !== 200) throw new Error(`a command was answered ${status}`);
      }),
    );
  } finally {
    for (const connection of connections) connection.close();
  }
}
