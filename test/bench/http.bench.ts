/**
 * Answers a second of the probes, beside a bare Fastify route with the same schema in a process of its own. Both are
 * asked in turns of a second over the same number of connections, one request under way on each.
 */
import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import { KeepAlive } from "./keep-alive.ts";
import { Pair } from "./pair.ts";
import { perSecond } from "./rate.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const BARE = fileURLToPath(new URL("bare-route-process.ts", import.meta.url));
const CONNECTIONS = 16;

export async function benchHttp(scale: Scale): Promise<BenchResult[]> {
  const pair = await Pair.start();
  const bare = new Child([BARE]);
  try {
    const bareUrl = await bare.line();
    const { leader } = await pair.roles();
    const rows: BenchResult[] = [];
    for (const path of ["/api/peer/health", "/leader"]) {
      const samples: number[] = [];
      const beside: number[] = [];
      for (let turn = 0; turn < amount(scale, 10, 2); turn += 1) {
        samples.push(...(await rates(leader.url, path)));
        beside.push(...(await rates(bareUrl, path)));
      }
      const yardstick = { name: "bare Fastify route", samples: beside };
      rows.push(benchRow({ name: `GET ${path}`, unit: "1/s", samples, yardstick, goal: "≥ 0.9 ×" }));
    }
    return rows;
  } finally {
    await bare.kill();
    await pair.close();
  }
}

async function rates(url: string, path: string): Promise<number[]> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, async () => KeepAlive.open(url)));
  try {
    return await perSecond(
      1,
      connections.map((connection) => async () => {
        const { status } = await connection.get(path);
        if (status !== 200) throw new Error(`${path} was answered ${status}`);
      }),
    );
  } finally {
    for (const connection of connections) connection.close();
  }
}
