/** The Python engine of `examples/http-engine`, one beside each coordinator of a real pair, to be killed and started anew. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { requireServer } from "./servers.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/http-engine/engine.py", import.meta.url));

export class PythonEngine {
  readonly port: number;
  #child: ChildProcess | null = null;

  constructor(port: number) {
    this.port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const args = [EXAMPLE, "--port", String(this.port)];
    const child = spawn(requireServer("python3"), args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    await once(createInterface({ input: child.stdout }), "line");
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async state(): Promise<{ program: string; seq: number }> {
    return (await (await fetch(`${this.url}/snapshot`)).json()) as { program: string; seq: number };
  }
}
