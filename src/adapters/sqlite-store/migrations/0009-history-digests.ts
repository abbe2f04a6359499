/**
 * Each operation on a record has the digest of its origin's history through it, and the vector has the newest one, so that
 * two places can tell whether they hold the same operations under the same numbers [RP1]. What an older store holds is
 * digested at its first opening, as far as nothing was compacted away.
 */
import type { Migration } from "./migration.ts";

export const historyDigests: Migration = {
  version: 9,
  sql: `
    ALTER TABLE ops ADD COLUMN chain TEXT;
    ALTER TABLE record_vector ADD COLUMN head TEXT;
  `,
};
