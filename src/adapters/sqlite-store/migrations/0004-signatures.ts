/** Purpose: the signature of an operation, beside it: `<public key>.<signature>`; NULL for one that bears none. */
import type { Migration } from "./migration.ts";

export const signatures: Migration = {
  version: 4,
  sql: "ALTER TABLE ops ADD COLUMN signature TEXT;",
};
