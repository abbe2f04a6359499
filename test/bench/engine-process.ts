/**
 * An engine that embeds Changeover, as a process of its own: `node engine-process.ts CONFIG TRAITS`. It takes every
 * command, notes when it executed it, and tells so on `GET /engine/instants`; `/engine/heartbeats` tells the longest
 * time between two heartbeats of the peer since it was last asked; `/engine/block/MS` holds the event loop.
 */
import { readFileSync } from "node:fs";
import { loadConfig } from "../../src/config/load.ts";
import type { Json } from "../../src/core/canonical-json.ts";
import type { Command } from "../../src/core/command.ts";
import { startHost } from "../../src/host/start-host.ts";
import type { EngineRead, ExecuteOutcome } from "../../src/ports/engine.ts";
import type { EngineTraits } from "./engine-traits.ts";
import { sampleState } from "./sample-state.ts";
import { TakesAll } from "./takes-all.ts";

const MIB = 1_048_576;
const MAX_INSTANTS = 20_000;
/** Between two hold-ups of the loop, on average, ms. */
const STALL_EVERY_MS = 700;
const LOOK_EVERY_MS = 1;
/** Whoever waits for it sleeps. */
const NOBODY = new Int32Array(new SharedArrayBuffer(4));

const [configFile = "", traitsFile = ""] = process.argv.slice(2);
const traits = JSON.parse(readFileSync(traitsFile, "utf8")) as EngineTraits;

class RecordingEngine extends TakesAll {
  #ballast: Json;
  #lastSeq = 0;
  /** [seq, instant on the machine's monotonic clock in ms], which all processes of a machine share. */
  readonly #instants: [number, number][] = [];
  /** Set once the coordinator runs. */
  heartbeats: () => number = () => 0;

  constructor(stateMB: number) {
    super();
    this.#ballast = stateMB > 0 ? sampleState(stateMB) : null;
  }

  override execute(command: Command): ExecuteOutcome {
    if (command.seq > this.#lastSeq && this.#instants.length < MAX_INSTANTS) {
      this.#instants.push([command.seq, Number(process.hrtime.bigint()) / 1e6]);
    }
    this.#lastSeq = command.seq;
    return super.execute(command);
  }

  /** Without ballast it is the state of any engine that takes all, which may be the other one of its pair. */
  override snapshot(): Json {
    return { ...(this.#ballast === null ? {} : { ballast: this.#ballast }), seq: this.#lastSeq };
  }

  override restore(state: Json): void {
    const { ballast, seq } = state as { readonly ballast?: Json; readonly seq: number };
    this.#ballast = ballast ?? null;
    this.#lastSeq = seq;
  }

  override read(path: string): EngineRead {
    const [, blockedMs] = /^\/block\/(\d+)$/.exec(path) ?? [];
    // Asleep: a busy machine would take the core away from a loop that computes.
    if (blockedMs !== undefined) Atomics.wait(NOBODY, 0, 0, Number(blockedMs));
    if (path === "/instants") return { status: 200, body: this.#instants };
    return { status: 200, body: path === "/heartbeats" ? { longestGapMs: this.heartbeats() } : {} };
  }
}

/** Watches how far apart the peer's heartbeats come, from now on; each call tells the longest gap since the last one. */
function watchHeartbeats(received: () => number): () => number {
  let count = received();
  let lastMs = performance.now();
  let longestMs = 0;
  setInterval(() => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - lastMs);
    if (received() === count) return;
    count = received();
    lastMs = now;
  }, LOOK_EVERY_MS);
  return () => {
    const told = longestMs;
    longestMs = 0;
    return told;
  };
}

function holdLoop(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

function stallNowAndThen(stallMs: number): void {
  holdLoop(stallMs);
  setTimeout(() => stallNowAndThen(stallMs), 2 * STALL_EVERY_MS * Math.random());
}

const ballast = Buffer.alloc((traits.ballastMiB ?? 0) * MIB, 1);
const engine = new RecordingEngine(traits.stateMB ?? 0);
const host = await startHost(loadConfig(configFile, {}), { engine });
if (traits.stateMB !== undefined)
  engine.heartbeats = watchHeartbeats(() => host.coordinator.counters().heartbeatsReceived);
if (traits.stallMs !== undefined) stallNowAndThen(traits.stallMs);
console.log(`ready at ${host.url}, ${ballast.length} bytes held`);
process.once("SIGTERM", () => void host.close().then(() => process.exit(0)));
