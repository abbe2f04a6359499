/**
 * A hub and two spokes, each a process with a store on disk, killed at random points while they push and pull. Whatever a
 * spoke had said to be written is on every side in the end, once.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NanoIds } from "../../src/adapters/basics.ts";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { openSpoke } from "../../src/host/spoke.ts";
import { freePort } from "../support/free-port.ts";

const HUB = join(import.meta.dirname, "hub-process.ts");
const SPOKE = join(import.meta.dirname, "spoke-process.ts");
const NAMES = ["one", "two"] as const;
/** Rounds between two deaths of the hub. */
const HUB_LIVES = 5;
/** Numbers that a spoke says before it is killed, at most. */
const MOST_SAID = 25;
const MS_PER_ROUND = 3_000;

export function killRounds(rounds: number): void {
  test(
    `${rounds} kills of spokes and hub lose no operation and double none`,
    { timeout: 60_000 + rounds * MS_PER_ROUND },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "changeover-kills-"));
      const plant = new Plant(folder, await freePort());
      try {
        await plant.startHub();
        for (let round = 0; round < rounds; round += 1) await plant.round(round);
        await plant.settle();
      } finally {
        await plant.end();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
}

class Plant {
  readonly #folder: string;
  readonly #port: number;
  readonly #said: Record<string, number> = { one: 0, two: 0 };
  #hub: ChildProcess | null = null;

  constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  get #url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async startHub(): Promise<void> {
    const hub = spawn(process.execPath, [HUB, join(this.#folder, "hub"), String(this.#port)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#hub = hub;
    await once(hub.stdout, "data");
  }

  /** One spoke lives and dies; every few rounds the hub dies in the middle of it, and comes back. */
  async round(round: number): Promise<void> {
    const name = NAMES[round % NAMES.length] as string;
    const most = 1 + Math.floor(Math.random() * MOST_SAID);
    const hubDiesAt = round % HUB_LIVES === HUB_LIVES - 1 ? Math.floor(most / 2) : null;
    const child = spawn(process.execPath, [SPOKE, this.#url, join(this.#folder, name), name], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const count = said.split("\n").length - 1;
      if (hubDiesAt !== null && count >= hubDiesAt) this.#hub?.kill("SIGKILL");
      if (count >= most) child.kill("SIGKILL");
    });
    await once(child, "close");
    const last = Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1));
    this.#said[name] = Math.max(this.#said[name] ?? 0, last);
    if (hubDiesAt !== null) await this.#restartHub();
  }

  /** Nobody dies any more: all exchange, then hub and spokes are compared. */
  async settle(): Promise<void> {
    const silent = (): void => undefined;
    const logger = { debug: silent, info: silent, warn: silent, error: silent };
    const shared = {
      hubUrl: this.#url,
      token: null,
      intervalMs: 60_000,
      logger,
      onProgress: silent,
      onExchanged: silent,
    };
    const vectors: unknown[] = [];
    // What stalled is looked at again in the 1st, 2nd, 4th … exchange.
    for (const name of [...NAMES, ...NAMES, ...NAMES, ...NAMES]) {
      const spoke = openSpoke({ ...shared, dataDir: join(this.#folder, name) });
      expect((await spoke.replication.spoke?.exchangeNow())?.outcome).toBe("done");
      expect(Number(spoke.replication.records.get("count", name)?.value)).toBeGreaterThanOrEqual(this.#said[name] ?? 0);
      spoke.close();
    }
    await this.end();
    for (const name of ["hub", ...NAMES]) {
      const store = new SqliteStore({ ids: new NanoIds() }, { dataDir: join(this.#folder, name) });
      const { ops } = store.replica;
      const vector = ops.vector();
      vectors.push(vector);
      expect(ops.count(), `operations of ${name}`).toBe(Object.values(vector).reduce((sum, seq) => sum + seq, 0));
      expect(ops.allSetAside(10)).toEqual([]);
      expect(ops.quarantined(10)).toEqual([]);
      store.close();
    }
    expect(vectors[1]).toEqual(vectors[0]);
    expect(vectors[2]).toEqual(vectors[0]);
  }

  async end(): Promise<void> {
    const hub = this.#hub;
    this.#hub = null;
    if (hub === null || hub.exitCode !== null || hub.signalCode !== null) return;
    hub.kill("SIGKILL");
    await once(hub, "close");
  }

  async #restartHub(): Promise<void> {
    await this.end();
    await this.startHub();
  }
}
