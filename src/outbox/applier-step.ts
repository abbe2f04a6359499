/**
 * One event of the feed in one transaction: what is done with it, and what is noted.
 * Keeps true: an event's handler runs at most once under its `eventId`, in the order of its stack, on the version that
 * it was made upon; data, version, event and cursor are noted together.
 * Does not know: time, or where events come from.
 */
import { assertNever } from "../core/errors.ts";
import { type ControlEvent, SKIPPED } from "../core/control-event.ts";
import type { AppliedNotes, AppliedStack, Decision, HoldReason, StackHold } from "../ports/feed-sink.ts";

/** One event with its place. */
export interface PlacedEvent {
  readonly controlVersion: number;
  readonly event: ControlEvent;
}

/** Changes the consumer's data for one event, by `tx` alone. What it throws rolls everything back. */
export type Handler<Tx> = (
  event: ControlEvent,
  context: { readonly tx: Tx; readonly artifact: Uint8Array | null },
) => void | Promise<void>;

/** A handler threw: that is the event's trouble, not the database's. */
export class HandlerFailure extends Error {
  constructor(eventType: string, cause: unknown) {
    super(`the handler of ${eventType} failed`, { cause });
    this.name = "HandlerFailure";
  }
}

/** What a consumer knows: a handler for each type, `ignore` for types that change nothing of its data. */
export type Handlers<Tx> = Readonly<Record<string, Handler<Tx> | "ignore">>;

/** `past`: it is behind the cursor. `held`: its stack stands still before it. A reason: its stack stands still at it. */
export type StepOutcome = "applied" | "skipped" | "duplicate" | "past" | "held" | HoldReason;

/** What a step needs beside the notes. */
export interface StepContext<Tx> {
  readonly tx: Tx;
  readonly handlers: Handlers<Tx>;
  readonly artifact: Uint8Array | null;
}

/** The next event of the feed. */
export async function takeFromFeed<Tx>(
  notes: AppliedNotes,
  placed: PlacedEvent,
  context: StepContext<Tx>,
): Promise<StepOutcome> {
  if (placed.controlVersion <= (await notes.cursor())) return "past";
  await notes.moveCursor(placed.controlVersion, placed.event.eventId);
  if (await notes.hasApplied(placed.event.eventId)) return "duplicate";
  const stack = await stackOf(notes, placed.event);
  if (stack.hold !== null) return "held";
  return applyTo(notes, stack, placed, context, null);
}

/** The event at which a stack stands still, or one behind it that was passed by meanwhile. */
export async function takeHeld<Tx>(
  notes: AppliedNotes,
  placed: PlacedEvent,
  context: StepContext<Tx>,
): Promise<StepOutcome> {
  const stack = await stackOf(notes, placed.event);
  const { hold } = stack;
  if (hold === null || placed.controlVersion < hold.from) return "past";
  if (await notes.hasApplied(placed.event.eventId)) {
    await notes.putStack({ ...stack, hold: passed(hold, placed) });
    return "duplicate";
  }
  return applyTo(notes, stack, placed, context, hold);
}

/** Makes a stack stand still at an event, or notes another attempt. Returns how it stands. */
export async function holdStack(
  notes: AppliedNotes,
  placed: PlacedEvent,
  trouble: { readonly reason: HoldReason; readonly maxAttempts: number },
): Promise<StackHold> {
  const stack = await stackOf(notes, placed.event);
  const { controlVersion } = placed;
  const attempts = (stack.hold?.from === controlVersion ? stack.hold.attempts : 0) + 1;
  const made = holdAt(placed, trouble.reason, { attempts, final: attempts >= trouble.maxAttempts });
  const hold = stack.hold?.from === controlVersion ? { ...made, decision: stack.hold.decision } : made;
  await notes.putStack({ ...stack, hold });
  if (controlVersion > (await notes.cursor())) await notes.moveCursor(controlVersion, placed.event.eventId);
  return hold;
}

async function applyTo<Tx>(
  notes: AppliedNotes,
  stack: AppliedStack,
  placed: PlacedEvent,
  { tx, handlers, artifact }: StepContext<Tx>,
  hold: StackHold | null,
): Promise<StepOutcome> {
  const { event, controlVersion } = placed;
  const decision = hold?.from === controlVersion ? hold.decision : "retry";
  const handler = event.eventType === SKIPPED ? "ignore" : ownHandler(handlers, event.eventType);
  const obstacle = obstacleTo(event, stack, decision, handler !== undefined);
  if (obstacle !== null) {
    await notes.putStack({ ...stack, hold: holdAt(placed, obstacle, { attempts: 1, final: true }) });
    return obstacle;
  }
  const runs = decision !== "skip" && handler !== undefined && handler !== "ignore";
  if (runs) await run(handler, event, { tx, artifact });
  await notes.addApplied(event.eventId, controlVersion);
  await notes.putStack({ ...stack, version: event.version, hold: hold === null ? null : passed(hold, placed) });
  return decision === "skip" ? "skipped" : "applied";
}

async function run<Tx>(handler: Handler<Tx>, event: ControlEvent, context: Parameters<Handler<Tx>>[1]): Promise<void> {
  try {
    await handler(event, context);
  } catch (error) {
    throw new HandlerFailure(event.eventType, error);
  }
}

/** Why the event may not be applied, whatever its handler would do. */
function obstacleTo(event: ControlEvent, stack: AppliedStack, decision: Decision, known: boolean): HoldReason | null {
  switch (decision) {
    case "skip":
      return null;
    case "accept":
      return known ? null : "unknown_type";
    case "retry":
      if (event.baseVersion !== 0 && event.baseVersion !== stack.version) return "conflict";
      return known ? null : "unknown_type";
    default:
      return assertNever(decision);
  }
}

/** Types come from outside: `constructor` is no handler. */
function ownHandler<Tx>(handlers: Handlers<Tx>, eventType: string): Handler<Tx> | "ignore" | undefined {
  return Object.hasOwn(handlers, eventType) ? handlers[eventType] : undefined;
}

function holdAt(
  { event, controlVersion }: PlacedEvent,
  reason: HoldReason,
  tried: Pick<StackHold, "attempts" | "final">,
): StackHold {
  const { eventId, eventType } = event;
  return { reason, from: controlVersion, eventId, eventType, decision: "retry", ...tried };
}

/** The stack still stands still, but behind this event. */
function passed(hold: StackHold, { controlVersion }: PlacedEvent): StackHold {
  return { ...hold, from: controlVersion + 1, attempts: 0, decision: "retry" };
}

async function stackOf(notes: AppliedNotes, { tenantId, stackId }: ControlEvent): Promise<AppliedStack> {
  return (await notes.stack({ tenantId, stackId })) ?? { tenantId, stackId, version: 0, hold: null };
}
