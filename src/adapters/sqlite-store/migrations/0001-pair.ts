/**
 * Purpose: the first schema: what an engine of a pair remembers.
 * One log for everything that is replicated: a command is an operation with a place (`seq`); records come without one.
 */
import type { Migration } from "./migration.ts";

export const pair: Migration = {
  version: 1,
  sql: `
    CREATE TABLE state (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      engine_id TEXT NOT NULL,
      pinned_peer TEXT,
      highest_epoch INTEGER NOT NULL,
      accepted_epoch INTEGER NOT NULL,
      hlc TEXT NOT NULL,
      clock TEXT NOT NULL,
      last_executed_seq INTEGER NOT NULL,
      lock_fence INTEGER NOT NULL,
      maintenance TEXT
    ) STRICT;

    CREATE TABLE checkpoint (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      epoch INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      state TEXT NOT NULL
    ) STRICT;

    CREATE TABLE ops (
      origin TEXT NOT NULL,
      origin_seq INTEGER NOT NULL,
      hlc TEXT NOT NULL,
      epoch INTEGER NOT NULL,
      seq INTEGER UNIQUE,
      kind TEXT NOT NULL,
      entity TEXT,
      field TEXT,
      payload TEXT NOT NULL,
      clock TEXT NOT NULL,
      checksum TEXT,
      execute_at_us INTEGER,
      idempotency_key TEXT,
      PRIMARY KEY (origin, origin_seq)
    ) STRICT;

    CREATE TABLE log_runs (
      from_seq INTEGER PRIMARY KEY,
      to_seq INTEGER NOT NULL,
      epoch INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE keys (
      key TEXT PRIMARY KEY,
      seq INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      execute_at_us INTEGER NOT NULL,
      at_unix_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX keys_by_seq ON keys (seq);

    CREATE TABLE conflicts (
      place INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      open INTEGER NOT NULL,
      conflict TEXT NOT NULL
    ) STRICT;
    CREATE INDEX conflicts_open_first ON conflicts (open, place);

    CREATE TABLE leadership (
      epoch INTEGER PRIMARY KEY,
      leader TEXT NOT NULL,
      from_unix_ms REAL NOT NULL,
      to_unix_ms REAL,
      cause TEXT NOT NULL,
      by TEXT NOT NULL,
      reason TEXT NOT NULL,
      took_ms REAL NOT NULL
    ) STRICT;

    CREATE TABLE requests (
      place INTEGER PRIMARY KEY,
      request_id TEXT NOT NULL UNIQUE,
      request TEXT NOT NULL
    ) STRICT;
  `,
};
