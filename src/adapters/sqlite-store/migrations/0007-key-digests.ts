/** An idempotency key also keeps which command it stands for; NULL for keys that an older version stored. */
import type { Migration } from "./migration.ts";

export const keyDigests: Migration = {
  version: 7,
  sql: "ALTER TABLE keys ADD COLUMN digest TEXT;",
};
