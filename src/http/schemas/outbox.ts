/** The shapes of the outbox as it is shown. */
import { Type } from "typebox";
import { nullable, oneOf } from "../../core/schema.ts";
import { Count } from "./common.ts";

const Milliseconds = Type.Number({ minimum: 0 });

const DeadLetter = Type.Object({
  eventId: Type.String(),
  eventType: Type.String(),
  stackId: Type.String(),
  version: Count,
  attempts: Count,
  reason: Type.String({
    description: "`refused`: only a person helps; `unavailable`: it goes on when the sink answers.",
  }),
  addedAtUnixMs: Type.Number(),
});

export const OutboxSchema = Type.Object(
  {
    sink: Type.String({ description: "nop: nothing is published" }),
    pump: Type.String({ description: "resting on a follower; idle, draining or backingOff on the leader" }),
    depth: Type.Integer({ minimum: 0, description: "Events that wait, dead letters included." }),
    oldest: nullable(Type.Object({ eventId: Type.String(), stackId: Type.String(), ageMs: Milliseconds })),
    dead: Count,
    deadLetters: Type.Array(DeadLetter, { description: "The oldest 100." }),
    published: Type.Integer({ minimum: 0, description: "Since start, by this engine." }),
    duplicates: Type.Integer({ minimum: 0, description: "Of them, those that stood in the feed before." }),
    failedAttempts: Count,
  },
  { $id: "Outbox" },
);

export const TendedSchema = Type.Object(
  { eventId: Type.String(), stackId: Type.String(), outcome: oneOf("retried", "skipped") },
  { $id: "OutboxTended" },
);

export const ResyncSchema = Type.Object({ outcome: oneOf("resyncing") }, { $id: "OutboxResync" });

export const EventParams = Type.Object({ eventId: Type.String({ minLength: 1, maxLength: 512 }) });
