/** Which faults are under way, and since when none is: invariants that demand progress need to know. */

/** What is known of a fault here. */
interface FaultUnderWay {
  readonly kind: string;
}

export class FaultsUnderWay {
  readonly #active = new Set<FaultUnderWay>();
  #changedMs = 0;
  #previousChangeMs = 0;

  get active(): ReadonlySet<FaultUnderWay> {
    return this.#active;
  }

  /** When the last fault began or ended. */
  get changedMs(): number {
    return this.#changedMs;
  }

  /** When the last one began or ended before this very instant. */
  changedBefore(nowMs: number): number {
    return this.#changedMs < nowMs ? this.#changedMs : this.#previousChangeMs;
  }

  begin(fault: FaultUnderWay, nowMs: number): void {
    this.#active.add(fault);
    this.#changed(nowMs);
  }

  end(fault: FaultUnderWay, nowMs: number): void {
    this.#active.delete(fault);
    this.#changed(nowMs);
  }

  /** Everything was taken back at once. */
  clear(nowMs: number): void {
    this.#active.clear();
    this.#changed(nowMs);
  }

  /** Whether every fault under way is one of these kinds. */
  only(...kinds: readonly string[]): boolean {
    return [...this.#active].every(({ kind }) => kinds.includes(kind));
  }

  #changed(nowMs: number): void {
    if (nowMs > this.#changedMs) this.#previousChangeMs = this.#changedMs;
    this.#changedMs = nowMs;
  }
}
