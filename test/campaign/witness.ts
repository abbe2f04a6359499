/**
 * The witness of a round: a Redis on the witness's own host, or a SQLite file that both engines reach by a way of their
 * own. It can be cut off from either engine, killed, emptied and paused.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { until } from "../../src/cli/demo/observe.ts";
import { sqliteGate } from "../../src/cli/demo/witness-gate.ts";
import type { WitnessConfig } from "../../src/config/types.ts";
import type { Label } from "../../src/core/ids.ts";
import { endWithThisProcess, hasEnded } from "../support/server-process.ts";
import { requireServer } from "../support/servers.ts";
import { onlyOnce, type PlantNetwork, type Undo } from "./network.ts";

const REDIS_PORT = 6379;
const ANSWER_WITHIN_MS = 1_000;

export interface Witness {
  configFor(label: Label): WitnessConfig;
  /** Nothing passes between this engine and the witness. */
  cut(label: Label): Promise<Undo>;
  /** It is gone, and comes back empty. */
  kill(): Promise<Undo>;
  empty(): Promise<void>;
  /** It stands still and answers nobody. */
  pause(): Promise<Undo>;
  close(): Promise<void>;
}

export class RedisWitness implements Witness {
  readonly #network: PlantNetwork;
  #child: ChildProcess;
  #end: () => Promise<void>;

  private constructor(network: PlantNetwork) {
    this.#network = network;
    [this.#child, this.#end] = this.#launch();
  }

  static async start(network: PlantNetwork): Promise<RedisWitness> {
    const witness = new RedisWitness(network);
    await witness.#answers();
    return witness;
  }

  configFor(): WitnessConfig {
    return { kind: "redis", url: `redis://${this.#network.address("witness", "red")}:${REDIS_PORT}` };
  }

  async cut(label: Label): Promise<Undo> {
    const there = await this.#network.drop(label, "witness", "red");
    const back = await this.#network.drop("witness", label, "red");
    return async () => void (await Promise.all([there(), back()]));
  }

  async kill(): Promise<Undo> {
    await this.#end();
    return onlyOnce(async () => {
      [this.#child, this.#end] = this.#launch();
      await this.#answers();
    });
  }

  async empty(): Promise<void> {
    // One that is gone comes back empty anyway.
    if (!hasEnded(this.#child)) await this.#ask("FLUSHALL");
  }

  async pause(): Promise<Undo> {
    this.#child.kill("SIGSTOP");
    return onlyOnce(async () => void this.#child.kill("SIGCONT"));
  }

  async close(): Promise<void> {
    await this.#end();
  }

  #launch(): [ChildProcess, () => Promise<void>] {
    const bind = ["--port", String(REDIS_PORT), "--bind", "0.0.0.0", "--protected-mode", "no"];
    const forgets = ["--save", "", "--appendonly", "no", "--daemonize", "no"];
    const [program, ...args] = this.#network.on("witness", [requireServer("redis-server"), ...bind, ...forgets]);
    const child = spawn(program, args, { stdio: "ignore", cwd: "/" });
    return [child, endWithThisProcess(child)];
  }

  async #answers(): Promise<void> {
    const isThere = async () =>
      this.#ask("PING").then(
        (answer) => answer.startsWith("+PONG"),
        () => false,
      );
    await until("Redis answers", isThere);
  }

  async #ask(command: string): Promise<string> {
    const socket = connect(REDIS_PORT, this.#network.address("witness", "red"));
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      socket.write(`${command}\r\n`);
      const [answer] = (await once(socket, "data", { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })) as [Buffer];
      return answer.toString();
    } finally {
      socket.destroy();
    }
  }
}

export class SqliteWitness implements Witness {
  readonly #gate: ReturnType<typeof sqliteGate>;
  readonly #file: string;
  readonly #cuts: Record<Label, number> = { a: 0, b: 0 };

  constructor(folder: string) {
    this.#gate = sqliteGate(folder);
    this.#file = join(folder, "witness", "witness.db");
  }

  configFor(label: Label): WitnessConfig {
    return this.#gate.configFor(label);
  }

  async cut(label: Label): Promise<Undo> {
    this.#cuts[label] += 1;
    this.#gate.cut(label);
    return onlyOnce(async () => {
      this.#cuts[label] -= 1;
      if (this.#cuts[label] === 0) this.#gate.heal(label);
    });
  }

  /** A file has no process: both engines lose the way to it, and find it empty afterwards. */
  async kill(): Promise<Undo> {
    const cuts = [await this.cut("a"), await this.cut("b")];
    return onlyOnce(async () => {
      await this.empty();
      for (const heal of cuts) await heal();
    });
  }

  async empty(): Promise<void> {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${this.#file}${end}`, { force: true });
  }

  /** Another process holds the file: no engine can write until it lets go. */
  async pause(): Promise<Undo> {
    const file = new Database(this.#file, { timeout: ANSWER_WITHIN_MS });
    file.exec("BEGIN EXCLUSIVE");
    return onlyOnce(async () => {
      file.exec("ROLLBACK");
      file.close();
    });
  }

  async close(): Promise<void> {
    await this.#gate.close();
  }
}
