/** The least that a durable log can be: one table, one transaction a batch, as safely written as the store's own. */
import type Database from "better-sqlite3";

/** Makes the table; the returned function stores texts in one transaction, durable when it returns. */
export function bareTable(db: Database.Database): (texts: readonly string[]) => void {
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("CREATE TABLE log (seq INTEGER PRIMARY KEY, command TEXT NOT NULL)");
  const insert = db.prepare("INSERT INTO log (command) VALUES (?)");
  return db.transaction((texts: readonly string[]) => {
    for (const text of texts) insert.run(text);
  });
}
