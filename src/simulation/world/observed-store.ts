/** Purpose: the store of a simulated process: the memory store, with onlookers told of what became durable. */
import { MemoryStore } from "../../adapters/memory-store.ts";
import type { MemoryDisk } from "../../adapters/memory-disk.ts";
import type { Command } from "../../core/command.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Adoption } from "../../ports/store.ts";

/** Sees what was written. */
export interface StoreObserver {
  appended(commands: readonly Command[]): void;
  adopted(adoption: Adoption): void;
}

/** A memory store that tells what it did, after it was done. */
export class ObservedStore extends MemoryStore {
  readonly #observer: StoreObserver;

  constructor(components: { readonly ids: Ids; readonly disk: MemoryDisk; readonly observer: StoreObserver }) {
    super(components);
    this.#observer = components.observer;
  }

  override append(commands: readonly Command[]): void {
    super.append(commands);
    this.#observer.appended(commands);
  }

  override adopt(adoption: Adoption): void {
    super.adopt(adoption);
    this.#observer.adopted(adoption);
  }
}
