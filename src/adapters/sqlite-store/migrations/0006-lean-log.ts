/**
 * Purpose: the log with fewer indexes to write per operation: only commands are in the index of places, and whether an
 * operation is still a head is asked of its field.
 */
import type { Migration } from "./migration.ts";

export const leanLog: Migration = {
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
