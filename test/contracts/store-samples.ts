/** What the store suites put into a store. */
import type { Command, CommandConflict } from "../../src/core/command.ts";
import { formatHlc } from "../../src/core/hlc.ts";
import { type EngineId, type IdKind, type IdOfKind, makeId } from "../../src/core/ids.ts";
import type { Ids } from "../../src/ports/basics.ts";
import type { Adoption, CheckpointDraft, LeadershipEntry, Store, StoredCheckpoint } from "../../src/ports/store.ts";

export const ENGINE_A: EngineId = makeId("engine", "a0000000000000000000a");
export const ENGINE_B: EngineId = makeId("engine", "b0000000000000000000b");

/** The instant at which these logs begin. */
export const START_UNIX_MS = 1_700_000_000_000;

/** Ids that count, so that a failure reads the same every time. */
export class CountedIds implements Ids {
  #count = 0;

  next<K extends IdKind>(kind: K): IdOfKind[K] {
    this.#count += 1;
    return makeId(kind, String(this.#count).padStart(21, "0"));
  }
}

/** Command `seq` as engine a accepted it, one ms after the one before. */
export function command(seq: number, given: Partial<Command> = {}): Command {
  const origin = given.origin ?? ENGINE_A;
  const originSeq = given.originSeq ?? seq;
  const unixMs = START_UNIX_MS + seq;
  return {
    seq,
    epoch: 1,
    hlc: formatHlc({ unixMs, counter: 0, origin }),
    executeAtUs: unixMs * 1_000 + 40_000,
    kind: "POST /engine/me/0/cut",
    payload: { input: seq, note: "Größe ▸ \u{1f3ac}" },
    origin,
    originSeq,
    idempotencyKey: null,
    clock: { [origin]: originSeq },
    ...given,
  };
}

/** Commands `from` to `to`, both included. */
export function commands(from: number, to: number, given: Partial<Command> = {}): readonly Command[] {
  return Array.from({ length: to - from + 1 }, (_, index) => command(from + index, given));
}

/** Everything that can be read from a store, to see that nothing changed. */
export function everythingIn(store: Store): unknown {
  return {
    state: store.load(),
    page: store.commandsAfter(0, 1_000),
    firstHeldSeq: store.firstHeldSeq(),
    shape: store.logShape(),
    keys: store.recentKeys(1_000),
    conflicts: store.conflicts(1_000),
    leadership: store.leadership(1_000),
  };
}

export function conflict(id: string, given: Partial<CommandConflict> = {}): CommandConflict {
  return {
    id,
    kind: "command",
    divergent: command(5),
    standing: [command(5, { epoch: 2 })],
    divergentFrom: "a",
    forkSeq: 4,
    winnerEpoch: 2,
    outcome: "superseded",
    reason: "the leader's commands stand",
    detectedAtUnixMs: START_UNIX_MS,
    resolution: null,
    ...given,
  };
}

export function leadership(epoch: number, given: Partial<LeadershipEntry> = {}): LeadershipEntry {
  return {
    epoch,
    leader: epoch % 2 === 1 ? "a" : "b",
    fromUnixMs: START_UNIX_MS + epoch * 1_000 + 0.25,
    toUnixMs: null,
    cause: "handover",
    by: "automation",
    reason: "",
    tookMs: 8.5,
    ...given,
  };
}

/** An adoption whose state is not yet drafted. */
export type SampleAdoption = Omit<Adoption, "checkpoint"> & { readonly checkpoint: StoredCheckpoint };

/** An adoption of epoch 2 that keeps through `keepThroughSeq` and brings `brought`. */
export function adoption(
  keepThroughSeq: number,
  brought: readonly Command[],
  given: Partial<SampleAdoption> = {},
): SampleAdoption {
  const last = brought.at(-1);
  return {
    keepThroughSeq,
    commands: brought,
    base: null,
    checkpoint: {
      position: { epoch: last?.epoch ?? 1, seq: last?.seq ?? keepThroughSeq },
      state: { program: "adopted" },
    },
    keys: [],
    conflicts: [],
    outbox: [],
    baseClock: { [ENGINE_A]: keepThroughSeq },
    hlc: formatHlc({ unixMs: START_UNIX_MS + 5_000, counter: 0, origin: ENGINE_B }),
    acceptedEpoch: 2,
    lockFence: 7,
    ...given,
  };
}

export function adopt(store: Store, sample: SampleAdoption): void {
  store.adopt({ ...sample, checkpoint: drafted(store, sample.checkpoint) });
}

export function saveCheckpoint(store: Store, checkpoint: StoredCheckpoint): void {
  store.saveCheckpoint(drafted(store, checkpoint));
}

function drafted(store: Store, { position, state }: StoredCheckpoint): CheckpointDraft {
  const draft = store.draftState();
  draft.add(JSON.stringify(state));
  return { position, state: draft };
}
