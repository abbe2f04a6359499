/**
 * The schema's versions, and the way from an older one to the newest.
 * A version is reached whole or not at all; `user_version` says which one a file has.
 */
import type { Database } from "better-sqlite3";

/** One step of the schema, never changed once it was released. */
interface Migration {
  readonly version: number;
  readonly sql: string;
}

// The first schema: what an engine of a pair remembers. One log for everything that is replicated: a command is an
// operation with a place (`seq`); records come without one.

const pair: Migration = {
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

// The checkpoint's state in pieces, which come to the file before the checkpoint that names them does.

const statePieces: Migration = {
  version: 2,
  sql: `
    CREATE TABLE state_pieces (
      draft INTEGER NOT NULL,
      place INTEGER NOT NULL,
      text TEXT NOT NULL,
      PRIMARY KEY (draft, place)
    ) STRICT;

    INSERT INTO state_pieces (draft, place, text) SELECT 0, 0, state FROM checkpoint;
    ALTER TABLE checkpoint DROP COLUMN state;
    ALTER TABLE checkpoint ADD COLUMN draft INTEGER NOT NULL DEFAULT 0;
  `,
};

// The second schema: records, and those an engine replicates with. An operation on a record lies in `ops` beside the
// commands; it has an `arrival` instead of a place (`seq`).

const replication: Migration = {
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

// The signature of an operation, beside it: `<public key>.<signature>`; NULL for one that bears none.

const signatures: Migration = {
  version: 4,
  sql: "ALTER TABLE ops ADD COLUMN signature TEXT;",
};

// Control events on their way to the feed, and through where each stack stands in it. A row waits for as long as it has
// no `published_at_unix_ms`.

const outbox: Migration = {
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

// The log with fewer indexes to write per operation: only commands are in the index of places, and whether an operation
// is still a head is asked of its field.

const leanLog: Migration = {
  version: 6,
  sql: `
    DROP INDEX record_heads_by_op;
    DROP INDEX ops_by_arrival;

    ALTER TABLE ops RENAME TO older_ops;
    CREATE TABLE ops (
      origin TEXT NOT NULL,
      origin_seq INTEGER NOT NULL,
      hlc TEXT NOT NULL,
      epoch INTEGER NOT NULL,
      seq INTEGER,
      kind TEXT NOT NULL,
      entity TEXT,
      field TEXT,
      payload TEXT NOT NULL,
      clock TEXT NOT NULL,
      checksum TEXT,
      execute_at_us INTEGER,
      idempotency_key TEXT,
      arrival TEXT,
      via TEXT,
      signature TEXT,
      PRIMARY KEY (origin, origin_seq)
    ) STRICT;
    INSERT INTO ops
      SELECT origin, origin_seq, hlc, epoch, seq, kind, entity, field, payload, clock, checksum, execute_at_us,
        idempotency_key, arrival, via, signature
      FROM older_ops;
    DROP TABLE older_ops;
    CREATE UNIQUE INDEX ops_by_seq ON ops (seq) WHERE seq IS NOT NULL;
    CREATE UNIQUE INDEX ops_by_arrival ON ops (arrival) WHERE arrival IS NOT NULL;
  `,
};

// An idempotency key also keeps which command it stands for; NULL for keys that an older version stored.

const keyDigests: Migration = {
  version: 7,
  sql: "ALTER TABLE keys ADD COLUMN digest TEXT;",
};

// The clock counts what the log holds and nothing else [SB6]. What is held no longer, because it was compacted away,
// has a clock of its own below it; the numbers that this engine gave its own commands are kept apart from both.

const clockOfContent: Migration = {
  version: 8,
  sql: `
    ALTER TABLE state ADD COLUMN base_clock TEXT;
    ALTER TABLE state ADD COLUMN highest_own_seq INTEGER NOT NULL DEFAULT 0;
    UPDATE state SET highest_own_seq = coalesce(json_extract(clock, '$."' || engine_id || '"'), 0);
  `,
};

// Each operation on a record has the digest of its origin's history through it, and the vector has the newest one, so
// that two places can tell whether they hold the same operations under the same numbers [RP1]. What an older store
// holds is digested at its first opening, as far as nothing was compacted away.

const historyDigests: Migration = {
  version: 9,
  sql: `
    ALTER TABLE ops ADD COLUMN chain TEXT;
    ALTER TABLE record_vector ADD COLUMN head TEXT;
  `,
};

const MIGRATIONS: readonly Migration[] = [
  ...[pair, statePieces, replication, signatures, outbox, leanLog],
  ...[keyDigests, clockOfContent, historyDigests],
];

/** The newest schema that this program knows. */
export const SCHEMA_VERSION = Math.max(...MIGRATIONS.map(({ version }) => version));

/** The schema of the file; 0 when it is no store. */
export function schemaVersion(db: Database): number {
  return db.pragma("user_version", { simple: true }) as number;
}

/** Takes the file to the newest schema. */
export function migrate(db: Database): void {
  for (const { version, sql } of MIGRATIONS) {
    if (version <= schemaVersion(db)) continue;
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${version}`);
    })();
  }
}
