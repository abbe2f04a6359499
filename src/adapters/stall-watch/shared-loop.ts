/**
 * The memory that the event loop and its watching thread share: the loop's last beat, and what may be said in its name.
 * The state has one writer at a time: the thread may only turn `ARMED` into `GIVEN`, and `GIVEN` back into `ARMED`.
 */
export const RESTING = 0;
/** This engine leads: a stall is reported. */
export const ARMED = 1;
/** The thread has offered the role to the peer. The loop does nothing as leader from this moment on. */
export const GIVEN = 2;

/** How often the loop shows that it runs, while this engine leads, ms. A stall is known this much later at most. */
export const BEAT_MS = 20;

const BYTES = 32;

export class SharedLoop {
  readonly buffer: SharedArrayBuffer;
  readonly #state: Int32Array;
  readonly #beatNs: BigInt64Array;
  readonly #numbers: Float64Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer;
    this.#state = new Int32Array(buffer, 0, 1);
    this.#beatNs = new BigInt64Array(buffer, 8, 1);
    this.#numbers = new Float64Array(buffer, 16, 2);
  }

  get state(): number {
    return Atomics.load(this.#state, 0);
  }

  set state(state: number) {
    Atomics.store(this.#state, 0, state);
  }

  /** False: the state was another one, and stays. */
  change(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#state, 0, from, to) === from;
  }

  /** The machine's monotonic clock at the last beat; every thread reads the same clock. */
  get beatNs(): bigint {
    return Atomics.load(this.#beatNs, 0);
  }

  beat(): void {
    Atomics.store(this.#beatNs, 0, process.hrtime.bigint());
  }

  get epoch(): number {
    return this.#numbers[0] ?? 0;
  }

  get n(): number {
    return this.#numbers[1] ?? 0;
  }

  /** Only while the state is neither `ARMED` nor `GIVEN`. */
  describe({ epoch, n }: { readonly epoch: number; readonly n: number }): void {
    this.#numbers[0] = epoch;
    this.#numbers[1] = n;
  }
}
