/**
 * Writes the event of every change in the change's own transaction.
 * Keeps true: nothing that was accepted is without its event, and nothing that was refused has one; what an adopted log
 * takes back, and was not published yet, goes with it.
 */
import type { Command, Conflict, LogPosition } from "../core/command.ts";
import { type ControlEvent, PROGRAMME } from "../core/control-event.ts";
import type { Op } from "../core/operation.ts";
import type { Clock } from "../ports/basics.ts";
import type { AdoptedAt, AdoptedLog, BegunLeadership, Journal } from "../ports/journal.ts";
import type { Replica } from "../ports/replica.ts";
import type { Store } from "../ports/store.ts";
import type { VectorClock } from "../core/vector-clock.ts";
import { appendOutbox } from "./append.ts";
import { commandEvent, conflictEvent, leadershipEvent, recordEvent } from "./events.ts";

/** Events and bytes of payload of one step of a resync; leaderships and conflicts that it tells. */
const STEP_EVENTS = 200;
const STEP_BYTES = 262_144;
const MAX_TOLD = 1_000;

export interface OutboxJournalParts {
  readonly clock: Pick<Clock, "unixMs">;
  readonly replica: Pick<Replica, "outbox">;
  /** Something was written in this stack; its transaction may still be undone. */
  wrote(stackId: string): void;
}

export class OutboxJournal implements Journal {
  readonly #parts: OutboxJournalParts;
  readonly #tenantId: string;

  constructor(parts: OutboxJournalParts, init: { readonly tenantId: string }) {
    this.#parts = parts;
    this.#tenantId = init.tenantId;
  }

  appended(commands: readonly Command[], before: LogPosition): void {
    let follows = before;
    for (const command of commands) {
      this.#append(commandEvent(this.#tenantId, command, follows));
      follows = command;
    }
  }

  adopted({ commands, outbox }: AdoptedLog, { forkSeq, before }: AdoptedAt): void {
    this.#parts.replica.outbox.withdraw(PROGRAMME, forkSeq);
    for (const event of outbox) this.#append(event);
    this.appended(commands, before);
  }

  led(leadership: BegunLeadership): void {
    this.#append(leadershipEvent(this.#tenantId, leadership));
  }

  conflicted(conflicts: readonly Conflict[]): void {
    for (const conflict of conflicts) this.#append(conflictEvent(this.#tenantId, conflict));
  }

  /** An operation on a record was kept, whatever its origin. */
  recorded(op: Op): void {
    this.#append(recordEvent(this.#tenantId, op));
  }

  /**
   * Writes the events of everything that `store` still holds, a little at every step of the iterator; those that are
   * there already stay. The first command follows any version: what was before it is no longer held.
   */
  *everything(store: Pick<Store, "commandsAfter" | "leadership" | "conflicts" | "replica">): Generator<void, void> {
    let before: LogPosition = { epoch: 0, seq: 0 };
    for (let more = true; more;) {
      const { commands, hasMore } = store.commandsAfter(before.seq, STEP_EVENTS, STEP_BYTES);
      this.appended(commands, before);
      before = commands.at(-1) ?? before;
      more = hasMore && commands.length > 0;
      yield;
    }
    let vector: VectorClock = {};
    for (let more = true; more;) {
      const ops = store.replica.ops.lackedBy(vector, STEP_EVENTS, STEP_BYTES);
      for (const op of ops) this.recorded(op);
      vector = { ...vector, ...Object.fromEntries(ops.map(({ origin, originSeq }) => [origin, originSeq])) };
      more = ops.length > 0;
      yield;
    }
    for (const entry of store.leadership(MAX_TOLD).toReversed()) this.led(entry);
    yield;
    for (const conflict of store.conflicts(MAX_TOLD)) this.conflicted([conflict]);
  }

  #append(event: ControlEvent): void {
    appendOutbox(this.#parts.replica, event, this.#parts.clock.unixMs());
    this.#parts.wrote(event.stackId);
  }
}
