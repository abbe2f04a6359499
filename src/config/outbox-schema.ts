/** Purpose: the section `outbox` of a configuration. Which keys belong to which sink: `outbox.ts`. */
import { Type } from "typebox";
import { DEFAULT_OUTBOX } from "../core/settings.ts";
import { DAY_MS, name, secret, section, text, url, whole } from "./schema-parts.ts";

export const outbox = section({
  sink: Type.Enum(["nop", "file", "redis", "nats"], { default: "nop", description: "Where changes are published" }),
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
  password: Type.Optional(secret),
  credentials: Type.Optional(secret),
  stream: Type.Optional(name("Name of the feed; changeover unless given")),
  maxAttempts: whole(1, 1_000, DEFAULT_OUTBOX.maxAttempts, "Failed attempts that make an event a dead letter"),
  retentionMs: whole(0, 30 * DAY_MS, DEFAULT_OUTBOX.retentionMs, "How long a published event is kept here"),
});
