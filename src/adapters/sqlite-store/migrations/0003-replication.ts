/**
 * Purpose: the second schema: records, and those an engine replicates with.
 * An operation on a record lies in `ops` beside the commands; it has an `arrival` instead of a place (`seq`).
 */
import type { Migration } from "./migration.ts";

export const replication: Migration = {
  version: 3,
  sql: `
    ALTER TABLE ops ADD COLUMN arrival TEXT;
    ALTER TABLE ops ADD COLUMN via TEXT;
    CREATE UNIQUE INDEX ops_by_arrival ON ops (arrival) WHERE arrival IS NOT NULL;

    CREATE TABLE record_heads (
      entity TEXT NOT NULL,
      field TEXT NOT NULL,
      rank INTEGER NOT NULL,
      origin TEXT NOT NULL,
      origin_seq INTEGER NOT NULL,
      PRIMARY KEY (entity, field, rank)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX record_heads_by_op ON record_heads (origin, origin_seq);

    CREATE TABLE record_vector (
      origin TEXT PRIMARY KEY,
      origin_seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE compaction_floor (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      through TEXT NOT NULL,
      clock TEXT NOT NULL
    ) STRICT;

    CREATE TABLE set_aside (
      place INTEGER PRIMARY KEY,
      origin TEXT NOT NULL,
      origin_seq INTEGER NOT NULL,
      via TEXT NOT NULL,
      reason TEXT NOT NULL,
      content TEXT NOT NULL,
      attempts INTEGER NOT NULL,
      dead INTEGER NOT NULL,
      at_unix_ms REAL NOT NULL,
      UNIQUE (origin, origin_seq)
    ) STRICT;

    CREATE TABLE quarantine (
      place INTEGER PRIMARY KEY,
      origin TEXT NOT NULL,
      origin_seq INTEGER NOT NULL,
      via TEXT NOT NULL,
      reason TEXT NOT NULL,
      content TEXT NOT NULL,
      at_unix_ms REAL NOT NULL,
      UNIQUE (origin, origin_seq, content)
    ) STRICT;

    CREATE TABLE federation_state (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
