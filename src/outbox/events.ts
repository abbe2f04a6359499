/**
 * Purpose: every change as the event that tells of it.
 * Keeps true: an event follows from the change alone, so that both engines of the pair make the same one: its identity is
 * that of the change, and its stack and version order it as both engines order it.
 * Source: docs/decisions/0013.
 */
import type { Command, Conflict, LogPosition } from "../core/command.ts";
import { type ControlEvent, PROGRAMME, SKIPPED } from "../core/control-event.ts";
import type { Op } from "../core/operation.ts";
import type { BegunLeadership } from "../ports/journal.ts";

/** The stack of who leads. */
const LEADERSHIP = "leadership";

/** The stack of the records that one origin writes. */
export function recordStack(origin: string): string {
  return `records/${origin}`;
}

/** The stack of one conflict: it is found, later settled, and stands in no order to others. */
function conflictStack(id: string): string {
  return `conflict/${id}`;
}

export function commandEventId({ origin, originSeq }: Pick<Command, "origin" | "originSeq">): string {
  return `cmd_${origin}_${originSeq}`;
}

/** With the pair's name: an operation is held by many pairs, and each tells of it in a feed that may be shared. */
function recordEventId(tenantId: string, { origin, originSeq }: Pick<Op, "origin" | "originSeq">): string {
  return `rec_${tenantId}_${origin}_${originSeq}`;
}

/**
 * `before`: what it follows in the log. The first command of an epoch follows any version: what stood above it, of a
 * lower epoch, was taken back.
 */
export function commandEvent(tenantId: string, command: Command, before: LogPosition): ControlEvent {
  const { seq, epoch, hlc, executeAtUs, kind, payload, origin, originSeq } = command;
  return {
    eventId: commandEventId(command),
    eventType: "command.accepted",
    tenantId,
    stackId: PROGRAMME,
    version: seq,
    baseVersion: before.epoch === epoch ? before.seq : 0,
    payload: { epoch, seq, hlc, executeAtUs, kind, payload, origin, originSeq },
  };
}

/** Records are merged field by field by their stamp, whatever came before: each follows any version. */
export function recordEvent(tenantId: string, op: Op): ControlEvent {
  const { origin, originSeq, hlc, epoch, kind, entity, field, payload: value, clock } = op;
  const verb = { set: "set", delete: "deleted", skip: "skipped" }[kind];
  return {
    eventId: recordEventId(tenantId, op),
    eventType: `record.${verb}`,
    tenantId,
    stackId: recordStack(origin),
    version: originSeq,
    baseVersion: 0,
    payload: { entity, field, value, hlc, epoch, origin, originSeq, clock: { ...clock } },
  };
}

/** Epochs rise, not one by one. */
export function leadershipEvent(tenantId: string, leadership: BegunLeadership): ControlEvent {
  const { epoch, leader, fromUnixMs, cause, by, reason, tookMs } = leadership;
  return {
    eventId: `ldr_${tenantId}_${epoch}_${Math.floor(fromUnixMs)}`,
    eventType: "leadership.began",
    tenantId,
    stackId: LEADERSHIP,
    version: epoch,
    baseVersion: 0,
    payload: { epoch, leader, fromUnixMs, cause, by, reason, tookMs },
  };
}

/** Told when it is found and when it comes to another outcome; what only one engine knows of it is left out. */
export function conflictEvent(tenantId: string, conflict: Conflict): ControlEvent {
  const { id, kind, outcome, divergent } = conflict;
  const { origin, originSeq } = divergent;
  const what =
    conflict.kind === "command"
      ? { eventId: commandEventId(conflict.divergent), seq: conflict.divergent.seq, forkSeq: conflict.forkSeq }
      : { eventId: recordEventId(tenantId, divergent), entity: conflict.entity, field: conflict.field };
  const choice = conflict.resolution === null ? null : conflict.resolution.choice;
  return {
    eventId: `${id}_${tenantId}_${outcome}`,
    eventType: `conflict.${outcome}`,
    tenantId,
    stackId: conflictStack(id),
    version: outcome === "resolved" ? 2 : 1,
    baseVersion: 0,
    payload: { id, kind, outcome, divergent: { epoch: divergent.epoch, origin, originSeq, ...what }, choice },
  };
}

/** What goes out in the place of `event`, which `by` gave up: it changes nothing, and those behind it still follow. */
export function skippedEvent(event: ControlEvent, by: string): ControlEvent {
  const { artifactRef: _ref, checksum: _sum, ...kept } = event;
  return { ...kept, eventType: SKIPPED, payload: { eventType: event.eventType, by } };
}
