/**
 * Purpose: the person who looks after replication: skips dead letters, and once everything is well again asks spokes to
 * exchange now instead of after their back-off. Peers are looked after at the same time (`peer-keeper.ts`).
 * Keeps true: one dead letter is given up once, at one place.
 */
import type { Coordinator } from "../../coordinator/types.ts";
import type { Records } from "../../replication/records.ts";
import { lookAfterPeers } from "./peer-keeper.ts";
import type { World } from "../world/world.ts";

const LOOKS_EVERY_MS = 2_000;
const NOTES_READ = 10;
const SKIPPED_SHARE = 0.2;

/** Looks after the records of `world`, for as long as it runs. */
export class Caretaker {
  readonly #world: World;
  readonly #skipped = new Set<string>();
  #healed = false;

  constructor(world: World) {
    this.#world = world;
    if (world.around.length > 0 || world.ground.feed !== null) this.#lookLater();
  }

  /** All faults have been taken back. */
  healed(): void {
    this.#healed = true;
  }

  #lookLater(): void {
    this.#world.scheduler.after(LOOKS_EVERY_MS, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const { processes, spokes } = this.#world;
    for (const { label, running, coordinator } of [processes.a, processes.b]) {
      if (!running || coordinator === null) continue;
      try {
        this.#skipDead(coordinator.replication.records);
        this.#tryAgain(coordinator);
      } catch (error) {
        this.#world.rejected(label, error);
      }
    }
    if (this.#healed) for (const spoke of spokes) spoke.exchange();
    lookAfterPeers(this.#world, { healed: this.#healed });
  }

  /** Events that the feed refused: once it takes them again they are retried, one in a while is given up. */
  #tryAgain(coordinator: Coordinator): void {
    const { feed } = this.#world.ground;
    if (feed === null || feed.refuses) return;
    for (const { eventId } of coordinator.outbox().deadLetters) {
      const skips = this.#world.chanceOf("dead letters").chance(SKIPPED_SHARE);
      // What goes out in its place would be dropped, and nobody would hear of that change.
      const skipsNow = skips && !this.#skipped.has(eventId);
      if (skipsNow) this.#skipped.add(eventId);
      if (skipsNow) coordinator.skipEvent(eventId, "operator");
      else coordinator.retryEvent(eventId);
    }
  }

  #skipDead(records: Records): void {
    for (const { origin, originSeq, dead, reason } of records.setAside(NOTES_READ)) {
      const id = `${origin}/${originSeq}`;
      if (!dead || reason !== "unknown_action" || this.#skipped.has(id)) continue;
      if (records.skip(origin, originSeq).outcome === "skipped") this.#skipped.add(id);
    }
  }
}
