/**
 * Purpose: chance for jitter.
 * Does not know: secrecy. Nonces and keys are made with `node:crypto` where they are needed.
 */
import type { Random } from "../ports/random.ts";

export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }
}
