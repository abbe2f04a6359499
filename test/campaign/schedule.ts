/**
 * Which faults a round plays, and when: a pure function of the seed, the policy, the witness and the engine, so that
 * the same seed plays the same round again.
 *
 * About half of the rounds have a second fault inside the recovery from the first: 200 ms to 2 s after it, or at the
 * moment when the two engines begin to reconcile a split.
 */
export type Policy = "on-air" | "consistency";
export type WitnessKind = "redis" | "sqlite";
export type EngineKind = "embedded" | "http";

export interface RoundPlan {
  readonly seed: number;
  readonly policy: Policy;
  readonly witness: WitnessKind;
  readonly engine: EngineKind;
}

/**
 * Whom a fault befalls. `first` leads when the round begins, `second` follows then; `leader` and `other` are looked up
 * when the fault begins.
 */
export type Whom = "first" | "second" | "leader" | "other";
export type Network = "red" | "blue" | "both";

export type Fault =
  | { readonly kind: "kill" | "terminate" | "freeze"; readonly whom: Whom }
  | { readonly kind: "kill-engine" | "terminate-engine" | "freeze-engine"; readonly whom: Whom }
  /** What `from` says on this network no longer reaches the other engine; null: nothing passes either way. */
  | { readonly kind: "cut"; readonly network: Network; readonly from: Whom | null }
  | { readonly kind: "cut-witness"; readonly whom: Whom | "both" }
  /** Neither peer nor witness can be reached from here, nor it from them. */
  | { readonly kind: "isolate"; readonly whom: Whom }
  | { readonly kind: "delay"; readonly network: Network; readonly delayMs: number }
  | { readonly kind: "stall"; readonly network: Network }
  | { readonly kind: "kill-witness" | "empty-witness" | "pause-witness" }
  | { readonly kind: "fill-disk"; readonly whom: Whom }
  | { readonly kind: "step-clock"; readonly whom: Whom; readonly byMs: number }
  /** Kill, put the copy of the data folder back that was made when the round began, start. */
  | { readonly kind: "restore-folder"; readonly whom: Whom }
  | { readonly kind: "force-leader"; readonly whom: Whom; readonly mode: "graceful" | "immediate" }
  | { readonly kind: "handover" | "maintenance" };

export type FaultKind = Fault["kind"];

export interface Step {
  readonly fault: Fault;
  /** Ms after the load began, or after the trigger. */
  readonly atMs: number;
  /**
   * Waits until either engine says that it reconciles a split, or that it has saved the conflicts and the other's state is
   * not replaced yet; at most until everything is healed.
   */
  readonly after?: "reconciling" | "verifying";
  /** How long it lasts, ms; what cannot last, such as an emptied witness, ignores it. */
  readonly lastsMs: number;
}

export interface Schedule {
  readonly plan: RoundPlan;
  /** Peer links go through a proxy that can delay and stall. */
  readonly proxied: boolean;
  /** The data folders lie on a small disk each. */
  readonly smallDisk: boolean;
  /** The engines run with a wall clock that can be stepped. */
  readonly fakeClock: boolean;
  /** Until all is healed, `first`: only the one who led first is given commands, so that the other has none of its own. */
  readonly load: "both" | "first";
  /** Ascending by time; a triggered step comes last. */
  readonly steps: readonly Step[];
}

const FIRST_FAULT_MS = 300;
const LONGEST_MS = 1_800;
const SHORTEST_MS = 120;
/** Long enough for a lease to lapse and the other engine to lead. */
const SPLIT_MS = 1_300;
/** Longer than a follower that is behind waits for the other engine (staleTakeoverMs), so that it leads meanwhile. */
const LONG_MS = 5_500;
const SECOND_FAULT_SHARE = 0.5;
/** Of the rounds that may split: how many have their second fault in the reconciliation. */
const AIMED_SHARE = 0.25;
const CLOCK_STEPS_MS = [-86_400_000, -5_000, -700, 700, 5_000, 3_600_000, 86_400_000] as const;

/** Numbers from 0 up to 1, the same for the same seed (mulberry32 by Tommy Ettinger, public domain). */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}

export function scheduleOf(plan: RoundPlan): Schedule {
  const draw = new Draw(plan.seed);
  const isAimed = draw.chance(AIMED_SHARE);
  const load = draw.chance(isAimed ? 0.5 : 0.1) ? "first" : "both";
  const steps = isAimed ? aimedSteps(draw, plan, load) : randomSteps(draw, plan);
  const kinds = new Set(steps.map(({ fault }) => fault.kind));
  return {
    plan,
    proxied: kinds.has("delay") || kinds.has("stall"),
    smallDisk: kinds.has("fill-disk"),
    fakeClock: kinds.has("step-clock"),
    load,
    steps,
  };
}

function randomSteps(draw: Draw, plan: RoundPlan): readonly Step[] {
  const first = { fault: drawFault(draw, plan), atMs: FIRST_FAULT_MS + draw.between(0, 300), lastsMs: drawSpan(draw) };
  if (!draw.chance(SECOND_FAULT_SHARE)) return [first];
  // Inside the fault, or inside the recovery from it: both lie 200 ms to 2 s after its beginning or its end.
  const since = draw.chance(0.5) ? first.atMs : first.atMs + first.lastsMs;
  const second = { fault: drawFault(draw, plan), atMs: since + draw.between(200, 2_000), lastsMs: drawSpan(draw) };
  return [first, second];
}

/** A split with commands on both sides, then a fault in the middle of the reconciliation. */
function aimedSteps(draw: Draw, plan: RoundPlan, load: Schedule["load"]): readonly Step[] {
  const [atMs, lastsMs] = [FIRST_FAULT_MS, SPLIT_MS + draw.between(0, 500)];
  // The way to the witness may come back later than the link: then a death of the other engine is the only proof.
  const laterMs = draw.chance(0.6) ? draw.between(500, 3_000) : 0;
  const split: Step[] = [
    { fault: { kind: "cut", network: "both", from: null }, atMs, lastsMs },
    { fault: { kind: "cut-witness", whom: "first" }, atMs, lastsMs: lastsMs + laterMs },
  ];
  // Frozen with a command in its hands, and nobody was told: it wakes up behind the other engine. Where that has commands of
  // its own the two must be reconciled anyway; where it has none, what it noted of the command is all that it has.
  const frozen: Step[] = draw.chance(load === "first" ? 0.8 : 0.3)
    ? [{ fault: { kind: "freeze", whom: "first" }, atMs: atMs + draw.between(20, 80), lastsMs }]
    : [];
  const during: readonly Fault[] = [
    { kind: "kill", whom: "leader" },
    { kind: "kill", whom: "leader" },
    { kind: "kill", whom: "leader" },
    { kind: "kill", whom: "other" },
    { kind: "kill", whom: "first" },
    { kind: "freeze", whom: "leader" },
    { kind: "freeze", whom: "other" },
    { kind: "terminate", whom: "leader" },
    { kind: "cut", network: "both", from: null },
    { kind: plan.witness === "redis" ? "kill-witness" : "empty-witness" },
  ];
  const staysMs = draw.chance(0.4) ? LONG_MS + draw.between(0, 1_000) : drawSpan(draw);
  const second = {
    fault: draw.pick(during),
    atMs: draw.between(0, 60),
    after: "reconciling",
    lastsMs: staysMs,
  } as const;
  // The last step of a reconciliation is short: who aims at it must not wait.
  return [...split, ...frozen, draw.chance(0.5) ? second : { ...second, atMs: 0, after: "verifying" }];
}

function drawSpan(draw: Draw): number {
  return draw.between(SHORTEST_MS, LONGEST_MS);
}

function drawFault(draw: Draw, plan: RoundPlan): Fault {
  const kinds = KINDS.filter(({ only }) => only === undefined || only(plan));
  let left = draw.next() * kinds.reduce((sum, { weight }) => sum + weight, 0);
  for (const kind of kinds) {
    left -= kind.weight;
    if (left < 0) return kind.make(draw, plan);
  }
  throw new Error("no fault was drawn");
}

const WHOM: readonly Whom[] = ["first", "second", "leader", "other"];
/** Faults of the one who leads say more than those of the one who follows. */
const RATHER_THE_LEADER: readonly Whom[] = ["first", "first", "leader", "leader", "second", "other"];

interface KindOfFault {
  readonly weight: number;
  readonly only?: (plan: RoundPlan) => boolean;
  readonly make: (draw: Draw, plan: RoundPlan) => Fault;
}

const isHttp = ({ engine }: RoundPlan): boolean => engine === "http";

const KINDS: readonly KindOfFault[] = [
  { weight: 5, make: (draw) => ({ kind: "kill", whom: draw.pick(RATHER_THE_LEADER) }) },
  { weight: 2, make: (draw) => ({ kind: "terminate", whom: draw.pick(RATHER_THE_LEADER) }) },
  { weight: 4, make: (draw) => ({ kind: "freeze", whom: draw.pick(RATHER_THE_LEADER) }) },
  { weight: 3, make: (draw) => ({ kind: "cut", network: "both", from: draw.pick([null, ...WHOM]) }) },
  {
    weight: 2,
    make: (draw) => ({ kind: "cut", network: draw.pick(["red", "blue"]), from: draw.pick([null, ...WHOM]) }),
  },
  { weight: 2, make: (draw) => ({ kind: "cut-witness", whom: draw.pick([...WHOM, "both"]) }) },
  { weight: 4, make: (draw) => ({ kind: "isolate", whom: draw.pick(RATHER_THE_LEADER) }) },
  {
    weight: 2,
    make: (draw) => ({ kind: "delay", network: draw.pick(["red", "blue", "both"]), delayMs: draw.between(5, 300) }),
  },
  { weight: 2, make: (draw) => ({ kind: "stall", network: draw.pick(["red", "blue", "both"]) }) },
  { weight: 2, make: () => ({ kind: "kill-witness" }) },
  { weight: 2, make: () => ({ kind: "empty-witness" }) },
  { weight: 2, make: () => ({ kind: "pause-witness" }) },
  { weight: 2, make: (draw) => ({ kind: "fill-disk", whom: draw.pick(RATHER_THE_LEADER) }) },
  {
    weight: 2,
    make: (draw) => ({ kind: "step-clock", whom: draw.pick(RATHER_THE_LEADER), byMs: draw.pick(CLOCK_STEPS_MS) }),
  },
  { weight: 2, make: (draw) => ({ kind: "restore-folder", whom: draw.pick(WHOM) }) },
  {
    weight: 2,
    make: (draw) => ({ kind: "force-leader", whom: draw.pick(WHOM), mode: draw.pick(["graceful", "immediate"]) }),
  },
  { weight: 2, make: () => ({ kind: "handover" }) },
  { weight: 1, make: () => ({ kind: "maintenance" }) },
  { weight: 4, only: isHttp, make: (draw) => ({ kind: "kill-engine", whom: draw.pick(RATHER_THE_LEADER) }) },
  { weight: 1, only: isHttp, make: (draw) => ({ kind: "terminate-engine", whom: draw.pick(RATHER_THE_LEADER) }) },
  { weight: 3, only: isHttp, make: (draw) => ({ kind: "freeze-engine", whom: draw.pick(RATHER_THE_LEADER) }) },
];

/** One step as a person reads it. */
export function describeStep({ fault, atMs, after, lastsMs }: Step): string {
  const when = after === undefined ? `at ${atMs} ms` : `${atMs} ms after an engine says "${after}"`;
  return `${describeFault(fault)}, ${when}, for ${lastsMs} ms`;
}

/** The fault with its details; `label` stands for whom it befell, once that is known. */
export function describeFault(fault: Fault, label: string | null = null): string {
  const { kind, ...rest } = fault;
  const values: readonly [string, string | number | null][] = Object.entries(rest);
  const details = values.map(([name, value]) => (name === "whom" ? (label ?? value) : `${name} ${value ?? "either"}`));
  return [kind, ...details].join(" ");
}
