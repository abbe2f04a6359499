/**
 * Watches this process's event loop from a worker thread [EN5]. While this engine leads, the loop notes the time every
 * few milliseconds in shared memory; the thread looks at it. A follower's loop notes nothing.
 *
 * The thread and the loop agree by one atomic word. Once the thread has offered the role, `gaveAway` is true, and the loop
 * does nothing as leader when it wakes, whatever it was about to do.
 */
import type { KeyObject } from "node:crypto";
import { Worker } from "node:worker_threads";
import type { Label } from "../../core/ids.ts";
import type { Logger } from "../../ports/basics.ts";
import type { PeerHello } from "../../ports/peer-channel.ts";
import type { StallOutcome, StallWatch } from "../../ports/stall-watch.ts";
import { ARMED, BEAT_MS, GIVEN, RESTING, SharedLoop } from "./shared-loop.ts";

export interface WorkerStallWatchInit {
  readonly pair: string;
  readonly label: Label;
  /** How long the loop may stand still, ms. */
  readonly stallMs: number;
  /** How often a busy loop is vouched for before that; null: its lease does not run out so soon. */
  readonly vouchEveryMs: number | null;
  /** Every known address of the peer: `ws:` or `wss:`. */
  readonly peerUrls: readonly string[];
  /** The peer's token; null in open mode. */
  readonly token: string | null;
  /** Authorities of the peer's certificate, PEM; left out: the system's. */
  readonly ca?: string;
}

/** What the thread is given. */
export interface WatchTask extends WorkerStallWatchInit, Omit<PeerHello, "version"> {
  readonly buffer: SharedArrayBuffer;
  readonly key: KeyObject;
  readonly beatMs: number;
}

/** The thread's program beside this file, in source and in build. */
const PROGRAM = new URL(import.meta.url.endsWith(".ts") ? "./stall-worker.ts" : "./stall-worker.js", import.meta.url);
/** The thread needs little; what it has is freed when the process dies, before its sockets close. */
const LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 };

export class WorkerStallWatch implements StallWatch {
  readonly #logger: Logger;
  readonly #key: KeyObject;
  readonly #init: WorkerStallWatchInit;
  readonly #loop = new SharedLoop();
  #worker: Worker | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(components: { readonly logger: Logger; readonly key: KeyObject }, init: WorkerStallWatchInit) {
    this.#logger = components.logger;
    this.#key = components.key;
    this.#init = init;
  }

  open({ engineId, incarnation }: PeerHello, onOutcome: (outcome: StallOutcome) => void): void {
    const own = { engineId, incarnation, buffer: this.#loop.buffer, key: this.#key, beatMs: BEAT_MS };
    const task: WatchTask = { ...this.#init, ...own };
    const worker = new Worker(PROGRAM, { workerData: task, resourceLimits: LIMITS });
    this.#worker = worker;
    worker.unref();
    worker.on("message", (outcome: StallOutcome) => onOutcome(outcome));
    // Without the watch a stalled leader is replaced when its lease runs out, as if it were frozen.
    worker.on("error", (err) => this.#logger.error({ err }, "nothing watches the event loop any more"));
  }

  lead(leadership: { readonly epoch: number; readonly n: number }): void {
    if (this.#worker === null || this.gaveAway) return;
    if (this.#loop.state === ARMED && !this.#loop.change(ARMED, RESTING)) return;
    this.#loop.describe(leadership);
    this.#loop.beat();
    this.#loop.state = ARMED;
    this.#timer ??= setInterval(() => this.#loop.beat(), BEAT_MS).unref();
  }

  rest(): void {
    this.#loop.state = RESTING;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  get gaveAway(): boolean {
    return this.#loop.state === GIVEN;
  }

  async close(): Promise<void> {
    this.rest();
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}
