/**
 * An engine that embeds Changeover around the reference switcher, and whose hooks go wrong as a file says:
 * `node faulty-engine-process.ts engine -c FILE`. The file is `fault.json` beside the configuration:
 * `{"hook": "execute", "gives": "nothing"}`; without the file every hook is as it should be. The reads
 * `/block/busy/MS` and `/block/asleep/MS` hold the event loop for so long, with the core or without it.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import closeWithGrace from "close-with-grace";
import { SystemClock } from "../../src/adapters/basics.ts";
import { loadConfig } from "../../src/config/load.ts";
import { startHost } from "../../src/host/start-host.ts";
import type { Engine } from "../../src/ports/engine.ts";
import { ReferenceEngine } from "../../src/reference-engine/reference-engine.ts";

const configFile = process.argv.at(-1) ?? "";
const faultFile = join(dirname(configFile), "fault.json");

function fault(): { readonly hook: string; readonly gives: string } | null {
  try {
    return JSON.parse(readFileSync(faultFile, "utf8")) as { hook: string; gives: string };
  } catch {
    return null;
  }
}

function cycle(): object {
  const value: Record<string, unknown> = { name: "cycle" };
  value["self"] = value;
  return value;
}

const GIVES: Readonly<Record<string, () => unknown>> = {
  throws: () => {
    throw new TypeError("the hook is broken");
  },
  nothing: () => undefined,
  number: () => 42,
  promise: () => Promise.reject(new Error("late and wrong")),
  never: () => new Promise(() => undefined),
  nan: () => ({ level: Number.NaN }),
  cycle,
  bigint: () => ({ count: 1n }),
  map: () => ({ sources: new Map() }),
};

/** Holds the event loop, as a hook may that computes for long or waits for a disk. */
function block(how: string, ms: number): object {
  const endMs = performance.now() + ms;
  if (how === "asleep") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  while (performance.now() < endMs);
  return { status: 200, body: {} };
}

const reference = new ReferenceEngine({ clock: new SystemClock() });
const engine = new Proxy<Engine>(reference, {
  get: (target, name) => {
    const value = Reflect.get(target, name) as unknown;
    if (typeof value !== "function") return value;
    return (...args: unknown[]): unknown => {
      const [, how = "", ms = ""] =
        name === "read" ? (/^\/block\/(busy|asleep)\/(\d+)$/.exec(String(args[0])) ?? []) : [];
      if (how !== "") return block(how, Number(ms));
      const now = fault();
      const wrong = now !== null && now.hook === name ? GIVES[now.gives] : undefined;
      return wrong === undefined ? (value as (...given: unknown[]) => unknown).apply(target, args) : wrong();
    };
  },
});

const host = await startHost(loadConfig(configFile, process.env), { engine });
closeWithGrace({ logger: false }, async () => host.close());
process.stdout.write("ready\n");
