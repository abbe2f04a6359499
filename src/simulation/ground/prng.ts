/**
 * Chance that can be had again: one stream of numbers for each concern, all from one seed.
 * Keeps true: a draw more for one concern does not reshuffle the others.
 * Source: xoshiro128** 1.1 (Blackman and Vigna 2018), seeded by splitmix32 over an FNV-1a hash of the concern's name.
 */
import { assert } from "../../core/errors.ts";
import type { Random } from "../../ports/basics.ts";

const TWO_TO_32 = 4_294_967_296;

/** A stream of chance. */
export class Prng implements Random {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    let mixed = seed >>> 0;
    this.#state = Uint32Array.from({ length: 4 }, () => {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      return splitmix(mixed);
    });
  }

  /** A number of [0, 1), 32 bits of it by chance. */
  next(): number {
    const state = this.#state;
    const s0 = state[0] as number;
    const s1 = state[1] as number;
    const s2 = state[2] as number;
    const s3 = state[3] as number;
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    state[2] = s2 ^ s0;
    state[3] = s3 ^ s1;
    state[1] = s1 ^ s2 ^ s0;
    state[0] = s0 ^ s3 ^ s1;
    state[2] = s2 ^ s0 ^ shifted;
    state[3] = rotate(s3 ^ s1, 11);
    return result / TWO_TO_32;
  }

  /** A number of [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number of [low, high]. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True once in `1 / probability` times. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of `items`, each as likely. */
  pick<T>(items: readonly T[]): T {
    assert(items.length > 0, "there is something to pick from");
    return items[Math.floor(this.next() * items.length)] as T;
  }

  /** A waiting time of mean `mean`, exponentially distributed, at most ten means. */
  waiting(mean: number): number {
    return Math.min(-Math.log(1 - this.next()) * mean, 10 * mean);
  }
}

/** The stream of `concern` under `seed`. */
export function streamOf(seed: number, concern: string): Prng {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < concern.length; index += 1) {
    hash = Math.imul(hash ^ concern.charCodeAt(index), 0x01000193);
  }
  return new Prng(splitmix(hash >>> 0) ^ splitmix(seed));
}

function splitmix(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
