/** Purpose: chance, for jitter. */
export interface Random {
  /** A number of [0, 1). */
  next(): number;
}
