/**
 * Purpose: the outbox of one engine, joined: the journal that fills it, the pump that empties it, what the peer is told,
 * and what people see of it and do about it.
 * Keeps true: with the sink `nop` it is inert: no row is written, no timer runs.
 */
import { PROGRAMME, SKIPPED, type StackMark } from "../core/control-event.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Label } from "../core/ids.ts";
import type { Op } from "../core/operation.ts";
import type { OutboxSettings } from "../core/settings.ts";
import type { TimerHandle } from "../ports/clock.ts";
import type { FeedSink } from "../ports/feed-sink.ts";
import type { OutboxRow } from "../ports/outbox-store.ts";
import type { Store } from "../ports/store.ts";
import { skippedEvent } from "./events.ts";
import { OutboxJournal } from "./journal.ts";
import { PairMarks } from "./pair-marks.ts";
import { type Batch, Pump, type PumpParts } from "./pump.ts";

/** The slow ticker behind the commits. */
const TICK_MS = 1_000;
/** Ticks after which the peer is told all marks again. */
const TELL_TICKS = 5;
/** Published rows that one tick drops. */
const DROP_LIMIT = 5_000;
/** Dead letters that are listed. */
const DEAD_LISTED = 100;
/** How long an event may wait before a person is told. */
const BEHIND_MS = 30_000;
/** How long the end waits for what is under way. */
const STOP_MS = 1_000;

export interface OutboxInit extends OutboxSettings {
  /** The pair's name: whose the events are. */
  readonly tenantId: string;
}

export type OutboxParts = Omit<PumpParts, "sink" | "replica"> & {
  readonly store: Pick<Store, "replica" | "setJournal">;
  /** null: `nop`. */
  readonly sink: FeedSink | null;
};

/** How the outbox takes part in the pair. */
export interface OutboxJoint {
  mayPublish(): Epoch | null;
  mayWriteBack(epoch: Epoch): boolean;
  /** Through here callers have been answered. */
  answeredSeq(): number;
  leads(): boolean;
  tellPeer(marks: readonly StackMark[]): void;
  published(batch: Batch): void;
  alarm(code: "outbox-dead-letter" | "outbox-behind" | "store-failed", raised: boolean, detail: string): void;
}

/** One event that waits for a person. */
export type DeadLetter = Pick<OutboxRow, "attempts" | "reason" | "addedAtUnixMs"> & {
  readonly eventId: string;
  readonly eventType: string;
  readonly stackId: string;
  readonly version: number;
};

/** `GET /api/outbox`. */
export interface OutboxStatus {
  readonly sink: string;
  /** `resting` on a follower. */
  readonly pump: string;
  /** Events that wait, dead letters included. */
  readonly depth: number;
  readonly oldest: { readonly eventId: string; readonly stackId: string; readonly ageMs: number } | null;
  readonly dead: number;
  /** The oldest of them. */
  readonly deadLetters: readonly DeadLetter[];
  /** Since start: events published, among them doubles, and attempts that failed. */
  readonly published: number;
  readonly duplicates: number;
  readonly failedAttempts: number;
}

export type OutboxAction =
  | { readonly outcome: "done"; readonly eventId: string; readonly stackId: string }
  | { readonly outcome: "not-found" | "already-published" | "not-dead" }
  | { readonly outcome: "not-leader"; readonly leader: Label | null; readonly leaderUrl: string | null };

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #init: OutboxInit;
  readonly #joint: OutboxJoint;
  readonly #pump: Pump | null;
  readonly #marks: PairMarks;
  readonly #journal: OutboxJournal | null;
  #counts = { published: 0, duplicates: 0, failedAttempts: 0 };
  #timer: TimerHandle | null = null;
  #ticks = 0;

  /** Nothing is published before `start()`; changes are journaled from now on. */
  constructor(parts: OutboxParts, init: OutboxInit, joint: OutboxJoint) {
    this.#parts = parts;
    this.#init = init;
    this.#joint = joint;
    const { clock, store, sink } = parts;
    const { replica } = store;
    this.#marks = new PairMarks({ clock, replica, tell: (marks) => joint.tellPeer(marks) });
    this.#pump =
      sink === null
        ? null
        : new Pump({ ...parts, sink, replica }, init, {
            mayPublish: () => joint.mayPublish(),
            mayWriteBack: (epoch) => joint.mayWriteBack(epoch),
            throughVersion: (stackId) => (stackId === PROGRAMME ? joint.answeredSeq() : Number.MAX_SAFE_INTEGER),
            writtenBack: (batch) => this.#writtenBack(batch),
            wrote: (works) => {
              if (!works) joint.alarm("store-failed", true, "the outbox could not be written");
            },
          });
    this.#journal =
      this.#pump === null
        ? null
        : new OutboxJournal({ clock, replica, wrote: (stackId) => this.wake(stackId) }, { tenantId: init.tenantId });
    store.setJournal(this.#journal);
  }

  /** null without a sink: then there is no pump. */
  get machineValue(): string | null {
    return this.#pump?.machineValue ?? null;
  }

  start(): void {
    if (this.#pump !== null) this.#tickLater();
  }

  /** This engine leads, or no longer does. */
  roleMoved(leads: boolean): void {
    if (leads) this.#parts.clock.soon(() => this.#joint.leads() && this.#pump?.lead());
    else this.#pump?.yield();
  }

  /** An operation on a record was kept: part of its transaction. */
  recorded(op: Op): void {
    this.#journal?.recorded(op);
  }

  /** More commands have been answered. */
  answered(): void {
    this.wake(PROGRAMME);
  }

  wake(stackId: string): void {
    if (this.#joint.leads()) this.#pump?.wake(stackId);
  }

  /** The leader's word on what it has published. */
  takeMarks(marks: readonly StackMark[]): void {
    if (this.#pump !== null && !this.#joint.leads()) this.#marks.take(marks);
  }

  status(): OutboxStatus {
    const { clock, store } = this.#parts;
    const { waiting, dead, oldest } = store.replica.outbox.depth();
    const letters = dead === 0 ? [] : store.replica.outbox.deadLetters(DEAD_LISTED);
    return {
      sink: this.#init.sink,
      pump: this.machineValue ?? "resting",
      depth: waiting,
      oldest: oldest && {
        eventId: oldest.event.eventId,
        stackId: oldest.event.stackId,
        ageMs: Math.max(0, Math.round(clock.unixMs() - oldest.addedAtUnixMs)),
      },
      dead,
      deadLetters: letters.map(toDeadLetter),
      ...this.#counts,
    };
  }

  /** Tries one that waits again at once, as if it had never failed. */
  retry(eventId: string): Exclude<OutboxAction, { outcome: "not-leader" }> {
    const row = this.#waiting(eventId);
    if ("outcome" in row) return row;
    this.#parts.store.replica.outbox.noteFailure(eventId, { attempts: 0, dead: false, reason: "" });
    return this.#tried(row);
  }

  /** Gives a dead letter up: an event that changes nothing goes out in its place; when not even that does, nothing. */
  skip(eventId: string, by: string): Exclude<OutboxAction, { outcome: "not-leader" }> {
    const row = this.#waiting(eventId);
    if ("outcome" in row) return row;
    if (!row.dead) return { outcome: "not-dead" };
    const { outbox } = this.#parts.store.replica;
    if (row.event.eventType === SKIPPED) outbox.drop(eventId);
    else outbox.replace(skippedEvent(row.event, by));
    this.#parts.logger.warn({ eventId, eventType: row.event.eventType, by }, "a dead letter was skipped");
    return this.#tried(row);
  }

  /** Lets what is under way end, for a bounded time; begins nothing new. */
  async finish(): Promise<void> {
    const pump = this.#pump;
    if (pump === null) return;
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.setTimeout(resolve, STOP_MS);
      void pump.stop().then(() => {
        this.#parts.clock.clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Ends everything at once. Idempotent. */
  stop(): void {
    if (this.#timer !== null) this.#parts.clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#pump?.close();
  }

  #waiting(eventId: string): OutboxRow | { readonly outcome: "not-found" | "already-published" } {
    const row = this.#parts.store.replica.outbox.find(eventId);
    if (row === null) return { outcome: "not-found" };
    return row.publishedAtUnixMs === null ? row : { outcome: "already-published" };
  }

  #tried({ event }: OutboxRow): { readonly outcome: "done"; readonly eventId: string; readonly stackId: string } {
    this.#tellDead();
    this.#pump?.retry(event.stackId);
    return { outcome: "done", eventId: event.eventId, stackId: event.stackId };
  }

  #writtenBack(batch: Batch): void {
    const { published, duplicates, failedAttempts } = this.#counts;
    this.#counts = {
      published: published + batch.published,
      duplicates: duplicates + batch.duplicates,
      failedAttempts: failedAttempts + (batch.failure === null ? 0 : 1),
    };
    if (batch.published > 0) this.#marks.published(batch.stackId);
    if (batch.failure !== null) this.#tellDead();
    this.#joint.published(batch);
  }

  #tellDead(): void {
    const [letter] = this.#parts.store.replica.outbox.deadLetters(1);
    const detail =
      letter === undefined ? "" : `${letter.event.eventId} in ${letter.event.stackId} is not taken: ${letter.reason}`;
    this.#joint.alarm("outbox-dead-letter", letter !== undefined, detail);
  }

  #tickLater(): void {
    this.#timer = this.#parts.clock.setTimeout(() => {
      this.#tickLater();
      try {
        this.#tick();
      } catch (error) {
        this.#parts.logger.error({ err: error }, "the outbox could not be looked after");
      }
    }, TICK_MS);
  }

  #tick(): void {
    const { clock, store } = this.#parts;
    this.#ticks += 1;
    const { outbox } = store.replica;
    outbox.dropPublished(clock.unixMs() - this.#init.retentionMs, DROP_LIMIT);
    const leads = this.#joint.leads();
    if (leads) this.#pump?.look();
    if (leads && this.#ticks % TELL_TICKS === 0) this.#marks.tellAgain();
    const { oldest } = outbox.depth();
    const ageMs = oldest === null ? 0 : clock.unixMs() - oldest.addedAtUnixMs;
    const isBehind = leads && ageMs > BEHIND_MS;
    this.#joint.alarm("outbox-behind", isBehind, isBehind ? `${oldest?.event.eventId} has waited for long` : "");
    if (!leads) this.#joint.alarm("outbox-dead-letter", false, "");
    else if (this.#ticks % TELL_TICKS === 0) this.#tellDead();
  }
}

function toDeadLetter({ event, attempts, reason, addedAtUnixMs }: OutboxRow): DeadLetter {
  const { eventId, eventType, stackId, version } = event;
  return { eventId, eventType, stackId, version, attempts, reason, addedAtUnixMs };
}
