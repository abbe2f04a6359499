/**
 * Purpose: one more event in the outbox, as part of the transaction that makes the change it tells of.
 * Keeps true: an event without identity, type or payload, or with an artifact that nothing proves, is refused before
 * anything is written; an `eventId` stands in the outbox once.
 */
import { requireControlEvent, type ControlEvent } from "../core/control-event.ts";
import type { Replica } from "../ports/replica.ts";

/** The store's side of a transaction that is under way: `store.replica` within `store.replica.transaction(…)`. */
export type OutboxTransaction = { readonly outbox: Pick<Replica["outbox"], "add"> };

/**
 * Adds `event` to the outbox. Called inside the transaction of the change, it is durable with the change or not at all.
 *
 * @param tx the store whose transaction is under way
 * @param event bytes that it names as an artifact are stored before the transaction
 * @param atUnixMs now, unix ms: how old a waiting event is counts from here
 * @throws ChangeoverError `invalid_event` naming the field, `store_full` and `store_failed`
 */
export function appendOutbox(tx: OutboxTransaction, event: ControlEvent, atUnixMs: number): void {
  requireControlEvent(event);
  tx.outbox.add(event, atUnixMs);
}
