/**
 * Purpose: the clients of the pair: control panels that send commands with idempotency keys, follow redirections, and
 * ask again, also at the other engine, when no answer comes.
 * Now and then a panel is broken: it uses the key of an accepted command for another one.
 */
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Durability } from "../../core/command.ts";
import type { CommandInput, SubmitOutcome } from "../../core/outcomes.ts";
import type { Prng } from "../ground/prng.ts";
import type { Submission } from "../world/watch.ts";
import type { World } from "../world/world.ts";

const THINKING_MS = 250;
const BURST_SHARE = 0.03;
const BURST_COMMANDS = 20;
const FAILING_SHARE = 0.05;
const TOGGLE_SHARE = 0.2;
const LOST_ANSWER_SHARE = 0.02;
const ANSWER_LIMIT_MS = 600;
const RETRY_AFTER_MS = 60;
const MOST_ATTEMPTS = 8;
const MISUSE_SHARE = 0.01;
const REQUEST_TAKES_MS = 0.4;
const KINDS = ["POST /api/switch/cut", "POST /api/switch/auto", "POST /api/audio/level", "POST /api/graphics/on"];

/** Counts of what clients got. */
export interface ClientTally {
  submitted: number;
  acknowledgedPair: number;
  acknowledgedLocal: number;
  givenUp: number;
  /** Commands whose client still waits or asks again. */
  open: number;
}

/** One control panel. */
export class Client {
  readonly #world: World;
  readonly #name: string;
  readonly #tally: ClientTally;
  readonly #chance: Prng;
  readonly #misuse: Prng;
  #believed: Label = "a";
  #count = 0;
  #stopped = false;

  constructor(world: World, init: { readonly name: string; readonly tally: ClientTally }) {
    this.#world = world;
    this.#name = init.name;
    this.#tally = init.tally;
    this.#chance = world.chanceOf(`client ${init.name}`);
    this.#misuse = world.chanceOf(`misuse ${init.name}`);
  }

  start(): void {
    this.#think();
  }

  /** Sends no new commands; what is under way is still asked for. */
  stop(): void {
    this.#stopped = true;
  }

  /** Sends one command now. */
  send(input: Partial<CommandInput> = {}): string {
    this.#count += 1;
    const key = `${this.#name}-${this.#count}`;
    this.#tally.submitted += 1;
    this.#tally.open += 1;
    this.#attempt({ ...this.#command(), idempotencyKey: key, ...input }, key, 1);
    return key;
  }

  #misuseKey(input: CommandInput, key: string): void {
    this.#tally.open += 1;
    this.#attempt({ ...input, payload: { misused: key } }, key, 1);
  }

  #think(): void {
    this.#world.scheduler.after(this.#chance.waiting(THINKING_MS), () => {
      if (this.#stopped) return;
      if (this.#world.nowMs < this.#world.quietUntilMs) return this.#think();
      const commands = this.#chance.chance(BURST_SHARE) ? BURST_COMMANDS : 1;
      for (let sent = 0; sent < commands; sent += 1) this.send();
      this.#think();
    });
  }

  #command(): CommandInput {
    const chance = this.#chance;
    const acks: readonly (Durability | undefined)[] = ["pair", "local", undefined, undefined];
    return {
      kind: chance.pick(KINDS),
      payload: chance.chance(FAILING_SHARE)
        ? { fail: true }
        : chance.chance(TOGGLE_SHARE)
          ? { toggle: "fade-to-black" }
          : { source: `CAM ${chance.whole(1, 8)}` },
      ack: chance.pick(acks),
    };
  }

  #attempt(input: CommandInput, key: string, attempt: number): void {
    if (attempt > MOST_ATTEMPTS) {
      this.#tally.givenUp += 1;
      this.#tally.open -= 1;
      return;
    }
    const { scheduler, processes } = this.#world;
    const to = this.#believed;
    let open = true;
    const again = (next: Label, afterMs: number): void => {
      if (!open) return;
      open = false;
      this.#believed = next;
      scheduler.after(afterMs, () => this.#attempt(input, key, attempt + 1));
    };
    const limit = scheduler.after(ANSWER_LIMIT_MS, () => again(otherLabel(to), 0));
    scheduler.after(REQUEST_TAKES_MS, () => {
      const { life, coordinator, serving } = processes[to];
      if (life === null || coordinator === null || !serving) return again(otherLabel(to), RETRY_AFTER_MS);
      scheduler.enter(life, "arrival", () => {
        const askedMs = this.#world.nowMs;
        const answer = coordinator.submit(input);
        this.#world.watchers.each((watch) => watch.submitting?.(to));
        answer.then(
          (outcome) => {
            if (!life.alive) return;
            this.#answered({ client: this.#name, key, to, input, askedMs, outcome });
            if (this.#chance.chance(LOST_ANSWER_SHARE)) return;
            limit.run = null;
            if (!isFinal(outcome)) return again(nextTarget(outcome, to), RETRY_AFTER_MS);
            if (open) this.#tally.open -= 1;
            open = false;
            if (outcome.outcome === "accepted" && this.#misuse.chance(MISUSE_SHARE)) this.#misuseKey(input, key);
          },
          (error: unknown) => {
            if (life.alive) this.#world.rejected(to, error);
          },
        );
      });
    });
  }

  #answered(submission: Submission): void {
    const { key, to, outcome } = submission;
    const { trace, watchers, nowMs } = this.#world;
    const seq = outcome.outcome === "accepted" ? outcome.seq : 0;
    trace.note(nowMs, to, `answers ${outcome.outcome}`, seq, () => `${key} ${JSON.stringify(outcome)}`);
    if (outcome.outcome === "accepted") {
      if (outcome.durability === "pair") this.#tally.acknowledgedPair += 1;
      else this.#tally.acknowledgedLocal += 1;
    }
    watchers.each((watch) => watch.submitted?.(submission));
  }
}

function isFinal(outcome: SubmitOutcome): boolean {
  return ["accepted", "invalid-command", "idempotency-conflict"].includes(outcome.outcome);
}

function nextTarget(outcome: SubmitOutcome, asked: Label): Label {
  if (outcome.outcome === "not-leader") return outcome.leader ?? otherLabel(asked);
  return outcome.outcome === "busy" ? asked : otherLabel(asked);
}
