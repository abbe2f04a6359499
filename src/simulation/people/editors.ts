/**
 * Purpose: those who edit records: on the engines, the spokes and the sites, whether these reach anybody or not. Now and then one
 * settles a conflict, and in some worlds one spoke has a newer program that writes what the others do not know.
 * Keeps true: every change is told to the onlookers only when its place has said that it is written.
 */
import { makeId } from "../../core/ids.ts";
import { recordOrigin, type Op } from "../../core/operation.ts";
import { checksumOfOp } from "../../replication/record-log.ts";
import type { Records } from "../../replication/records.ts";
import type { Prng } from "../ground/prng.ts";
import type { SimSpoke } from "../world/sim-spoke.ts";
import type { World } from "../world/world.ts";

const THINKING_MS = 500;
const BURST_SHARE = 0.03;
const BURST_CHANGES = 24;
const DELETE_SHARE = 0.15;
const RESOLVE_SHARE = 0.05;
const FIELDS = [
  ["macro", "opening"],
  ["macro", "closing"],
  ["layout", "two up"],
  ["layout", "full"],
  ["source", "camera 1"],
] as const;
const CONFLICTS_READ = 20;

/** Counts of what editors did. */
export interface RecordTally {
  written: number;
  resolved: number;
}

/** The editors of a world. */
export class Editors {
  readonly #world: World;
  readonly #tally: RecordTally;
  readonly #chance: Prng;
  #stopped = false;

  constructor(world: World, init: { readonly tally: RecordTally }) {
    this.#world = world;
    this.#tally = init.tally;
    this.#chance = world.chanceOf("editors");
  }

  start(): void {
    this.#think();
  }

  stop(): void {
    this.#stopped = true;
  }

  #think(): void {
    this.#world.scheduler.after(this.#chance.waiting(THINKING_MS), () => {
      if (this.#stopped) return;
      this.#edit();
      this.#think();
    });
  }

  #edit(): void {
    const chance = this.#chance;
    const { name, records } = chance.pick(this.#desks());
    const changes = chance.chance(BURST_SHARE) ? BURST_CHANGES : 1;
    const resolves = chance.chance(RESOLVE_SHARE);
    if (records === null) return;
    try {
      if (resolves) this.#resolve(name, records);
      for (let made = 0; made < changes; made += 1) this.#change(records);
    } catch (error) {
      this.#world.rejected(name, error);
    }
  }

  /** Where one can sit down; no records where nothing runs. */
  #desks(): readonly { readonly name: string; readonly records: Records | null }[] {
    const { processes, around } = this.#world;
    const engines = [processes.a, processes.b].map(({ label, running, coordinator }) => ({
      name: label,
      records: running ? (coordinator?.replication.records ?? null) : null,
    }));
    return [...engines, ...around.map(({ name, replication }) => ({ name, records: replication?.records ?? null }))];
  }

  #change(records: Records): void {
    const chance = this.#chance;
    const [entity, field] = chance.pick(FIELDS);
    const deletes = chance.chance(DELETE_SHARE);
    const value = chance.whole(1, 4);
    const written = deletes ? records.delete(entity, field) : records.set(entity, field, value);
    if (written?.outcome === "written") this.#tally.written += 1;
  }

  #resolve(name: string, records: Records): void {
    const known = this.#world.contentOf(name)?.conflicts.values() ?? [];
    const open = [...known].filter(({ kind, outcome }) => kind === "record" && outcome === "open");
    const conflict = open.slice(-CONFLICTS_READ)[0];
    if (conflict === undefined) return;
    const answer = records.resolve(conflict.id, { choice: this.#chance.pick(["keep", "reapply"] as const) }, "editor");
    if (answer.outcome === "resolved") this.#tally.resolved += 1;
  }
}

/** A newer program on `spoke` writes an operation of a kind that the others do not know. */
export function writePoison(world: World, spoke: SimSpoke): void {
  const { parts: given, replication } = { parts: spoke.parts, replication: spoke.replication };
  if (given === null || replication === null || spoke.disk.full) return;
  const { parts, stamps } = given;
  const { replica } = parts.store;
  const origin = recordOrigin(parts.store.load().engineId);
  const vector = replica.ops.vector();
  const originSeq = (vector[origin] ?? 0) + 1;
  const made = { origin, originSeq, hlc: stamps.next(), epoch: 0, kind: "explode" as Op["kind"], entity: "macro" };
  const unsigned = { ...made, field: "opening", payload: null, clock: { ...vector, [origin]: originSeq } };
  const op = { ...unsigned, checksum: checksumOfOp(parts.digest, unsigned) };
  replica.transaction(() => {
    replica.ops.add({ op, arrival: stamps.arrive(), via: "" });
    replica.ops.raiseVector(origin, originSeq);
    replica.raiseHlc(stamps.last);
  });
  world.trace.note(world.nowMs, spoke.name, "writes poison", originSeq, makeId("conflict", origin));
  world.watchers.each((watch) => watch.recorded?.(spoke.name, op, ""));
}
