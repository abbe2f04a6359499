/**
 * The disk of a simulated engine: a SQLite database that the shipped store writes, and beside it the model (a
 * `MemoryDisk`) that the invariants read.
 *
 * What was committed under `synchronous = FULL` is on the disk. What was committed under anything less is in the page
 * cache: a killed process loses none of it, a machine without power all of it since the last sync.
 *
 * A disk can refuse writes because it is full (`full`) or mounted read-only (`readOnly`), be slow (`stallMs`), and, while
 * nobody has it open, be exchanged for a copy or for an empty one.
 */
import type { Database } from "better-sqlite3";
import { type DiskContent, MemoryDisk } from "../../adapters/memory-disk.ts";
import { openDatabase } from "../../adapters/local-lock.ts";

const FULL = 2;

/** A consistent copy of a disk. */
export interface DiskCopy {
  readonly content: DiskContent | null;
  readonly bytes: Buffer | null;
}

export class SimDisk extends MemoryDisk {
  /** The process stands still for so long after each write. */
  stallMs = 0;
  #readOnly = false;
  #open: Database | null = null;
  /** The file while nobody has it open. */
  #bytes: Buffer | null = null;
  /** The file as it was last synced; null: it always is. */
  #synced: Buffer | null = null;

  constructor() {
    super({ loseUnsynced: true });
  }

  /** Mounted read-only: SQLite itself refuses every write. */
  get readOnly(): boolean {
    return this.#readOnly;
  }

  set readOnly(on: boolean) {
    this.#readOnly = on;
    this.#open?.pragma(`query_only = ${on ? "ON" : "OFF"}`);
  }

  /** Whether writes fail, for whatever reason. */
  get refuses(): boolean {
    return this.full || this.#readOnly;
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
    if (this.#readOnly) db.pragma("query_only = ON");
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

  /** A copy as `changeover backup` makes it, also of a disk in use. */
  copy(): DiskCopy {
    const bytes = this.#open?.open === true ? this.#open.serialize() : this.#bytes;
    return { content: structuredClone(this.content), bytes };
  }

  /** Puts a copy, or an empty disk, in place of what was on this one. Only while nobody has it open. */
  replaceBy({ content, bytes }: DiskCopy): void {
    this.content = structuredClone(content);
    this.#bytes = bytes;
    this.#synced = bytes;
  }
}
