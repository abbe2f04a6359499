/**
 * The one checkpoint, and the pieces of its state's text: those that count, and drafts on their way.
 * Pieces count only once the checkpoint names their draft; what no checkpoint names goes at the next start.
 */
import type { Database, Statement } from "better-sqlite3";
import { assert } from "../../core/errors.ts";
import type { LogPosition } from "../../core/command.ts";
import type { CheckpointDraft, StateDraft, StoredCheckpoint } from "../../ports/store.ts";
import { explained, readJson } from "./errors.ts";

/** Characters that go to the file at one go: few milliseconds of work. */
const PIECE_CHARS = 524_288;

/** The statements on `checkpoint` and `state_pieces`. */
export class CheckpointTable {
  readonly #read: Statement<[], LogPosition & { readonly draft: number }>;
  readonly #save: Statement<[number, number, number]>;
  readonly #pieces: Statement<[number], { readonly text: string }>;
  readonly #insert: Statement<[number, number, string]>;
  readonly #drop: Statement<[number]>;
  readonly #dropOthers: Statement<[number]>;
  readonly #db: Database;
  /** The draft that the checkpoint names. */
  #kept = 0;
  #lastDraft = 0;

  constructor(db: Database) {
    this.#db = db;
    this.#read = db.prepare("SELECT epoch, seq, draft FROM checkpoint");
    this.#save = db.prepare("INSERT OR REPLACE INTO checkpoint (id, epoch, seq, draft) VALUES (1, ?, ?, ?)");
    this.#pieces = db.prepare("SELECT text FROM state_pieces WHERE draft = +? ORDER BY place");
    this.#insert = db.prepare("INSERT INTO state_pieces (draft, place, text) VALUES (?, ?, ?)");
    this.#drop = db.prepare("DELETE FROM state_pieces WHERE draft = ?");
    this.#dropOthers = db.prepare("DELETE FROM state_pieces WHERE draft <> ?");
  }

  /** At the start: drops what a crash left. */
  begin(): void {
    this.#kept = this.#lastDraft = this.#read.get()?.draft ?? 0;
    this.#dropOthers.run(this.#kept);
  }

  /** The position alone; `null` when there is no checkpoint. */
  position(): LogPosition | null {
    const row = this.#read.get();
    return row === undefined ? null : { epoch: row.epoch, seq: row.seq };
  }

  /** Throws `store_corrupt`. */
  read(): StoredCheckpoint | null {
    const position = this.position();
    if (position === null) return null;
    const text = this.#pieces.all(this.#kept).map((piece) => piece.text);
    return { position, state: readJson(text.join(""), "the checkpoint") };
  }

  draft(): StateDraft {
    this.#lastDraft += 1;
    return new DraftInFile(this.#lastDraft, this);
  }

  /** Inside a transaction. Once that is committed, `kept` is to be called. */
  save({ position, state }: CheckpointDraft): void {
    assert(state instanceof DraftInFile, "a draft is kept by the store that made it");
    state.writeRest();
    this.#drop.run(this.#kept);
    this.#save.run(position.epoch, position.seq, state.id);
  }

  /** The checkpoint that names this draft is durable. */
  kept({ state }: CheckpointDraft): void {
    assert(state instanceof DraftInFile, "a draft is kept by the store that made it");
    this.#kept = state.id;
  }

  isKept(draft: number): boolean {
    return draft === this.#kept;
  }

  write(draft: number, place: number, text: string): void {
    explained(this.#db.name, () => this.#insert.run(draft, place, text));
  }

  /**
   * As `write`, outside of a transaction and without a sync of its own: the commit that names the draft syncs all of the
   * write-ahead log before it, and until then nothing of the draft counts.
   */
  writeUnsynced(draft: number, place: number, text: string): void {
    this.#db.pragma("synchronous = NORMAL");
    try {
      this.write(draft, place, text);
    } finally {
      this.#db.pragma("synchronous = FULL");
    }
  }

  drop(draft: number): void {
    this.#drop.run(draft);
  }
}

class DraftInFile implements StateDraft {
  readonly id: number;
  readonly #table: CheckpointTable;
  #written = 0;
  #waiting: string[] = [];
  #waitingChars = 0;

  constructor(id: number, table: CheckpointTable) {
    this.id = id;
    this.#table = table;
  }

  add(piece: string): void {
    this.#waiting.push(piece);
    this.#waitingChars += piece.length;
    if (this.#waitingChars < PIECE_CHARS) return;
    this.#table.writeUnsynced(this.id, this.#written, this.#waiting.join(""));
    this.#written += 1;
    this.#waiting = [];
    this.#waitingChars = 0;
  }

  /** What is not yet in the file. It stays here as well, in case the transaction fails. */
  writeRest(): void {
    this.#table.write(this.id, this.#written, this.#waiting.join(""));
  }

  discard(): void {
    if (this.#table.isKept(this.id) || this.#written === 0) return;
    try {
      this.#table.drop(this.id);
    } catch {
      // Closed, or a disk that takes nothing: the next start drops it.
    }
  }
}
