/** The load balancer: asks both engines `GET /leader` and `GET /ready` all along, also one that is frozen and answers when it wakes. */
import type { Label } from "../../core/ids.ts";
import type { Prng } from "../ground/prng.ts";
import type { World } from "../world/world.ts";

const ASKS_EVERY_MS = 80;

export class Balancer {
  readonly #world: World;
  readonly #chance: Prng;

  constructor(world: World) {
    this.#world = world;
    this.#chance = world.chanceOf("balancer");
  }

  start(): void {
    for (const label of ["a", "b"] as const) this.#askLater(label);
  }

  #askLater(label: Label): void {
    const { scheduler } = this.#world;
    scheduler.after(this.#chance.between(0, 2 * ASKS_EVERY_MS), () => {
      this.#askLater(label);
      const { life, coordinator, serving } = this.#world.processes[label];
      if (life === null || coordinator === null || !serving) return;
      scheduler.enter(life, "arrival", () => {
        const leads = coordinator.mayAct();
        const { ready } = coordinator.readiness();
        this.#world.watchers.each((watch) => {
          watch.leaderAnswered?.(label, leads);
          watch.readyAnswered?.(label, ready);
        });
      });
    });
  }
}
