/** The schemas of commands and of the engine's own calls made into commands. */
import { Type } from "typebox";
import { DEFAULT_PAGE, MAX_KIND_CHARS, MAX_PAGE } from "../limits.ts";
import { oneOf, strict } from "../../core/schema.ts";
import { AnyJson, Count, Name } from "./common.ts";

const COMMAND = {
  kind: Type.String({ minLength: 1, maxLength: MAX_KIND_CHARS, description: 'e.g. "POST /api/switch/cut"' }),
  payload: AnyJson,
  idempotencyKey: Type.Optional(Name),
  executeAtUs: Type.Optional(Count),
  ack: Type.Optional(oneOf("pair", "local")),
};

export const CommandBody = strict(COMMAND);

export const AcceptedSchema = Type.Object(
  { seq: Count, epoch: Count, executeAtUs: Type.Number(), durability: oneOf("pair", "local") },
  { $id: "Accepted" },
);

export const CommandsQuery = Type.Object({
  afterSeq: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE })),
});

export const CommandPageSchema = Type.Object(
  {
    commands: Type.Array(
      Type.Object({
        seq: Count,
        epoch: Count,
        kind: Type.String(),
        payload: AnyJson,
        executeAtUs: Type.Number(),
        origin: Type.String(),
      }),
    ),
    hasMore: Type.Boolean(),
  },
  { $id: "CommandPage" },
);

/** Names a message of the control channel, so that its answer can be told from others. */
const MessageId = Type.Union([Name, Type.Integer()]);

/** What a client may say on the control channel. */
const ControlMessage = Type.Union([
  strict({ type: Type.Literal("ping"), id: MessageId, t0: Type.Number() }),
  strict({ type: Type.Literal("command"), id: MessageId, ...COMMAND }),
]);
export const ControlPing = ControlMessage.anyOf[0];
export const ControlCommand = ControlMessage.anyOf[1];
