/**
 * The epochs that this engine has seen, minted and accepted.
 * Keeps true: an epoch is on disk before anything is done in its name [EP2]; neither number ever falls. What was seen is
 * known at once, also while the disk refuses it: no later ballot is below it [EP1].
 */
import { NO_EPOCH, type Epoch, isReachable, isWithinReach, MAX_LEAP, MAX_NUMBER, outOfReach } from "../core/epoch.ts";
import type { StoredState } from "../ports/store.ts";
import type { Kit } from "./kit.ts";

const REMEDY = 'run "changeover pair reset-numbers --yes" on both engines';
const TOLD_EVERY_MS = 1_000;

export class EpochBook {
  readonly #kit: Kit;
  #highest: Epoch = NO_EPOCH;
  #accepted: Epoch = NO_EPOCH;
  /** The next ballot, durable ahead of its use; null: none is. */
  #reserved: Epoch | null = null;
  /** The disk lags behind the highest or the accepted epoch. */
  #behind = false;
  /** The store holds an epoch out of reach. */
  #unreadable = false;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(kit: Kit) {
    this.#kit = kit;
  }

  /** The end of the log bears an epoch too, which was accepted, whatever was written last. */
  restore(stored: Pick<StoredState, "highestEpoch" | "acceptedEpoch" | "log">): void {
    this.#highest = Math.max(this.#reachable(stored.highestEpoch), stored.log.epoch);
    this.#accepted = Math.max(this.#reachable(stored.acceptedEpoch), stored.log.epoch);
  }

  /**
   * Leads back from epochs that are out of reach or nearly used up [EP6]: to that of the log's end. Epochs far below the
   * bound stay: nothing is wrong with them. Throws what the store throws.
   */
  reset(logEpoch: Epoch): void {
    if (this.#highest <= MAX_NUMBER - MAX_LEAP && !this.#unreadable) return;
    const { store } = this.#kit.ports;
    this.#reserved = null;
    this.#behind = false;
    store.resetEpochs({ highestEpoch: logEpoch, acceptedEpoch: logEpoch });
    this.#highest = this.#accepted = logEpoch;
    this.#unreadable = false;
  }

  /** Highest epoch seen anywhere. */
  get highest(): Epoch {
    return this.#highest;
  }

  /** Epoch of the leader last followed or been. */
  get accepted(): Epoch {
    return this.#accepted;
  }

  /** Whether an epoch that is claimed can be one of this pair. */
  believes(epoch: Epoch): boolean {
    return isWithinReach(this.#highest, epoch);
  }

  /** The pinned peer's heartbeat names its own epoch: it is believed up to the bound that both engines share [EP6]. */
  hears(epoch: Epoch): boolean {
    if (!isReachable(epoch)) return false;
    if (!this.believes(epoch)) this.#note(epoch);
    return true;
  }

  /** Notes an epoch seen somewhere, so that a later ballot is above it. False: not believed. */
  see(epoch: Epoch): boolean {
    if (!this.believes(epoch)) return false;
    if (epoch > this.#highest) this.#note(epoch);
    return true;
  }

  /** From now on nothing below `epoch` is admitted. False: the disk refused, and it is only known as seen. */
  accept(epoch: Epoch): boolean {
    if (epoch <= this.#accepted) return epoch === this.#accepted;
    return this.#note(Math.max(this.#highest, epoch), epoch);
  }

  /** The next ballot of this engine, durable; null: the disk refused. */
  mint(): Epoch | null {
    const epoch = this.#next();
    if (epoch === null) return null;
    if (epoch !== this.#reserved) return this.#save(epoch, this.#accepted) ? epoch : null;
    this.#highest = epoch;
    return epoch;
  }

  /**
   * This engine leads in its ballot `epoch`, which is durable. That it is accepted comes to the disk with its first
   * command, or at the next heartbeat: no command waits for it.
   */
  lead(epoch: Epoch): void {
    this.#accepted = epoch;
    this.#behind = true;
  }

  /** Makes the next ballot durable while there is time, so that no take-over waits for the disk. */
  writeAhead(): void {
    const epoch = this.#next();
    if (epoch === null || epoch === this.#reserved) return;
    this.#reserved = epoch;
    if (!this.#save(this.#highest, this.#accepted)) this.#reserved = null;
  }

  /** Writes what a take-over did not wait for. */
  writeBehind(): void {
    if (this.#behind) this.#save(this.#highest, this.#accepted);
  }

  /** null: all epochs are used up. */
  #next(): Epoch | null {
    const epoch = this.#kit.rules.nextEpoch(this.#highest, this.#kit.options.label);
    if (isReachable(epoch)) return epoch;
    this.#kit.alarms.raise("number-out-of-reach", `${outOfReach("the next epoch of this engine", epoch)}; ${REMEDY}`);
    return null;
  }

  /** A stored number out of reach counts as none. */
  #reachable(epoch: Epoch): Epoch {
    if (isReachable(epoch)) return epoch;
    this.#unreadable = true;
    this.#kit.alarms.raise("number-out-of-reach", `${outOfReach("an epoch in the store", epoch)}; ${REMEDY}`);
    return NO_EPOCH;
  }

  /** Saves; where the disk refuses, the highest epoch is kept in mind and written later. */
  #note(highestEpoch: Epoch, acceptedEpoch: Epoch = this.#accepted): boolean {
    if (this.#save(highestEpoch, acceptedEpoch)) return true;
    this.#highest = highestEpoch;
    this.#behind = true;
    return false;
  }

  #save(highestEpoch: Epoch, acceptedEpoch: Epoch): boolean {
    const { ports, alarms } = this.#kit;
    try {
      ports.store.saveEpochs({ highestEpoch: Math.max(highestEpoch, this.#reserved ?? NO_EPOCH), acceptedEpoch });
    } catch (error) {
      const nowMs = ports.clock.monoMs();
      if (nowMs >= this.#toldAtMs + TOLD_EVERY_MS) {
        this.#toldAtMs = nowMs;
        ports.logger.error({ err: error, highestEpoch }, "epoch not saved");
      }
      alarms.raise("store-failed", "an epoch could not be saved");
      return false;
    }
    this.#highest = highestEpoch;
    this.#accepted = acceptedEpoch;
    this.#behind = false;
    return true;
  }
}
