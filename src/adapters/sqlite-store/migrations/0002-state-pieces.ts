/**
 * Purpose: the checkpoint's state in pieces, which come to the file before the checkpoint that names them does.
 */
import type { Migration } from "./migration.ts";

export const statePieces: Migration = {
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
