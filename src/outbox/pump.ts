/**
 * Publishes what waits in the outbox while this engine leads. Binds `outbox-pump`.
 * Keeps true: first in, first out in every stack; a head that fails blocks its stack only; whether this engine may
 * publish is asked at every batch [VT5], and what a batch came to is written back only in the epoch it was sent in. No
 * failure ends the pump, and nobody waits for a sink.
 * Does not know: what the events tell (`journal.ts`).
 */
import { outboxPumpMachine } from "../../machines/outbox-pump.machine.ts";
import type { MachineHost } from "../actors/kit.ts";
import { startMachine } from "../actors/start-machine.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Clock, Logger, Random } from "../ports/basics.ts";
import type { FeedSink, PublishFailure, PublishResult } from "../ports/feed-sink.ts";
import type { OutboxRow, Replica } from "../ports/replica.ts";
import { FeedPlace } from "./feed-place.ts";
import { Rests } from "./rests.ts";

/** Stacks that are published at once. */
const PARALLEL_STACKS = 8;
/** Events and bytes of one batch. */
const BATCH_EVENTS = 512;
const BATCH_BYTES = 1_048_576;
/** Stacks that are held in mind; the slow ticker finds the others. */
const MAX_STACKS = 10_000;

export interface PumpParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly sink: FeedSink;
  readonly replica: Pick<Replica, "outbox" | "peerState" | "transaction">;
  /** What the statechart runs on. */
  readonly host: MachineHost;
}

/** What a batch came to, once it has been written back. */
export interface Batch {
  readonly stackId: string;
  readonly published: number;
  readonly duplicates: number;
  /** From the commit of the first of them to now. */
  readonly latencyMs: number;
  readonly failure: PublishResult["failure"];
}

export interface PumpDeps {
  /** The epoch in which this engine may publish at this very moment; null: it may not [VT5]. */
  mayPublish(): Epoch | null;
  /** Whether what was published in `epoch` may be written back now. */
  mayWriteBack(epoch: Epoch): boolean;
  /** Through which version of a stack others may be told. */
  throughVersion(stackId: string): number;
  writtenBack(batch: Batch): void;
  /** Whether the outbox could be written. */
  wrote(works: boolean): void;
}

export class Pump {
  readonly #parts: PumpParts;
  readonly #deps: PumpDeps;
  readonly #maxAttempts: number;
  readonly #machine;
  readonly #rests: Rests;
  readonly #place: FeedPlace;
  /** Stacks to look at, in turn. */
  readonly #ready = new Set<string>();
  readonly #flying = new Set<string>();
  /** Rises when what is under way no longer counts. */
  #run = 0;
  #waking = false;
  #cursor = "";
  #landed: (() => void)[] = [];

  constructor(parts: PumpParts, init: { readonly maxAttempts: number }, deps: PumpDeps) {
    this.#parts = parts;
    this.#deps = deps;
    this.#maxAttempts = init.maxAttempts;
    this.#rests = new Rests(parts, (stackId) => this.#due(stackId));
    this.#place = new FeedPlace(parts.replica);
    this.#machine = startMachine(
      parts.host,
      outboxPumpMachine.provide({
        actions: {
          drain: () => this.#fill(),
          breakOff: () => this.#breakOff(),
          finish: () => this.#finish(),
        },
      }),
    );
  }

  get machineValue(): string {
    return this.#machine.getSnapshot().value;
  }

  /** This engine leads: what waits is published, beginning now. */
  lead(): void {
    this.look();
    this.#machine.send({ type: "LEAD" });
  }

  yield(): void {
    this.#machine.send({ type: "YIELD" });
  }

  /** Something may wait in this stack. */
  wake(stackId: string): void {
    if (this.#ready.size < MAX_STACKS) this.#ready.add(stackId);
    if (this.#waking) return;
    this.#waking = true;
    this.#parts.clock.soon(() => {
      this.#waking = false;
      this.#machine.send({ type: "WAKE" });
    });
  }

  /** Looks for stacks in which something waits: some at every call, all in turn. */
  look(): void {
    const found = this.#guarded(() => this.#parts.replica.outbox.stacksAfter(this.#cursor, 1_000)) ?? [];
    this.#cursor = found.length < 1_000 ? "" : (found.at(-1) ?? "");
    for (const stackId of found) this.wake(stackId);
  }

  /** A person has looked: the stack is tried at once. */
  retry(stackId: string): void {
    this.#rests.wake(stackId);
    this.wake(stackId);
  }

  /** Everything that rests is tried at once. */
  retryAll(): void {
    this.#rests.clear();
    this.look();
  }

  /** Resolves once nothing is under way. Nothing new is begun. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#landed.push(resolve);
      this.#machine.send({ type: "STOP" });
      if (this.machineValue === "resting") this.#breakOff();
    });
  }

  /** Ends at once, whatever is under way. */
  close(): void {
    this.#breakOff();
    this.#machine.stop();
  }

  #fill(): void {
    for (const stackId of this.#ready) {
      if (this.#flying.size >= PARALLEL_STACKS) return;
      this.#ready.delete(stackId);
      if (!this.#flying.has(stackId) && !this.#rests.has(stackId)) this.#launch(stackId);
    }
    if (this.#flying.size === 0) this.#machine.send({ type: this.#rests.size > 0 ? "WAITING" : "DRAINED" });
  }

  #launch(stackId: string): void {
    const epoch = this.#deps.mayPublish();
    if (epoch === null) return;
    const throughVersion = this.#deps.throughVersion(stackId);
    const bounds = { limit: BATCH_EVENTS, maxBytes: BATCH_BYTES, throughVersion };
    const found = this.#guarded(() => ({
      rows: this.#parts.replica.outbox.waiting(stackId, bounds),
      place: { feedId: this.#place.feedId, reached: this.#place.reached },
    }));
    if (found === null) return this.#rests.rest(stackId, "store");
    const { rows, place } = found;
    const [head] = rows;
    if (head === undefined) return;
    if (head.dead && head.reason === "refused") return this.#rests.rest(stackId, "person");
    this.#flying.add(stackId);
    const run = this.#run;
    void this.#parts.sink
      .publish(
        rows.map(({ event }) => event),
        place.feedId,
        place.reached,
      )
      .catch((error: unknown): PublishResult => ({ published: [], failure: { reason: "unavailable", error } }))
      .then((result) => {
        if (run !== this.#run) return;
        this.#flying.delete(stackId);
        if (this.#deps.mayWriteBack(epoch)) this.#writeBack(stackId, rows, result);
        this.#land();
      });
  }

  #writeBack(stackId: string, rows: readonly OutboxRow[], { published, failure, feedId }: PublishResult): void {
    const { replica, clock } = this.#parts;
    const head = failure === null ? undefined : rows[published.length];
    const written = this.#guarded(() =>
      replica.transaction(() => {
        if (published.length > 0) replica.outbox.published(published, clock.unixMs());
        const given = published.map(({ controlVersion }) => controlVersion);
        if (given.length > 0 && feedId !== undefined) this.#place.note(feedId, given);
        if (head !== undefined && failure !== null) this.#noteFailure(head, failure.reason);
        return true;
      }),
    );
    this.#deps.wrote(written !== null);
    if (written === null) return this.#rests.rest(stackId, "store");
    if (failure === null) this.#rests.succeeded(stackId);
    else this.#failed(stackId, head, failure);
    this.wake(stackId);
    const duplicates = published.filter(({ duplicate }) => duplicate).length;
    const latencyMs = clock.unixMs() - (rows[0]?.addedAtUnixMs ?? 0);
    this.#deps.writtenBack({ stackId, published: published.length, duplicates, latencyMs, failure });
  }

  /** That another was faster, or that the feed was started over, is no fault of the event. */
  #noteFailure({ event, attempts }: OutboxRow, reason: PublishFailure["reason"]): void {
    if (reason === "overtaken" || reason === "lost") return;
    const tried = attempts + 1;
    const note = { attempts: tried, dead: tried >= this.#maxAttempts, reason };
    this.#parts.replica.outbox.noteFailure(event.eventId, note);
  }

  #failed(stackId: string, head: OutboxRow | undefined, failure: NonNullable<PublishResult["failure"]>): void {
    const { reason, error } = failure;
    this.#rests.rest(stackId, reason);
    const { eventId } = head?.event ?? { eventId: null };
    this.#parts.logger.warn({ err: error, stackId, eventId, reason }, "an event could not be published");
  }

  #land(): void {
    switch (this.machineValue) {
      case "draining":
        return this.#fill();
      case "finishing":
        return this.#finish();
    }
  }

  #finish(): void {
    if (this.#flying.size === 0) this.#machine.send({ type: "LANDED" });
  }

  #due(stackId: string): void {
    if (this.#ready.size < MAX_STACKS) this.#ready.add(stackId);
    this.#machine.send({ type: "DUE" });
  }

  #breakOff(): void {
    this.#run += 1;
    this.#flying.clear();
    this.#rests.clear();
    for (const resolve of this.#landed.splice(0)) resolve();
  }

  /** What `work` gives; null: the store refuses. */
  #guarded<Result>(work: () => Result): Result | null {
    try {
      return work();
    } catch (error) {
      this.#parts.logger.error({ err: error }, "the outbox could not be read or written");
      return null;
    }
  }
}
