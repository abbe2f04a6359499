/**
 * One real engine process whose peer is not there, in a folder of its own: for tests of what an engine does with other
 * places.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineProcess } from "../../src/cli/demo/processes.ts";
import { freePort } from "./free-port.ts";

export interface LoneEngine {
  readonly url: string;
  readonly folder: string;
  readonly process: EngineProcess;
  /** Everything that it wrote to its log. */
  log(): string;
  close(): Promise<void>;
}

export interface LoneEngineInit {
  readonly pair: string;
  readonly port?: number;
  readonly scheme?: "http" | "https";
  /** Keys that it has beside the necessary ones. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly label?: "a" | "b";
  /** A program that takes the arguments of `changeover engine`. */
  readonly launcher?: string;
  /** Keys of `listen` beside the port. */
  readonly listen?: Readonly<Record<string, unknown>>;
}

/** Starts it and waits until it has said that it is ready. */
export async function startLoneEngine(init: LoneEngineInit): Promise<LoneEngine> {
  const { pair, scheme = "http", label = "a", launcher = "src/cli/main.ts" } = init;
  const folder = mkdtempSync(join(tmpdir(), "changeover-lone-"));
  const port = init.port ?? (await freePort());
  const configFile = join(folder, "a.json");
  const logFile = join(folder, "a.log");
  const config = {
    pair,
    label,
    listen: { port, ...init.listen },
    dataDir: join(folder, "a"),
    peer: { links: [{ name: "red", url: `ws://127.0.0.1:${await freePort()}` }] },
    witness: { kind: "sqlite", file: join(folder, "witness.db") },
    ...init.config,
  };
  writeFileSync(configFile, JSON.stringify(config));
  const url = `${scheme}://127.0.0.1:${port}`;
  const engine = new EngineProcess({ label, url, configFile, logFile, launcher });
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  await engine.start().catch((error: unknown) => {
    remove();
    throw error;
  });
  return {
    url,
    folder,
    process: engine,
    log: () => readFileSync(logFile, "utf8"),
    close: async () => {
      await engine.stop();
      remove();
    },
  };
}
