/**
 * The store of a simulated engine: the shipped SQLite store, with the memory store beside it as its model. Every call
 * goes to both, and both must answer the same [store]; the engine gets what the shipped one says. So the invariants can
 * read the model at any instant, also of a dead engine, and every mistake in the shipped SQL shows as a difference.
 */
import { isDeepStrictEqual } from "node:util";
import { MemoryStore } from "../../adapters/memory-store.ts";
import { SqliteStore } from "../../adapters/sqlite-store.ts";
import { ChangeoverError } from "../../core/errors.ts";
import { makeId } from "../../core/ids.ts";
import type { Ids } from "../../ports/basics.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Replica } from "../../ports/replica.ts";
import type { Adoption, CheckpointDraft, StateDraft, Store } from "../../ports/store.ts";
import type { SimDisk } from "./sim-disk.ts";

export interface PairedStoreParts {
  readonly ids: Ids;
  readonly disk: SimDisk;
  /** The two differ. */
  differs(detail: string): void;
  /** A write of the store has been committed. */
  wrote(method: string, args: readonly unknown[]): void;
}

/** Methods after which something new is durable. */
export const WRITES: ReadonlySet<string> = new Set([
  ...[
    "pinPeer",
    "saveEpochs",
    "resetEpochs",
    "saveMaintenance",
    "append",
    "saveCheckpoint",
    "compact",
    "adopt",
    "saveConflicts",
  ],
  ...["saveLeadership", "endLeadership", "saveRequest", "transaction"],
]);

/** Opens both. Throws what the memory store throws. */
export function openPairedStore(parts: PairedStoreParts): Store {
  const { disk } = parts;
  if (disk.content === null && disk.full)
    throw new ChangeoverError("store_full", "the disk is full", { retryable: true });
  const engineId = disk.content?.engineId ?? parts.ids.next("engine");
  const ids: Ids = { next: (kind) => (kind === "engine" ? (engineId as never) : makeId(kind, "none")) };
  const shipped = new SqliteStore({ ids }, { inMemory: disk.openDatabase() });
  // How far execution had come may be lost by a crash, and how much of it is each store's own affair.
  if (disk.content !== null) disk.content.lastExecutedSeq = shipped.load().lastExecutedSeq;
  const model = new MemoryStore({ ids, disk });
  const replica = pairedReplica(parts, model.replica, shipped.replica);
  const special = {
    replica,
    // The journal writes through the pair; so one of the two tells it, and that is the shipped one.
    setJournal: (journal: Journal | null) => shipped.setJournal(journal),
    draftState: () => new PairedDraft(model.draftState(), shipped.draftState()),
    saveCheckpoint: (checkpoint: CheckpointDraft) =>
      bothOf(parts, "saveCheckpoint", [checkpoint], (side) =>
        (side === "model" ? model : shipped).saveCheckpoint(checkpointOf(checkpoint, side)),
      ),
    adopt: (adoption: Adoption) =>
      bothOf(parts, "adopt", [adoption], (side) =>
        (side === "model" ? model : shipped).adopt({
          ...adoption,
          checkpoint: checkpointOf(adoption.checkpoint, side),
        }),
      ),
    close: () => {
      shipped.close();
      model.close();
      disk.ownerDied();
    },
  } satisfies Partial<Store>;
  return paired<Store>(parts, "store", model, shipped, special);
}

/** Changes what is on the disk of an engine that does not run, in both. Nothing on a full disk or an empty one. */
export function alterDisk(disk: SimDisk, alter: (store: Store) => void): void {
  const { content } = disk;
  if (content === null || disk.refuses) return;
  const differs = (detail: string): never => {
    throw new Error(`broken invariant: ${detail}`);
  };
  const store = openPairedStore({
    ids: { next: () => content.engineId as never },
    disk,
    differs,
    wrote: () => undefined,
  });
  alter(store);
  store.close();
}

/** The text of a state on its way to both. */
class PairedDraft implements StateDraft {
  readonly model: StateDraft;
  readonly shipped: StateDraft;

  constructor(model: StateDraft, shipped: StateDraft) {
    this.model = model;
    this.shipped = shipped;
  }

  add(piece: string): void {
    this.model.add(piece);
    this.shipped.add(piece);
  }

  discard(): void {
    this.model.discard();
    this.shipped.discard();
  }
}

function checkpointOf(checkpoint: CheckpointDraft, side: Side): CheckpointDraft {
  return { ...checkpoint, state: (checkpoint.state as PairedDraft)[side] };
}

function pairedReplica(parts: PairedStoreParts, model: Replica, shipped: Replica): Replica {
  const { disk } = parts;
  const part = <Name extends "ops" | "records" | "peerState" | "conflicts" | "outbox">(name: Name): Replica[Name] =>
    paired<Replica[Name]>(parts, name, model[name], shipped[name], {});
  return paired<Replica>(parts, "replica", model, shipped, {
    ops: part("ops"),
    records: part("records"),
    peerState: part("peerState"),
    conflicts: part("conflicts"),
    outbox: part("outbox"),
    transaction: (work) => {
      const result = disk.readOnly
        ? shipped.transaction(() => model.transaction(work))
        : model.transaction(() => shipped.transaction(work));
      parts.wrote("transaction", []);
      return result;
    },
  });
}

/** What SQLite says of a write to a read-only disk, in its own words within a transaction. */
const REFUSED_BY_SQLITE = /^data_folder_unusable$|readonly database/u;

type Side = "model" | "shipped";
type Method = (...args: unknown[]) => unknown;

function paired<Port extends object>(
  parts: PairedStoreParts,
  name: string,
  model: Port,
  shipped: Port,
  special: Partial<Port>,
): Port {
  const methods = new Map<string | symbol, unknown>(Object.entries(special));
  return new Proxy(shipped, {
    get: (_target, key) => {
      const known = methods.get(key);
      if (known !== undefined) return known;
      const [ours, theirs] = [Reflect.get(model, key, model), Reflect.get(shipped, key, shipped)] as [Method, Method];
      const method: Method = (...args) =>
        bothOf(parts, name === "store" ? String(key) : `${name}.${String(key)}`, args, (side) =>
          side === "model" ? ours.apply(model, args) : theirs.apply(shipped, args),
        );
      methods.set(key, method);
      return method;
    },
  });
}

/** Does it on both, the model first: that a disk is full, or the process dead, is the model's affair, and the file is not touched. */
function bothOf(
  parts: PairedStoreParts,
  method: string,
  args: readonly unknown[],
  call: (side: Side) => unknown,
): unknown {
  // A read-only disk is SQLite's affair: what it refuses never reaches the model.
  const first = parts.disk.readOnly ? outcomeOf(() => call("shipped")) : null;
  if (first !== null && REFUSED_BY_SQLITE.test(first.code ?? "")) throw first.error as Error;
  const model = outcomeOf(() => call("model"));
  if (model.code === "store_full" || model.code === "stopped") throw model.error as Error;
  const shipped = first ?? outcomeOf(() => call("shipped"));
  if (!same(model, shipped)) {
    parts.differs(`${method}: the shipped store says ${shown(shipped)}, its model ${shown(model)}`);
  }
  if (shipped.error !== null) throw shipped.error as Error;
  if (WRITES.has(method)) parts.wrote(method, args);
  return shipped.value;
}

interface Outcome {
  readonly value: unknown;
  readonly error: unknown;
  readonly code: string | null;
}

function outcomeOf(work: () => unknown): Outcome {
  try {
    return { value: work(), error: null, code: null };
  } catch (error) {
    return { value: null, error, code: error instanceof ChangeoverError ? error.code : String(error) };
  }
}

function same(model: Outcome, shipped: Outcome): boolean {
  if (model.code !== null || shipped.code !== null) return model.code === shipped.code;
  return model.value === shipped.value || isDeepStrictEqual(model.value, shipped.value);
}

function shown({ value, code }: Outcome): string {
  return code ?? (JSON.stringify(value) ?? "nothing").slice(0, 300);
}
