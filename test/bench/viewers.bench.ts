/**
 * What viewers of the statecharts cost a pair that takes commands as fast as it can: with 0, 1 and 20 viewers and with one
 * that never reads, each beside nobody looking. One load runs all the time; viewers come and go in turns of half a second,
 * first in one order and then in the other, so that whatever else the machine does falls on both alike.
 */
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import { KeepAlive } from "./keep-alive.ts";
import { Pair } from "./pair.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const VIEWERS = fileURLToPath(new URL("viewers-process.ts", import.meta.url));
const CONNECTIONS = 16;
const COMMAND = JSON.stringify({ kind: "POST /api/switch/cut", payload: { source: "cam1" } });
const WARM_UP_MS = 2_000;
const SETTLE_MS = 150;
const WINDOW_MS = 350;
const NOBODY = "0 0";
/** How many read, and how many never do. */
const CASES = [
  { name: "0 viewers", viewers: "0 0" },
  { name: "1 viewer", viewers: "1 0" },
  { name: "20 viewers", viewers: "20 0" },
  { name: "1 stalled viewer", viewers: "0 1" },
] as const;

/** One window: how fast commands were taken, and what they cost both engines. */
interface Sample {
  readonly perSecond: number;
  readonly cpuUs: number;
}

export async function benchViewers(scale: Scale): Promise<BenchResult[]> {
  const pair = await Pair.start();
  const { leader } = await pair.roles();
  const viewers = new Child([VIEWERS, leader.url]);
  const load = await Load.on(leader.url);
  const engines = Object.values(pair.engines).map(({ child }) => child);
  const measure = async (wanted: string): Promise<Sample> => {
    viewers.tell(wanted);
    await viewers.line();
    await delay(SETTLE_MS);
    return load.sample(() => engines.reduce((sum, engine) => sum + engine.cpuMs(), 0));
  };
  try {
    await delay(WARM_UP_MS);
    const rows: BenchResult[] = [];
    for (const { name, viewers: looking } of CASES) {
      const [samples, beside]: [Sample[], Sample[]] = [[], []];
      for (let turn = 0; turn < amount(scale, 40, 8); turn += 1) {
        if (turn % 2 === 0) beside.push(await measure(NOBODY));
        samples.push(await measure(looking));
        if (turn % 2 === 1) beside.push(await measure(NOBODY));
      }
      rows.push(...rowsOf(name, samples, beside));
    }
    return rows;
  } finally {
    await load.end();
    await viewers.kill();
    await pair.close();
  }
}

function rowsOf(name: string, samples: readonly Sample[], beside: readonly Sample[]): BenchResult[] {
  const nobody = "nobody looking";
  const rates = { samples: samples.map(({ perSecond }) => perSecond), unit: "1/s" as const };
  const costs = { samples: samples.map(({ cpuUs }) => cpuUs), unit: "µs" as const };
  const [rate, cost] = [beside.map(({ perSecond }) => perSecond), beside.map(({ cpuUs }) => cpuUs)];
  return [
    benchRow({ name: `commands with ${name}`, ...rates, yardstick: { name: nobody, samples: rate }, goal: "≥ 0.95 ×" }),
    benchRow({
      name: `processor time of both engines a command, with ${name}`,
      ...costs,
      yardstick: { name: nobody, samples: cost },
      goal: "≤ 1.05 ×",
    }),
  ];
}

/** Commands from several connections, each one after the other, until `end`. */
class Load {
  readonly #connections: readonly KeepAlive[];
  readonly #done: Promise<unknown>;
  #ended = 0;
  #running = true;

  private constructor(connections: readonly KeepAlive[]) {
    this.#connections = connections;
    this.#done = Promise.all(connections.map(async (connection) => this.#run(connection)));
  }

  static async on(url: string): Promise<Load> {
    return new Load(await Promise.all(Array.from({ length: CONNECTIONS }, async () => KeepAlive.open(url))));
  }

  async sample(cpuMs: () => number): Promise<Sample> {
    const before = { ended: this.#ended, cpuMs: cpuMs(), atMs: performance.now() };
    await delay(WINDOW_MS);
    const commands = this.#ended - before.ended;
    const perSecond = (commands * 1_000) / (performance.now() - before.atMs);
    return { perSecond, cpuUs: ((cpuMs() - before.cpuMs) * 1_000) / commands };
  }

  async end(): Promise<void> {
    this.#running = false;
    await this.#done;
    for (const connection of this.#connections) connection.close();
  }

  async #run(connection: KeepAlive): Promise<void> {
    while (this.#running) {
      const { status, body } = await connection.post("/api/commands", COMMAND);
      if (status !== 200) throw new Error(`a command was answered ${status}: ${body}`);
      this.#ended += 1;
    }
  }
}
