/**
 * The clock counts what the log holds and nothing else [SB6]. What is held no longer, because it was compacted away, has
 * a clock of its own below it; the numbers that this engine gave its own commands are kept apart from both.
 */
import type { Migration } from "./migration.ts";

export const clockOfContent: Migration = {
  version: 8,
  sql: `
    ALTER TABLE state ADD COLUMN base_clock TEXT;
    ALTER TABLE state ADD COLUMN highest_own_seq INTEGER NOT NULL DEFAULT 0;
    UPDATE state SET highest_own_seq = coalesce(json_extract(clock, '$."' || engine_id || '"'), 0);
  `,
};
