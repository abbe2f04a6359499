/** How far each place's wall clock is from the true time, and ever was: what another place may remember of it. */
import { type HostClock, WORLD_EPOCH_UNIX_MS } from "../ground/host-clock.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

export class WallClocks implements Watch {
  readonly #world: World;
  readonly #errorsMs = new Map<string, number[]>();

  constructor(world: World) {
    this.#world = world;
  }

  clockSteps(place: string): void {
    this.#note(place, this.errorMs(place));
  }

  wallStepped(place: string, byMs: number): void {
    this.#note(place, this.errorMs(place) - byMs);
  }

  /** What the wall clock of `place` shows; null: there is no such place. */
  unixMs(place: string): number | null {
    return this.#clockOf(place)?.unixMs(this.#world.nowMs) ?? null;
  }

  errorMs(place: string): number {
    return (this.unixMs(place) ?? 0) - this.trueUnixMs;
  }

  get trueUnixMs(): number {
    return WORLD_EPOCH_UNIX_MS + this.#world.nowMs;
  }

  /** What the clocks of all places but this one show, and ever showed. */
  errorsOfOthersMs(place: string): readonly number[] {
    const others = ["a", "b", ...this.#world.around.map(({ name }) => name)].filter((name) => name !== place);
    return others.flatMap((name) => [...(this.#errorsMs.get(name) ?? []), this.errorMs(name)]);
  }

  #clockOf(place: string): HostClock | null {
    const { processes, around } = this.#world;
    if (place === "a" || place === "b") return processes[place].machine.clock;
    return around.find(({ name }) => name === place)?.clock ?? null;
  }

  #note(place: string, error: number): void {
    this.#errorsMs.set(place, [...(this.#errorsMs.get(place) ?? []), error]);
  }
}
