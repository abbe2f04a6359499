/**
 * Purpose: control events on their way to the feed, and through where each stack stands in it.
 * A row waits for as long as it has no `published_at_unix_ms`.
 */
import type { Migration } from "./migration.ts";

export const outbox: Migration = {
  version: 5,
  sql: `
    CREATE TABLE control_events_outbox (
      place INTEGER PRIMARY KEY,
      event_id TEXT NOT NULL UNIQUE,
      event_type TEXT NOT NULL,
      tenant_id TEXT NOT NULL,
      stack_id TEXT NOT NULL,
      version INTEGER NOT NULL,
      base_version INTEGER NOT NULL,
      artifact_ref TEXT,
      checksum TEXT,
      payload TEXT NOT NULL,
      added_at_unix_ms REAL NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0,
      dead INTEGER NOT NULL DEFAULT 0,
      reason TEXT NOT NULL DEFAULT '',
      published_at_unix_ms REAL,
      control_version INTEGER
    ) STRICT;
    CREATE INDEX outbox_waiting ON control_events_outbox (stack_id, version) WHERE published_at_unix_ms IS NULL;
    CREATE INDEX outbox_published ON control_events_outbox (published_at_unix_ms)
      WHERE published_at_unix_ms IS NOT NULL;
    CREATE INDEX outbox_dead ON control_events_outbox (place) WHERE dead = 1;

    CREATE TABLE outbox_marks (
      stack_id TEXT PRIMARY KEY,
      version INTEGER NOT NULL,
      event_id TEXT NOT NULL,
      control_version INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
