/**
 * A pair of real engine processes for a benchmark: each either `changeover engine` itself or a program that embeds it
 * (`engine-process.ts`), with a witness in a file or in a Redis.
 * Keeps true: closing it leaves no process and no folder behind.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { CoordinatorState } from "../../src/coordinator/types.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { freePort } from "../support/free-port.ts";
import { Child } from "./child.ts";
import type { EngineTraits } from "./engine-traits.ts";
import { KeepAlive } from "./keep-alive.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const EMBEDDING = fileURLToPath(new URL("engine-process.ts", import.meta.url));
const SETTLED_WITHIN_MS = 60_000;
const HANDED_OVER_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 5;
/** A benchmark moves the role more often than any fault does. */
const MAX_FAILOVERS = 1_000;

export interface PairOptions {
  /** URL of a Redis; without it the witness is a SQLite file. */
  readonly redis?: string;
  /** What the embedding program's engine is like; without it `changeover engine` runs with the reference engine. */
  readonly traits?: EngineTraits;
  readonly commands?: Readonly<Record<string, unknown>>;
  /** The section `engine` of each. */
  readonly engine?: Readonly<Record<Label, object>>;
  /** Arguments for Node itself, such as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
}

export interface EngineHandle {
  readonly label: Label;
  readonly url: string;
  readonly config: Readonly<Record<string, unknown>> & { readonly dataDir: string };
  child: Child;
}

export class Pair {
  readonly folder = mkdtempSync(join(tmpdir(), "changeover-bench-"));
  readonly engines = {} as Record<Label, EngineHandle>;
  readonly #options: PairOptions;

  private constructor(options: PairOptions) {
    this.#options = options;
  }

  /** Both engines, settled: one leads, the other is ready. */
  static async start(options: PairOptions = {}): Promise<Pair> {
    const pair = new Pair(options);
    const ports = { a: await freePort(), b: await freePort() };
    try {
      await Promise.all((["a", "b"] as const).map((label) => pair.#start(label, ports)));
      await pair.settled();
    } catch (error) {
      await pair.close();
      throw error;
    }
    return pair;
  }

  /** Starts an engine again that was killed; resolves once it listens. */
  async restart(label: Label): Promise<void> {
    const engine = this.engines[label];
    engine.child = this.#launch(label);
    await engine.child.line();
  }

  /** Waits for one leader and one ready follower that has left its quarantine; says who leads. */
  async settled(): Promise<Label> {
    const endMs = performance.now() + SETTLED_WITHIN_MS;
    while (performance.now() < endMs) {
      const [a, b] = await Promise.all([stateOf(this.engines.a.url), stateOf(this.engines.b.url)]);
      const leader = [a, b].find((state) => state?.mayAct === true);
      const follower = [a, b].find((state) => state?.role === "follower");
      if (leader && follower && isReady(follower) && leader.peer.syncState === "ready") return leader.engineLabel;
      await delay(LOOK_EVERY_MS);
    }
    throw new Error(`the pair has not settled within ${SETTLED_WITHIN_MS} ms`);
  }

  /** The leader and the follower of a settled pair. */
  async roles(): Promise<{ readonly leader: EngineHandle; readonly follower: EngineHandle }> {
    const leader = await this.settled();
    return { leader: this.engines[leader], follower: this.engines[otherLabel(leader)] };
  }

  /** Has the leader hand its role over. On a busy machine even a settled pair may refuse for a moment: it is asked again. */
  async handOver(reason: string): Promise<void> {
    const endMs = performance.now() + HANDED_OVER_WITHIN_MS;
    for (;;) {
      const { leader } = await this.roles();
      const control = await KeepAlive.open(leader.url);
      const { status, body } = await control.post("/api/handover", JSON.stringify({ reason }));
      control.close();
      if (status === 200) return;
      if (status !== 409 || performance.now() > endMs)
        throw new Error(`no handover within ${HANDED_OVER_WITHIN_MS} ms: ${status} ${body}`);
      await delay(LOOK_EVERY_MS);
    }
  }

  async close(): Promise<void> {
    // Under --cpu-prof a process writes its profile only when it ends by itself.
    const end = process.execArgv.includes("--cpu-prof") ? "SIGTERM" : "SIGKILL";
    for (const engine of Object.values(this.engines)) engine.child.signal(end);
    await Promise.all(Object.values(this.engines).map(({ child }) => child.gone()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(label: Label, ports: Readonly<Record<Label, number>>): Promise<void> {
    const { redis, traits, commands, engine } = this.#options;
    const config = {
      // A pair of its own, in a Redis that serves several.
      pair: `bench-${process.pid}-${ports.a}`,
      label,
      listen: { host: "127.0.0.1", port: ports[label] },
      dataDir: join(this.folder, label),
      peer: { links: [{ name: "red", url: `ws://127.0.0.1:${ports[otherLabel(label)]}` }] },
      witness:
        redis === undefined ? { kind: "sqlite", file: join(this.folder, "witness.db") } : { kind: "redis", url: redis },
      failover: { maxAutomaticFailovers: MAX_FAILOVERS },
      commands: commands ?? {},
      ...(engine === undefined ? {} : { engine: engine[label] }),
      log: { level: "error" },
    };
    writeFileSync(this.#file(label), JSON.stringify(config));
    writeFileSync(join(this.folder, "traits.json"), JSON.stringify(traits ?? {}));
    const url = `http://127.0.0.1:${ports[label]}`;
    this.engines[label] = { label, url, config, child: this.#launch(label) };
    await this.engines[label].child.line();
  }

  #launch(label: Label): Child {
    const { traits, nodeArgs = [] } = this.#options;
    const program =
      traits === undefined
        ? [CLI, "engine", "-c", this.#file(label)]
        : [EMBEDDING, this.#file(label), join(this.folder, "traits.json")];
    return new Child([...nodeArgs, ...program]);
  }

  #file(label: Label): string {
    return join(this.folder, `engine-${label}.json`);
  }
}

/** The engine's whole state; null when it does not answer. */
export async function stateOf(url: string): Promise<CoordinatorState | null> {
  const connection = await KeepAlive.open(url).catch(() => null);
  if (connection === null) return null;
  try {
    return JSON.parse((await connection.get("/api/state")).body) as CoordinatorState;
  } catch {
    return null;
  } finally {
    connection.close();
  }
}

function isReady({ syncState, peer, machines }: CoordinatorState): boolean {
  return syncState === "ready" && peer.state === "alive" && !JSON.stringify(machines).includes('"quarantined"');
}
