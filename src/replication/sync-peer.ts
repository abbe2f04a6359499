/**
 * Keeps one other place in step: binds `sync-peer` to an exchange and to the clock.
 * Keeps true: one exchange at a time; it never polls faster than its interval; after a failure the wait doubles, with
 * jitter, up to a bound. Whatever the other side does, nothing here throws.
 */
import type { Actor } from "xstate";
import { syncPeerMachine } from "../../machines/sync-peer.machine.ts";
import { startMachine } from "../actors/start-machine.ts";
import { backoffMs } from "../core/failure-detector.ts";
import type { TimerHandle } from "../ports/basics.ts";
import type { Exchange, Failure, Progress, Step } from "./exchange.ts";
import type { PeerHost } from "./parts.ts";

export interface SyncPeerInit {
  readonly name: string;
  readonly intervalMs: number;
  /** Whether it is also given what this engine has. */
  readonly pushes: boolean;
}

/** How an exchange ended. */
export type Exchanged =
  | { readonly outcome: "done"; readonly progress: Progress }
  | ({ readonly outcome: "failed"; readonly progress: Progress } & Failure);

export interface SyncPeerHooks {
  /** After every page. */
  progress?(progress: Progress): void;
  /** After every exchange. */
  exchanged?(result: Exchanged): void;
}

/** The longest wait between two tries. */
const MAX_BACKOFF_MS = 300_000;
/** Part of the interval that chance adds to it, so that many peers do not stay in step with each other. */
const SPREAD = 0.1;

export class SyncPeer {
  readonly #host: PeerHost;
  readonly #exchange: Exchange;
  readonly #hooks: SyncPeerHooks;
  readonly #init: SyncPeerInit;
  readonly #machine: Actor<typeof syncPeerMachine>;
  #timer: TimerHandle | null = null;
  #failures = 0;
  /** Rises when what is under way no longer counts. */
  #run = 0;
  #stopped = false;
  #waiting: ((result: Exchanged) => void)[] = [];

  constructor(
    parts: {
      readonly host: PeerHost;
      readonly exchange: Exchange;
      readonly hooks?: SyncPeerHooks;
    },
    init: SyncPeerInit,
  ) {
    this.#host = parts.host;
    this.#exchange = parts.exchange;
    this.#hooks = parts.hooks ?? {};
    this.#init = init;
    this.#machine = startMachine(
      parts.host,
      syncPeerMachine.provide({
        actions: {
          identify: () => this.#step(() => this.#exchange.identify(), "IDENTIFIED"),
          pull: () => this.#step(() => this.#exchange.pullPage(), "FINISHED"),
          push: () => this.#step(() => this.#push(), "FINISHED"),
          backOff: () => this.#wake(this.#backoffMs()),
          callPerson: () => this.#rest(),
          breakOff: () => this.#breakOff(),
        },
      }),
      undefined,
      init.name,
    );
  }

  get machineValue(): string {
    return this.#machine.getSnapshot().value;
  }

  get name(): string {
    return this.#init.name;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Begins with an exchange at once, then one in every interval. */
  start(): void {
    this.#machine.send({ type: "DUE" });
  }

  /** An exchange now, or the one that is under way; how it ended. */
  exchangeNow(): Promise<Exchanged> {
    if (this.#stopped || this.machineValue === "paused" || this.machineValue === "refused") {
      return Promise.resolve(this.#brokenOff(`it is ${this.#stopped ? "stopped" : this.machineValue}`));
    }
    return new Promise((settle) => {
      this.#waiting.push(settle);
      this.#machine.send({ type: "DUE" });
    });
  }

  pause(): void {
    this.#rest();
    this.#machine.send({ type: "PAUSE" });
  }

  resume(): void {
    this.#machine.send({ type: "RESUME" });
  }

  /** A person has looked: the one that answers there now may be trusted again. */
  reset(): void {
    this.#failures = 0;
    this.#machine.send({ type: "RESET" });
  }

  /** Idempotent. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#breakOff();
    this.#rest();
    this.#machine.stop();
  }

  async #push(): Promise<Step> {
    return this.#init.pushes ? this.#exchange.pushPage() : { outcome: "done" };
  }

  /** Runs one step of the exchange, and tells the machine how it ended, unless it was broken off meanwhile. */
  #step(work: () => Promise<Step>, done: "IDENTIFIED" | "FINISHED"): void {
    this.#rest();
    const run = this.#run;
    void work()
      .catch((error: unknown): Step => ({ outcome: "failed", reason: "other", error, op: null, traceId: null }))
      .then((step) => {
        if (run !== this.#run || this.#stopped) return;
        if (step.outcome === "failed") return this.#fail(step);
        if (done === "FINISHED") this.#hooks.progress?.(this.#exchange.progress);
        if (step.outcome === "more") return this.#machine.send({ type: "MORE" });
        this.#machine.send({ type: done });
        if (this.machineValue === "idle") this.#succeed();
      });
  }

  #succeed(): void {
    this.#failures = 0;
    this.#wake(this.#init.intervalMs * (1 + SPREAD * this.#host.random.next()));
    this.#end({ outcome: "done", progress: this.#exchange.progress });
  }

  #fail(failure: Failure): void {
    const { reason, error } = failure;
    this.#failures += 1;
    const { name } = this.#init;
    this.#host.logger.warn({ peer: name, reason, failures: this.#failures, err: error }, "an exchange failed");
    this.#machine.send(reason === "identity_mismatch" ? { type: "MISMATCHED" } : { type: "FAILED", reason });
    this.#end({ ...failure, outcome: "failed", progress: this.#exchange.progress });
  }

  /** Nobody failed: it was not tried to its end. */
  #brokenOff(error: string): Exchanged {
    const { progress } = this.#exchange;
    return { outcome: "failed", reason: "other", error, op: null, traceId: null, progress };
  }

  #end(result: Exchanged): void {
    this.#hooks.exchanged?.(result);
    for (const settle of this.#waiting.splice(0)) settle(result);
  }

  #breakOff(): void {
    this.#run += 1;
    const result = this.#brokenOff("broken off");
    for (const settle of this.#waiting.splice(0)) settle(result);
  }

  /** The interval, and on top of it what the failures so far cost. */
  #backoffMs(): number {
    const { intervalMs } = this.#init;
    const bounds = { baseMs: intervalMs * 2, capMs: MAX_BACKOFF_MS };
    const attempt = Math.max(0, this.#failures - 1);
    return Math.max(intervalMs, backoffMs(attempt, this.#host.random.next(), bounds));
  }

  #wake(afterMs: number): void {
    this.#rest();
    this.#timer = this.#host.ports.clock.setTimeout(() => {
      this.#timer = null;
      this.#machine.send({ type: "DUE" });
    }, afterMs);
  }

  #rest(): void {
    if (this.#timer !== null) this.#host.ports.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
