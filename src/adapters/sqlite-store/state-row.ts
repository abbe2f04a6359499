/**
 * The one row of what an engine is and has reached.
 * Epochs, the fence and the stamp never fall, in SQL itself; `setEpochs` alone lowers epochs.
 */
import type { Database, Statement } from "better-sqlite3";
import { hlcZero } from "../../core/hlc.ts";
import type { EngineId } from "../../core/ids.ts";
import type { Maintenance } from "../../core/messages.ts";
import type { VectorClock } from "../../core/vector-clock.ts";
import type { StoredState } from "../../ports/store.ts";
import { readClock, readObject } from "./errors.ts";

/** What the row holds; the log, the checkpoint and the peer's key have tables of their own. */
export type StateRow = Omit<StoredState, "log" | "checkpoint" | "pinnedPeer" | "flaw"> & {
  readonly pinnedId: EngineId | null;
  /** The clock of the commands below the lowest one that is held; null: written before that was kept. */
  readonly baseClock: VectorClock | null;
};

interface Columns {
  readonly engine_id: string;
  readonly pinned_peer: string | null;
  readonly highest_epoch: number;
  readonly accepted_epoch: number;
  readonly hlc: string;
  readonly clock: string;
  readonly last_executed_seq: number;
  readonly lock_fence: number;
  readonly maintenance: string | null;
  readonly base_clock: string | null;
  readonly highest_own_seq: number;
}

/** Gives a new file its row. */
export function createStateRow(db: Database, engineId: EngineId): void {
  db.prepare(
    `INSERT INTO state (id, engine_id, highest_epoch, accepted_epoch, hlc, clock, last_executed_seq, lock_fence, base_clock)
     VALUES (1, ?, 0, 0, ?, '{}', 0, 0, '{}')`,
  ).run(engineId, hlcZero(engineId));
}

/** The statements on the row. All of them are called inside a transaction. */
export class StateTable {
  readonly #db: Database;
  readonly #pin: Statement<[string | null]>;
  readonly #epochs: Statement<[number, number]>;
  readonly #fence: Statement<[number]>;
  readonly #maintenance: Statement<[string]>;
  readonly #reached: Statement<[string, string, string]>;
  readonly #own: Statement<[number]>;
  readonly #executed: Statement<[number]>;

  constructor(db: Database) {
    this.#db = db;
    this.#pin = db.prepare("UPDATE state SET pinned_peer = ?");
    this.#epochs = db.prepare(
      "UPDATE state SET highest_epoch = max(highest_epoch, ?), accepted_epoch = max(accepted_epoch, ?)",
    );
    this.#fence = db.prepare("UPDATE state SET lock_fence = max(lock_fence, ?)");
    this.#maintenance = db.prepare("UPDATE state SET maintenance = ?");
    this.#reached = db.prepare("UPDATE state SET clock = ?, base_clock = ?, hlc = max(hlc, ?)");
    this.#own = db.prepare("UPDATE state SET highest_own_seq = max(highest_own_seq, ?)");
    this.#executed = db.prepare("UPDATE state SET last_executed_seq = ?");
  }

  /** Throws `corrupt_clock` and `store_corrupt`. */
  read(): StateRow {
    const row = this.#db.prepare<[], Columns>("SELECT * FROM state").get();
    if (row === undefined) throw new Error("broken invariant: a store is made with its state row");
    return {
      engineId: row.engine_id as EngineId,
      pinnedId: row.pinned_peer as EngineId | null,
      highestEpoch: row.highest_epoch,
      acceptedEpoch: row.accepted_epoch,
      hlc: row.hlc,
      clock: readClock(row.clock, "clock of the engine"),
      baseClock: row.base_clock === null ? null : readClock(row.base_clock, "clock below the log"),
      highestOwnSeq: row.highest_own_seq,
      lastExecutedSeq: row.last_executed_seq,
      lockFence: row.lock_fence,
      maintenance: row.maintenance === null ? null : readObject<Maintenance>(row.maintenance, "maintenance"),
    };
  }

  pinPeer(engineId: EngineId | null): void {
    this.#pin.run(engineId);
  }

  raiseEpochs(highestEpoch: number, acceptedEpoch: number): void {
    this.#epochs.run(Math.max(highestEpoch, acceptedEpoch), acceptedEpoch);
  }

  /** Also to lower ones. */
  setEpochs(highestEpoch: number, acceptedEpoch: number): void {
    this.#db.prepare("UPDATE state SET highest_epoch = ?, accepted_epoch = ?").run(highestEpoch, acceptedEpoch);
  }

  raiseFence(lockFence: number): void {
    this.#fence.run(lockFence);
  }

  saveMaintenance(maintenance: Maintenance): void {
    this.#maintenance.run(JSON.stringify(maintenance));
  }

  saveReached(clock: VectorClock, baseClock: VectorClock, hlc: string): void {
    this.#reached.run(JSON.stringify(clock), JSON.stringify(baseClock), hlc);
  }

  raiseOwn(highestOwnSeq: number): void {
    this.#own.run(highestOwnSeq);
  }

  saveExecuted(seq: number): void {
    this.#executed.run(seq);
  }
}
