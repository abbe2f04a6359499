/**
 * Purpose: the ground between the two machines: links of two one-way paths, and ordered pipes over them.
 * Keeps true: a pipe delivers what it was given in order and once, as TCP does; a cut path delays its bytes until a
 * retransmission after the cut has ended, and tells nobody.
 * Does not know: what travels, nor who dials whom (see `ports/sim-peer-channel.ts`).
 */
import type { Label } from "../../core/ids.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";

/** First retransmission of a stalled stream, doubled for each further one: Linux's smallest RTO. */
const FIRST_RETRANSMIT_MS = 200;
const MOST_RETRANSMITS = 12;
/** Items that a stalled pipe takes before it says that its buffer is full. */
const PIPE_CAPACITY = 4_096;

/** How long things take on a path. */
export interface Delays {
  readonly shortestMs: number;
  readonly meanExtraMs: number;
}

/** One direction of one link. */
export class Path {
  readonly #delays: Delays;
  readonly #chance: Prng;
  readonly #healed = new Set<() => void>();
  #cuts = 0;
  #slowMs = 0;

  constructor(components: { readonly chance: Prng }, delays: Delays) {
    this.#chance = components.chance;
    this.#delays = delays;
  }

  get cut(): boolean {
    return this.#cuts > 0;
  }

  /** The time that the next thing takes. */
  delayMs(): number {
    return this.#delays.shortestMs + this.#chance.waiting(this.#delays.meanExtraMs) + this.#slowMs;
  }

  /** Drops everything from now on until `heal` was called as often. */
  cutOff(): void {
    this.#cuts += 1;
  }

  heal(): void {
    this.#cuts = Math.max(0, this.#cuts - 1);
    if (this.#cuts === 0) for (const listener of [...this.#healed]) listener();
  }

  /** Ends every cut and all slowness. */
  healWholly(): void {
    this.#slowMs = 0;
    if (this.#cuts === 0) return;
    this.#cuts = 1;
    this.heal();
  }

  /** Makes everything take `byMs` longer. */
  slow(byMs: number): void {
    this.#slowMs = byMs;
  }

  whenHealed(listener: () => void): () => void {
    this.#healed.add(listener);
    return () => this.#healed.delete(listener);
  }
}

/** An ordered stream over a path. */
export class Pipe<Item> {
  readonly #scheduler: Scheduler;
  readonly #path: Path;
  readonly #deliver: (item: Item) => void;
  readonly #forget: () => void;
  #stalled: Item[] = [];
  #stalledSinceMs = 0;
  #lastAtMs = 0;
  #ended = false;

  constructor(components: { readonly scheduler: Scheduler; readonly path: Path }, deliver: (item: Item) => void) {
    this.#scheduler = components.scheduler;
    this.#path = components.path;
    this.#deliver = deliver;
    this.#forget = this.#path.whenHealed(() => this.#retransmitLater());
  }

  get waiting(): number {
    return this.#stalled.length;
  }

  /** Takes an item; false when the buffer is full. */
  push(item: Item): boolean {
    if (this.#ended || this.#stalled.length >= PIPE_CAPACITY) return false;
    this.#lastAtMs = Math.max(this.#lastAtMs, this.#scheduler.nowMs + this.#path.delayMs());
    this.#scheduler.at(this.#lastAtMs, () => this.#arrive(item));
    return true;
  }

  /** Delivers nothing any more. */
  end(): void {
    this.#ended = true;
    this.#stalled = [];
    this.#forget();
  }

  #arrive(item: Item): void {
    if (this.#ended) return;
    if (!this.#path.cut && this.#stalled.length === 0) return this.#deliver(item);
    if (this.#stalled.length === 0) this.#stalledSinceMs = this.#scheduler.nowMs;
    this.#stalled.push(item);
  }

  #retransmitLater(): void {
    if (this.#stalled.length === 0) return;
    let atMs = this.#stalledSinceMs;
    for (let attempt = 0; attempt < MOST_RETRANSMITS && atMs < this.#scheduler.nowMs; attempt += 1) {
      atMs = this.#stalledSinceMs + FIRST_RETRANSMIT_MS * (2 ** (attempt + 1) - 1);
    }
    this.#scheduler.at(atMs, () => this.#flush());
  }

  #flush(): void {
    if (this.#path.cut || this.#ended) return;
    const items = this.#stalled;
    this.#stalled = [];
    for (const item of items) this.#deliver(item);
  }
}

/** One network between the two machines ("red", "blue"). */
export interface Link {
  readonly name: string;
  /** The path that begins at this engine's machine. */
  readonly from: Readonly<Record<Label, Path>>;
}

/** Builds a link of two paths with chances of their own. */
export function createLink(name: string, delays: Delays, chanceOf: (concern: string) => Prng): Link {
  return {
    name,
    from: {
      a: new Path({ chance: chanceOf(`link ${name} from a`) }, delays),
      b: new Path({ chance: chanceOf(`link ${name} from b`) }, delays),
    },
  };
}
