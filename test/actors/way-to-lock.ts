/** A way to the reconcile lock of a witness in memory: it takes its time, or is cut. */
import { MemoryWitness, type MemoryWitnessServer } from "../../src/adapters/memory-witness.ts";
import type { LockAcquire, LockRead, LockRefresh } from "../../src/ports/witness.ts";
import type { VirtualClock } from "../support/virtual-clock.ts";

const CUT = { outcome: "unreachable", reason: "cut" } as const;

export class WayToLock extends MemoryWitness {
  readonly #clock: VirtualClock;
  delayMs = 0;
  cut = false;

  constructor(components: { clock: VirtualClock; server: MemoryWitnessServer }) {
    super(components);
    this.#clock = components.clock;
  }

  override async acquireLock(request: Parameters<MemoryWitness["acquireLock"]>[0]): Promise<LockAcquire> {
    return this.cut ? CUT : this.#late(await super.acquireLock(request));
  }

  override async refreshLock(...asked: Parameters<MemoryWitness["refreshLock"]>): Promise<LockRefresh> {
    return this.cut ? CUT : super.refreshLock(...asked);
  }

  override async readLock(): Promise<LockRead> {
    return this.cut ? CUT : this.#late(await super.readLock());
  }

  async #late<Answer>(answer: Answer): Promise<Answer> {
    if (this.delayMs > 0) await new Promise<void>((resolve) => void this.#clock.setTimeout(resolve, this.delayMs));
    return answer;
  }
}
