/**
 * The demonstration with a person at the keyboard: each key does one thing to the pair, and what came of it is
 * said with its time.
 * One thing at a time; a key that cannot be done now says why.
 */
import { messageOf } from "../exit.ts";
import { line } from "../output.ts";
import {
  freeze,
  handover,
  hangSwitcher,
  healLink,
  kill,
  killSwitcher,
  restart,
  thaw,
  wakeSwitchers,
  whyNoHandover,
  whyNoTakeOver,
} from "./faults.ts";
import { leads } from "./observe.ts";
import type { Plant } from "./plant.ts";
import type { Measured } from "./table.ts";

/** What stands on the screen. */
export const KEY_HELP = [
  "k kill the leader       f freeze it, and wake it     p cut the peer link, and heal it",
  "e kill its switcher     x hang it, and wake it       w stop the witness, and start it",
  "h handover              r restart what was killed    q quit",
];

interface Fault {
  readonly key: string;
  readonly name: string;
}

/** The same as buttons of the page. */
const FAULTS: readonly Fault[] = [
  { key: "k", name: "Kill the leader" },
  { key: "f", name: "Freeze or wake it" },
  { key: "p", name: "Cut or heal the peer link" },
  { key: "w", name: "Stop or start the witness" },
  { key: "h", name: "Hand over" },
  { key: "r", name: "Restart what was killed" },
];

/** Where the switchers are processes of their own. */
const SWITCHER_FAULTS: readonly Fault[] = [
  { key: "e", name: "Kill its switcher" },
  { key: "x", name: "Hang or wake its switcher" },
];

type Action = (plant: Plant) => Promise<Measured | string>;

/** The keys. */
export class Keys {
  readonly #plant: Plant;
  #busy = false;
  readonly #actions: Readonly<Record<string, Action>> = {
    k: (plant) => whenBackedUp(plant, kill),
    f: (plant) => (plant.engines.a.frozen || plant.engines.b.frozen ? thaw(plant) : whenBackedUp(plant, freeze)),
    e: (plant) => whenBackedUp(plant, killSwitcher),
    x: (plant) => (isHanging(plant) ? wakeSwitchers(plant) : whenBackedUp(plant, hangSwitcher)),
    p: (plant) => cutOrHeal(plant),
    h: async (plant) => (await whyNoHandover(plant)) ?? handover(plant),
    r: (plant) => restart(plant),
    w: async (plant) => cutOrHealWitness(plant),
  };

  constructor(plant: Plant) {
    this.#plant = plant;
  }

  /** What can be pressed, as buttons. */
  get faults(): readonly Fault[] {
    return this.#plant.switchers === null ? FAULTS : [...FAULTS, ...SWITCHER_FAULTS];
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
}

/** Takes the role from the leader only where the other engine would have it: a key says at once why it cannot. */
async function whenBackedUp(plant: Plant, act: (plant: Plant) => Promise<Measured>): Promise<Measured | string> {
  if (plant.switchers === null && (act === killSwitcher || act === hangSwitcher)) {
    return "the switcher is inside its coordinator here";
  }
  return (await whyNoTakeOver(plant)) ?? act(plant);
}

function isHanging({ switchers }: Plant): boolean {
  return switchers !== null && (switchers.a.frozen || switchers.b.frozen);
}

async function cutOrHeal(plant: Plant): Promise<Measured | string> {
  if (plant.linkCut) return healLink(plant);
  plant.cutLink();
  const leading = await Promise.all((["a", "b"] as const).map((label) => leads(plant.engines[label].url)));
  const label = (["a", "b"] as const).find((_label, at) => leading[at] === true);
  return `the peer link is cut; ${label === undefined ? "no engine leads now" : `${label} leads on`}`;
}

function cutOrHealWitness(plant: Plant): string {
  plant.witnessCut = !plant.witnessCut;
  for (const label of ["a", "b"] as const) {
    if (plant.witnessCut) plant.witness.cut(label);
    else plant.witness.heal(label);
  }
  return plant.witnessCut ? "the witness is out of reach for both" : "the witness is back";
}
