/**
 * Purpose: the schema's versions, and the way from an older one to the newest.
 * Keeps true: a version is reached whole or not at all; `user_version` says which one a file has.
 */
import type { Database } from "better-sqlite3";
import { pair } from "./migrations/0001-pair.ts";
import { statePieces } from "./migrations/0002-state-pieces.ts";
import { replication } from "./migrations/0003-replication.ts";
import { signatures } from "./migrations/0004-signatures.ts";
import { outbox } from "./migrations/0005-outbox.ts";
import { leanLog } from "./migrations/0006-lean-log.ts";
import { keyDigests } from "./migrations/0007-key-digests.ts";
import { clockOfContent } from "./migrations/0008-clock-of-content.ts";
import { historyDigests } from "./migrations/0009-history-digests.ts";
import type { Migration } from "./migrations/migration.ts";

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
