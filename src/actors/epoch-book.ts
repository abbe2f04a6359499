/**
 * Purpose: the epochs that this engine has seen, minted and accepted.
 * Keeps true: an epoch is on disk before anything is done in its name [EP2]; neither number ever falls.
 */
import { NO_EPOCH, type Epoch } from "../core/epoch.ts";
import type { StoredState } from "../ports/store.ts";
import type { Kit } from "./kit.ts";

export class EpochBook {
  readonly #kit: Kit;
  #highest: Epoch = NO_EPOCH;
  #accepted: Epoch = NO_EPOCH;

  constructor(kit: Kit) {
    this.#kit = kit;
  }

  restore(stored: Pick<StoredState, "highestEpoch" | "acceptedEpoch">): void {
    this.#highest = stored.highestEpoch;
    this.#accepted = stored.acceptedEpoch;
  }

  /** Highest epoch seen anywhere. */
  get highest(): Epoch {
    return this.#highest;
  }

  /** Epoch of the leader last followed or been. */
  get accepted(): Epoch {
    return this.#accepted;
  }

  /** Notes an epoch seen somewhere, so that a later ballot is above it. */
  see(epoch: Epoch): boolean {
    return epoch <= this.#highest || this.#save(epoch, this.#accepted);
  }

  /** From now on nothing below `epoch` is admitted. False: the disk refused, and nothing changed. */
  accept(epoch: Epoch): boolean {
    if (epoch <= this.#accepted) return epoch === this.#accepted;
    return this.#save(Math.max(this.#highest, epoch), epoch);
  }

  /** The next ballot of this engine, durable; null: the disk refused. */
  mint(): Epoch | null {
    const epoch = this.#kit.rules.nextEpoch(this.#highest, this.#kit.options.label);
    return this.#save(epoch, this.#accepted) ? epoch : null;
  }

  #save(highestEpoch: Epoch, acceptedEpoch: Epoch): boolean {
    const { ports, alarms } = this.#kit;
    try {
      ports.store.saveEpochs({ highestEpoch, acceptedEpoch });
    } catch (error) {
      ports.logger.error({ err: error, highestEpoch }, "epoch not saved");
      alarms.raise("store-failed", "an epoch could not be saved");
      return false;
    }
    alarms.clear("store-failed");
    this.#highest = highestEpoch;
    this.#accepted = acceptedEpoch;
    return true;
  }
}
