/**
 * The disk of a simulated engine: a SQLite database that the shipped store writes, and beside it the model (a
 * `MemoryDisk`) that the invariants read.
 *
 * What was committed under `synchronous = FULL` is on the disk. What was committed under anything less is in the page
 * cache: a killed process loses none of it, a machine without power all of it since the last sync.
 */
import type { Database } from "better-sqlite3";
import { MemoryDisk } from "../../adapters/memory-disk.ts";
import { openDatabase } from "../../adapters/local-lock.ts";

const FULL = 2;

export class SimDisk extends MemoryDisk {
  #open: Database | null = null;
  /** The file while nobody has it open. */
  #bytes: Buffer | null = null;
  /** The file as it was last synced; null: it always is. */
  #synced: Buffer | null = null;

  constructor() {
    super({ loseUnsynced: true });
  }

  /** The database of a new life. */
  openDatabase(): Database {
    const db = this.#bytes === null ? openDatabase(":memory:") : openDatabase(this.#bytes as unknown as string);
    const close = db.close.bind(db);
    // A database in memory is gone once it is closed; what stood in it is the file.
    db.close = () => {
      if (db.open) this.#bytes = db.serialize();
      return close();
    };
    this.#synced = this.#bytes;
    this.#open = db;
    return db;
  }

  override ownerDied(): void {
    super.ownerDied();
    this.#open?.close();
    this.#open = null;
  }

  /** The machine lost its power: what was not synced is gone. */
  powerLost(): void {
    const syncsAtOnce = this.#open?.pragma("synchronous", { simple: true }) === FULL;
    const lost = this.#open !== null && !syncsAtOnce;
    this.ownerDied();
    if (lost) this.#bytes = this.#synced;
  }
}
