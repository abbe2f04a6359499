/** The schema of `GET /api/state`. */
import { Type } from "typebox";
import { nullable, oneOf } from "../../core/schema.ts";
import { AnyJson, Count, HealthSchema, LabelSchema, RoleSchema, SyncStateSchema, WAITING } from "./common.ts";
import { PlannedView } from "./operate.ts";

export const MaintenanceSchema = Type.Object(
  { on: Type.Boolean(), stamp: Type.String(), by: Type.String(), reason: Type.String() },
  { $id: "Maintenance" },
);

const Peer = Type.Object({
  label: LabelSchema,
  state: Type.String(),
  engineId: nullable(Type.String()),
  version: nullable(Type.String()),
  role: nullable(RoleSchema),
  epoch: nullable(Count),
  health: nullable(HealthSchema),
  syncState: nullable(SyncStateSchema),
  lastCommandSeq: nullable(Count),
  lastExecutedSeq: nullable(Count),
  lastHeardMs: nullable(Type.Number()),
  roundTripMs: nullable(Type.Number()),
  clockOffsetMs: nullable(Type.Number()),
  links: Type.Array(Type.Object({ name: Type.String(), up: Type.Boolean(), bufferedBytes: Count })),
  refused: Count,
  url: nullable(Type.String()),
});

const WitnessView = Type.Object({
  kind: Type.String(),
  reachable: nullable(Type.Boolean()),
  usable: nullable(Type.Boolean()),
  holder: nullable(LabelSchema),
  epoch: nullable(Count),
  seq: nullable(Count),
  lastAnswerMs: nullable(Type.Number()),
});

export const StateSchema = Type.Object(
  {
    pair: Type.String(),
    engineLabel: LabelSchema,
    engineId: Type.String(),
    version: Type.String(),
    policy: oneOf("on-air", "consistency"),
    role: RoleSchema,
    epoch: Count,
    mayAct: Type.Boolean(),
    confirmedBy: oneOf("peer", "witness", "both", "none"),
    leader: nullable(LabelSchema),
    uptimeMs: Type.Number(),
    health: HealthSchema,
    syncState: SyncStateSchema,
    lastCommandSeq: Count,
    lastExecutedSeq: Count,
    programSource: Type.String(),
    engine: Type.Object({
      state: Type.String(),
      lifeline: oneOf("opening", "live", "stalled", "none", "unused"),
      note: nullable(Type.String()),
    }),
    votes: Type.Object({ peerMs: Type.Number(), witnessMs: Type.Number() }),
    peer: Peer,
    witness: WitnessView,
    reconcileLock: nullable(Type.Object({ holder: Type.String(), expiresMs: Type.Number() })),
    maintenance: nullable(Type.Object(MaintenanceSchema.properties)),
    preferred: oneOf("a", "b", "none"),
    switchBack: Type.Object({
      mode: oneOf("never", "when-ready"),
      waiting: Type.Array(Type.String(), {
        description: "What keeps the role from going back to the preferred engine: `delay`, `maintenance`, and so on.",
      }),
      dueAt: nullable(Type.Number({ description: "unix ms; null: no clock brings it." })),
    }),
    plannedHandover: PlannedView,
    waiting: Type.Object(WAITING),
    alarms: Type.Array(
      Type.Object({
        code: Type.String(),
        since: Type.Number({ description: "unix ms" }),
        detail: Type.String(),
        remedy: Type.String({ description: "What to do, in the runbook's words." }),
      }),
    ),
    machines: Type.Record(Type.String(), AnyJson),
  },
  { $id: "State" },
);

export const MachinesSchema = Type.Object(
  {
    machines: Type.Array(Type.Object({ name: Type.String(), value: AnyJson, definition: AnyJson })),
  },
  { $id: "Machines" },
);
