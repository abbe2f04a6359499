/**
 * Purpose: the demonstration with a person at the keyboard: each key does one thing to the pair, and what came of it is
 * said with its time.
 * Keeps true: one thing at a time; a key that cannot be done now says why.
 */
import { messageOf } from "../exit.ts";
import { line } from "../output.ts";
import { freeze, handover, healLink, kill, leaderOf, restart, thaw } from "./faults.ts";
import type { Plant } from "./plant.ts";
import type { Measured } from "./table.ts";

/** What stands on the screen. */
export const KEY_HELP = [
  "k kill the leader       f freeze it, and wake it     p cut the peer link, and heal it",
  "w stop the witness      h handover                   r restart what was killed     q quit",
];

type Action = (plant: Plant) => Promise<Measured | string>;

/** The keys, and what is cut or frozen at this moment. */
export class Keys {
  readonly #plant: Plant;
  #frozen = false;
  #linkCut = false;
  #witnessCut = false;
  #busy = false;
  readonly #actions: Readonly<Record<string, Action>> = {
    k: (plant) => kill(plant),
    f: (plant) => this.#freezeOrThaw(plant),
    p: (plant) => this.#cutOrHeal(plant),
    w: async (plant) => this.#cutOrHealWitness(plant),
    h: (plant) => handover(plant),
    r: (plant) => restart(plant),
  };

  constructor(plant: Plant) {
    this.#plant = plant;
  }

  /** Does what the key says, and says what came of it. */
  async press(key: string): Promise<void> {
    const action = this.#actions[key];
    if (action === undefined) return;
    if (this.#busy) return line("  wait: the last key is still being answered");
    this.#busy = true;
    try {
      const done = await action(this.#plant);
      line(typeof done === "string" ? `  ${done}` : `  ${done.what}: ${done.ms.toFixed(1)} ms (${done.note})`);
    } catch (error) {
      line(`  ${messageOf(error)}`);
    } finally {
      this.#busy = false;
    }
  }

  async #freezeOrThaw(plant: Plant): Promise<Measured> {
    this.#frozen = !this.#frozen;
    return this.#frozen ? freeze(plant) : thaw(plant);
  }

  async #cutOrHeal(plant: Plant): Promise<Measured | string> {
    this.#linkCut = !this.#linkCut;
    if (!this.#linkCut) return healLink(plant);
    plant.cutLink();
    return `the peer link is cut; ${await leaderOf(plant)} leads on`;
  }

  #cutOrHealWitness(plant: Plant): string {
    this.#witnessCut = !this.#witnessCut;
    for (const label of ["a", "b"] as const) {
      if (this.#witnessCut) plant.witness.cut(label);
      else plant.witness.heal(label);
    }
    return this.#witnessCut ? "the witness is out of reach for both" : "the witness is back";
  }
}
