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

/** The same as buttons of the page. */
export const FAULTS = [
  { key: "k", name: "Kill the leader" },
  { key: "f", name: "Freeze or wake it" },
  { key: "p", name: "Cut or heal the peer link" },
  { key: "w", name: "Stop or start the witness" },
  { key: "h", name: "Hand over" },
  { key: "r", name: "Restart what was killed" },
] as const;

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

  /** Does what the key says, prints what came of it, and returns that. */
  async press(key: string): Promise<string> {
    const action = this.#actions[key];
    if (action === undefined) return "";
    const told = this.#busy ? "wait: the last one is still being answered" : await this.#act(action);
    line(`  ${told}`);
    return told;
  }

  async #act(action: Action): Promise<string> {
    this.#busy = true;
    try {
      const done = await action(this.#plant);
      return typeof done === "string" ? done : `${done.what}: ${done.ms.toFixed(1)} ms (${done.note})`;
    } catch (error) {
      return messageOf(error);
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
