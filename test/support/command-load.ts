/**
 * Clients that give the pair commands all along, each under its own key until it is acknowledged.
 * Keeps true: every command has a kind of its own, so that one that stands twice in a log shows.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Acknowledged, Show, type ShowCall } from "../../src/cli/demo/show.ts";
import type { Label } from "../../src/core/ids.ts";

const PACE_MS = 20;
/** Calls of one client: more than it can give within one test. */
const CALLS = 10_000;
/** What every kind of the load begins with. */
export const LOAD_KIND = "POST /load/";

let clients = 0;

export class CommandLoad {
  readonly #shows: readonly Show[];
  readonly #done: Promise<unknown>;
  #running = true;

  private constructor(urls: Readonly<Record<Label, string>>, count: number, paceMs: number) {
    this.#shows = Array.from({ length: count }, () => new Show(callsOf(clients), urls, `load-${clients++}`));
    this.#done = Promise.all(this.#shows.map(async (show) => this.#play(show, paceMs)));
    // Told by stop(); a test that fails before it has its own reason.
    this.#done.catch(() => undefined);
  }

  static begin(
    { engines }: { readonly engines: Readonly<Record<Label, { readonly url: string }>> },
    { count = 2, paceMs = PACE_MS }: { count?: number; paceMs?: number } = {},
  ): CommandLoad {
    return new CommandLoad({ a: engines.a.url, b: engines.b.url }, count, paceMs);
  }

  get acknowledged(): readonly Acknowledged[] {
    return this.#shows.flatMap(({ acknowledged }) => acknowledged);
  }

  /** Ends once the commands under way are acknowledged. */
  async stop(): Promise<readonly Acknowledged[]> {
    this.#running = false;
    await this.#done;
    const refused = this.#shows.flatMap((show) => show.refused);
    if (refused.length > 0) throw new Error(`refused: ${refused.join("; ")}`);
    return this.acknowledged;
  }

  async #play(show: Show, paceMs: number): Promise<void> {
    while (this.#running) {
      await show.play(1);
      await delay(paceMs);
    }
  }
}

function callsOf(client: number): readonly ShowCall[] {
  return Array.from({ length: CALLS }, (_call, n) => ({ method: "POST", path: `/load/${client}/${n}`, body: { n } }));
}
