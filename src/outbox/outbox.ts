/**
 * The outbox of one engine, joined: the journal that fills it, the pump that empties it, what the peer is told,
 * and what people see of it and do about it.
 * Keeps true: with the sink `nop` it is inert: no row is written, no timer runs.
 */
import { PROGRAMME, SKIPPED, type StackMark } from "../core/control-event.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Label } from "../core/ids.ts";
import type { Op } from "../core/operation.ts";
import type { OutboxSettings } from "../core/settings.ts";
import type { TimerHandle } from "../ports/basics.ts";
import type { FeedSink } from "../ports/feed-sink.ts";
import type { OutboxRow } from "../ports/replica.ts";
import type { Store } from "../ports/store.ts";
import { skippedEvent } from "./events.ts";
import { OutboxJournal } from "./journal.ts";
import { PairMarks } from "./pair-marks.ts";
import { FeedPlace } from "./feed-place.ts";
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
const BEHIND_MS = 10_000;
/** How long the end waits for what is under way. */
const STOP_MS = 1_000;

/** Set while everything is published again, to who asked for it. */
const RESYNC_KEY = "outbox:resync";

export interface OutboxInit extends OutboxSettings {
  /** The pair's name: whose the events are. */
  readonly tenantId: string;
}

export type OutboxParts = Omit<PumpParts, "sink" | "replica"> & {
  readonly store: Pick<Store, "replica" | "setJournal" | "commandsAfter" | "leadership" | "conflicts">;
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
  tellPeer(marks: readonly StackMark[], feedId: string | null): void;
  published(batch: Batch): void;
  alarm(
    code: "outbox-dead-letter" | "outbox-behind" | "feed-lost" | "store-failed",
    raised: boolean,
    detail: string,
  ): void;
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

export type ResyncOutcome =
  | { readonly outcome: "resyncing" }
  | { readonly outcome: "no-sink" }
  | Extract<OutboxAction, { outcome: "not-leader" }>;

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #init: OutboxInit;
  readonly #joint: OutboxJoint;
  readonly #pump: Pump | null;
  readonly #marks: PairMarks;
  readonly #journal: OutboxJournal | null;
  #counts = { published: 0, duplicates: 0, failedAttempts: 0 };
  /** How the last batch failed; null: it did not. */
  #lastFailure: Batch["failure"] = null;
  #timer: TimerHandle | null = null;
  #ticks = 0;
  #resyncing = false;
  /** Stopped: what was begun a moment ago finds no store any more. */
  #stopped = false;

  /** Nothing is published before `start()`; changes are journaled from now on. */
  constructor(parts: OutboxParts, init: OutboxInit, joint: OutboxJoint) {
    this.#parts = parts;
    this.#init = init;
    this.#joint = joint;
    const { clock, store, sink } = parts;
    const { replica } = store;
    this.#marks = new PairMarks({ clock, replica, tell: (marks, feedId) => joint.tellPeer(marks, feedId) });
    this.#pump =
      sink === null
        ? null
        : new Pump({ ...parts, sink, replica }, init, {
            mayPublish: () => (this.#resyncing ? null : joint.mayPublish()),
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
    if (!leads) return this.#pump?.yield();
    this.#parts.clock.soon(() => {
      if (this.#stopped || !this.#joint.leads() || this.#pump === null) return;
      // A resync that a crash interrupted begins again.
      const wasInterrupted = this.#parts.store.replica.peerState.get(RESYNC_KEY) !== null;
      this.#pump.lead();
      if (wasInterrupted) this.#resync();
    });
  }

  /**
   * Publishes everything that this engine still holds again, from the beginning, into whichever feed the sink finds; then
   * goes on. What stands in the feed already keeps its place. Events are added in small steps, and none is published
   * before all are there, so that every stack keeps its order.
   */
  resync(by: string): { readonly outcome: "resyncing" } | { readonly outcome: "no-sink" } {
    if (this.#pump === null) return { outcome: "no-sink" };
    this.#parts.logger.warn({ by }, "the whole feed is published again");
    this.#parts.store.replica.peerState.set(RESYNC_KEY, by);
    this.#resync();
    return { outcome: "resyncing" };
  }

  #resync(): void {
    const journal = this.#journal;
    if (this.#resyncing || journal === null) return;
    this.#resyncing = true;
    const { clock, store, logger } = this.#parts;
    const steps = journal.everything(store);
    const step = (): void => {
      if (this.#stopped || !this.#joint.leads()) {
        this.#resyncing = false;
        return;
      }
      try {
        const { done } = store.replica.transaction(() => steps.next());
        if (done !== true) return clock.soon(step);
        store.replica.transaction(() => {
          new FeedPlace(store.replica).forget();
          store.replica.peerState.delete(RESYNC_KEY);
        });
      } catch (error) {
        logger.error({ err: error }, "the resync of the feed failed; it begins again when this engine leads next");
      }
      this.#resyncing = false;
      this.#pump?.retryAll();
    };
    store.replica.transaction(() => store.replica.outbox.rewind(PROGRAMME));
    step();
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
  takeMarks(marks: readonly StackMark[], feedId: string | null): void {
    if (this.#pump !== null && !this.#joint.leads()) this.#marks.take(marks, feedId);
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
    this.#stopped = true;
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
    this.#lastFailure = batch.failure;
    const isLost = batch.failure?.reason === "lost";
    if (isLost || batch.published > 0) this.#joint.alarm("feed-lost", isLost, isLost ? wordsOf(batch.failure) : "");
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
    const why = wordsOf(this.#lastFailure);
    const detail = `${oldest?.event.eventId} in ${oldest?.event.stackId} has waited for more than ${BEHIND_MS / 1_000} s: ${why}`;
    this.#joint.alarm("outbox-behind", isBehind, isBehind ? detail : "");
    if (!leads) this.#joint.alarm("feed-lost", false, "");
    if (!leads) this.#joint.alarm("outbox-dead-letter", false, "");
    else if (this.#ticks % TELL_TICKS === 0) this.#tellDead();
  }
}

/** Why a batch failed, in words that a person can act on. */
function wordsOf(failure: Batch["failure"]): string {
  if (failure === null) return "the sink has not answered yet";
  const { reason, error } = failure;
  return `${reason} (${error instanceof Error ? error.message : String(error)})`.slice(0, 500);
}

function toDeadLetter({ event, attempts, reason, addedAtUnixMs }: OutboxRow): DeadLetter {
  const { eventId, eventType, stackId, version } = event;
  return { eventId, eventType, stackId, version, attempts, reason, addedAtUnixMs };
}
