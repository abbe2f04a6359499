/**
 * `changeover watch`: both engines live in the terminal, five times a second; plain lines where there is none.
 * An engine that does not answer is shown as such and never holds up the picture of the other.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import type { CoordinatorState } from "../../coordinator/types.ts";
import type { Client } from "../client.ts";
import { CliError, EXIT } from "../exit.ts";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { line } from "../output.ts";
import { Screen } from "../screen.ts";
import { changeLine, type Seen, Track, watchLines } from "./watch-view.ts";

const FRAME_MS = 200;
const ANSWER_WITHIN_MS = 1_000;

export function addWatch(program: Command): void {
  reading(program.command("watch"))
    .description("watch both engines live; with --json one JSON object a line")
    .action(watch);
}

async function watch(options: ReadOptions): Promise<void> {
  const first = clientFor(options, ANSWER_WITHIN_MS);
  const state = await first.state();
  const engines = [new Watched(first), ...peersOf(first, state)];
  if (options.json) return follow(engines, (seen) => line(JSON.stringify(seen.map(({ state: now }) => now))));
  if (!process.stdout.isTTY) return followChanges(engines);
  const screen = new Screen(process.stdout);
  const leave = (): void => {
    screen.close();
    process.exit(EXIT.done);
  };
  process.once("SIGINT", leave).once("SIGTERM", leave);
  try {
    await follow(engines, (seen) => screen.draw(watchLines(seen, screen.columns, screen.rows)));
  } finally {
    screen.close();
  }
}

function peersOf(first: Client, { peer }: CoordinatorState): Watched[] {
  return peer.url === null ? [] : [new Watched(first.at(peer.url))];
}

/** One engine, and what was seen of it. */
class Watched {
  readonly #client: Client;
  readonly #track = new Track();

  constructor(client: Client) {
    this.#client = client;
  }

  async look(): Promise<Seen> {
    const { url } = this.#client;
    try {
      const state = await this.#client.state();
      this.#track.add(state.peer.lastHeardMs);
      return { url, state, problem: null, heartbeats: this.#track.samples };
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      this.#track.add(null);
      return { url, state: null, problem: error.message, heartbeats: this.#track.samples };
    }
  }
}

/** Ends only with the process. */
async function follow(engines: readonly Watched[], show: (seen: readonly Seen[]) => void): Promise<void> {
  for (;;) {
    const [seen] = await Promise.all([Promise.all(engines.map((engine) => engine.look())), delay(FRAME_MS)]);
    show(seen);
  }
}

async function followChanges(engines: readonly Watched[]): Promise<void> {
  const last = new Map<string, string>();
  await follow(engines, (seen) => {
    for (const one of seen) {
      const now = changeLine(one);
      if (last.get(one.url) !== now) line(now);
      last.set(one.url, now);
    }
  });
}
