/**
 * A Node program of a benchmark's own: started, read line by line, killed by its process id.
 * Keeps true: none outlives the benchmark.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";

const STOP_WITHIN_MS = 10_000;
const NS_PER_MS = 1_000_000;

export class Child {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  readonly #end = (): void => void this.#child.kill("SIGKILL");

  /** @param args program and arguments for Node; its standard error is this process's own */
  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [...process.execArgv, ...args], { stdio: ["pipe", "pipe", "inherit"] });
    this.pid = this.#child.pid ?? 0;
    if (this.#child.stdout === null) throw new Error("a child without output");
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
    process.once("exit", this.#end);
    this.#child.once("exit", () => process.off("exit", this.#end));
  }

  /** The next line that it prints. */
  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error("a child of the benchmark ended without a word");
    return next.value;
  }

  /** The next line, which is JSON. */
  async json<T>(): Promise<T> {
    return JSON.parse(await this.line()) as T;
  }

  /** Writes a line to its standard input. */
  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Sends a signal and does not wait. */
  signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGTERM"): void {
    this.#child.kill(name);
  }

  async gone(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.gone();
  }

  /** Asks it to stop cleanly, and kills it when that takes too long. */
  async stop(): Promise<void> {
    this.signal("SIGCONT");
    this.signal("SIGTERM");
    const tooLong = setTimeout(this.#end, STOP_WITHIN_MS);
    await this.gone();
    clearTimeout(tooLong);
  }

  /** Processor time of all its threads so far, ms. Linux counts it in ns. */
  cpuMs(): number {
    const tasks = readdirSync(`/proc/${this.pid}/task`);
    const ns = tasks.map((task) =>
      Number(readFileSync(`/proc/${this.pid}/task/${task}/schedstat`, "utf8").split(" ")[0]),
    );
    return ns.reduce((sum, one) => sum + one, 0) / NS_PER_MS;
  }
}
