/**
 * How long no command is accepted while the role is handed over on purpose: a client submits one command after another
 * and follows the 409 to the other engine. The gap is from the last answer of the old leader to the first of the new one.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Label } from "../../src/core/ids.ts";
import { otherLabel } from "../../src/core/ids.ts";
import { KeepAlive } from "./keep-alive.ts";
import { Pair } from "./pair.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const GOAL = "median ≤ 5 ms, p99 ≤ 16.7 ms, 0 lost";
/** How long commands flow before and after a handover, ms. */
const FLOW_MS = 150;
const PAGE = 1_000;

interface Accepted {
  readonly seq: number;
  readonly by: Label;
  readonly atMs: number;
}

/** Gap in acceptance beside the usual time between two acceptances; and what was lost. */
export async function benchHandover(scale: Scale): Promise<BenchResult[]> {
  const pair = await Pair.start({ traits: {} });
  const client = new Client(pair, await pair.settled());
  try {
    const gaps: number[] = [];
    const usual: number[] = [];
    for (let round = 0; round < amount(scale, 60, 8); round += 1) {
      await pair.settled();
      const accepted = await client.throughHandover();
      accepted.forEach((one, index) => {
        const before = accepted[index - 1];
        if (before === undefined) return;
        (before.by === one.by ? usual : gaps).push(one.atMs - before.atMs);
      });
    }
    const lost = await client.lost();
    const yardstick = { name: "between two acceptances of one leader", samples: usual };
    return [
      benchRow({ name: "graceful handover: gap in acceptance", unit: "ms", samples: gaps, yardstick, goal: GOAL }),
      benchRow({
        name: `of ${client.accepted.length} commands: lost, doubled or not as answered`,
        unit: "times",
        samples: [lost],
        yardstick: null,
        goal: "0",
      }),
    ];
  } finally {
    await pair.close();
  }
}

/** Submits one command after another, wherever the leader is. */
class Client {
  readonly accepted: Accepted[] = [];
  readonly #pair: Pair;
  readonly #connections = new Map<Label, KeepAlive>();
  #leader: Label;

  constructor(pair: Pair, leader: Label) {
    this.#pair = pair;
    this.#leader = leader;
  }

  /** What was accepted around one handover, in order. */
  async throughHandover(): Promise<readonly Accepted[]> {
    const from = this.accepted.length;
    let flowing = true;
    const flow = async (): Promise<void> => {
      while (flowing) await this.#submit();
    };
    await Promise.all([flow(), this.#handOver().finally(() => (flowing = false))]);
    return this.accepted.slice(from);
  }

  async #handOver(): Promise<void> {
    await delay(FLOW_MS * (1 + Math.random()));
    await this.#pair.handOver("bench");
    await delay(FLOW_MS);
  }

  /** Accepted commands that are not at their place in both logs, once each. */
  async lost(): Promise<number> {
    await this.#pair.settled();
    const logs = await Promise.all((["a", "b"] as const).map((label) => this.#log(label)));
    const wrong = this.accepted.filter(({ seq }, n) => logs.some((log) => log.get(seq) !== n));
    for (const connection of this.#connections.values()) connection.close();
    return wrong.length + logs.reduce((extra, log) => extra + log.size - new Set(log.values()).size, 0);
  }

  async #submit(): Promise<void> {
    const connection = await this.#connection(this.#leader);
    const n = this.accepted.length;
    const command = JSON.stringify({ kind: "count", payload: { n }, idempotencyKey: `n-${n}` });
    const { status, body } = await connection.post("/api/commands", command);
    if (status === 200) {
      const { seq } = JSON.parse(body) as { readonly seq: number };
      this.accepted.push({ seq, by: this.#leader, atMs: performance.now() });
      return;
    }
    if (status !== 409) throw new Error(`command: ${status} ${body}`);
    const { leaderUrl } = JSON.parse(body) as { readonly leaderUrl?: string };
    const own = this.#pair.engines[this.#leader].url;
    // While it is handed over nobody may lead for a moment: ask the same one again.
    if (leaderUrl !== undefined && leaderUrl !== own) this.#leader = otherLabel(this.#leader);
  }

  async #connection(label: Label): Promise<KeepAlive> {
    const known = this.#connections.get(label);
    if (known !== undefined) return known;
    const connection = await KeepAlive.open(this.#pair.engines[label].url);
    this.#connections.set(label, connection);
    return connection;
  }

  /** n of each command by its seq. */
  async #log(label: Label): Promise<ReadonlyMap<number, number>> {
    const log = new Map<number, number>();
    const connection = await this.#connection(label);
    for (let hasMore = true, afterSeq = 0; hasMore;) {
      const { body } = await connection.get(`/api/commands?afterSeq=${afterSeq}&limit=${PAGE}`);
      const page = JSON.parse(body) as { commands: { seq: number; payload: { n: number } }[]; hasMore: boolean };
      for (const { seq, payload } of page.commands) log.set(seq, payload.n);
      afterSeq = page.commands.at(-1)?.seq ?? afterSeq;
      hasMore = page.hasMore;
    }
    return log;
  }
}
