/**
 * What idle pairs cost: the peer channel with its identity, sealing and checking, beside a bare ws socket that carries
 * the same heartbeat. Both run at the same time, each side in a process of its own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type BenchRow, benchRow } from "./rows.ts";

const PROCESS = fileURLToPath(new URL("heartbeat-process.ts", import.meta.url));
const SECONDS = 12;
const HEARTBEATS_PER_SECOND = 5;
const GOAL = "≤ 1.5 × bare ws";

type Mode = "channel" | "bare";

/** One row for a single idle pair, and one for 500 in one process. */
export async function benchHeartbeat(): Promise<BenchRow[]> {
  return [await costOf(1), await costOf(500)];
}

async function costOf(pairs: number): Promise<BenchRow> {
  const [channel, bare] = await Promise.all([run("channel", pairs), run("bare", pairs)]);
  return benchRow({
    name: pairs === 1 ? "heartbeats of an idle pair, core a process" : `heartbeats of ${pairs} pairs, core a process`,
    unit: "%",
    samples: channel,
    yardstick: { name: "bare ws at 5 Hz", samples: bare },
    goal: GOAL,
  });
}

/** Share of a core in per cent, one sample a second and a side. */
async function run(mode: Mode, pairs: number): Promise<number[]> {
  const children: ChildProcess[] = [];
  try {
    const a = start(children, mode, pairs);
    const { port } = (await a.next()) as { readonly port: number };
    const b = start(children, mode, pairs, port);
    const sides = (await Promise.all([a.next(), b.next()])) as {
      readonly percents: number[];
      readonly received: number;
    }[];
    const expected = pairs * HEARTBEATS_PER_SECOND * SECONDS;
    for (const { received } of sides) {
      if (received < 0.9 * expected) throw new Error(`${mode}: ${received} of ${expected} heartbeats came`);
    }
    return sides.flatMap(({ percents }) => percents);
  } finally {
    for (const child of children) await killed(child);
  }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

function start(children: ChildProcess[], mode: Mode, pairs: number, port?: number): { next: () => Promise<unknown> } {
  const args = [PROCESS, mode, String(pairs), String(SECONDS), ...(port === undefined ? [] : [String(port)])];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const lines: AsyncIterator<string, undefined> = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    next: async () => {
      const line = await lines.next();
      if (line.done === true) throw new Error(`${mode}: ended without a result`);
      return JSON.parse(line.value) as unknown;
    },
  };
}
