/** Purpose: the section `outbox` of a configuration. Which keys belong to which sink: `outbox.ts`. */
import { Type } from "typebox";
import { DEFAULT_OUTBOX } from "../core/settings.ts";
import { clientTls, DAY_MS, name, secret, section, text, url, whole } from "./schema-parts.ts";

export const outbox = section({
  sink: Type.Enum(["nop", "file", "redis", "nats"], { default: "nop", description: "Where changes are published" }),
  format: Type.Optional(
    Type.Enum(["changeover", "flat"], {
      examples: ["flat"],
      description:
        "How events are written: changeover (unless given), or flat for other readers of control events: event_id, type, control_version and so on",
    }),
  ),
  dir: Type.Optional(
    text("Folder of the feed, for sink file; both engines name the same; default ./var/feed", "./var/feed"),
  ),
  url: Type.Optional(
    url(
      "rediss?(\\+sentinel|\\+cluster)?|nats|tls",
      "Address of Redis or of NATS; default on this host",
      "nats://127.0.0.1:4222",
    ),
  ),
  user: Type.Optional(text("User of Redis or NATS that the password belongs to", "changeover")),
  password: Type.Optional(secret),
  ...clientTls,
  credentials: Type.Optional(secret),
  stream: Type.Optional(name("Name of the feed; changeover unless given")),
  subject: Type.Optional(
    Type.String({
      pattern: "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$",
      maxLength: 200,
      examples: ["changeover"],
      description: "For sink nats: what the subject of every event begins with; the stream's name unless given",
    }),
  ),
  replicas: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 5,
      description: "For sink nats: copies of a stream that is made; 1 unless given",
    }),
  ),
  storage: Type.Optional(
    Type.Enum(["file", "memory"], {
      description: "For sink nats: where a stream that is made is kept; file unless given",
    }),
  ),
  maxAttempts: whole(1, 1_000, DEFAULT_OUTBOX.maxAttempts, "Failed attempts that make an event a dead letter"),
  retentionMs: whole(0, 30 * DAY_MS, DEFAULT_OUTBOX.retentionMs, "How long a published event is kept here"),
});
