/** The `Ids` port of one machine: counted names, so that one seed gives the same names again. */
import { type IdKind, type IdOfKind, makeId } from "../../core/ids.ts";
import type { Ids } from "../../ports/basics.ts";

/** Names of one machine, over all the lives of its processes. */
export class SimIds implements Ids {
  readonly #label: string;
  #count = 0;

  constructor(init: { readonly label: string }) {
    this.#label = init.label;
  }

  next<K extends IdKind>(kind: K): IdOfKind[K] {
    this.#count += 1;
    return makeId(kind, `${this.#label}${this.#count}`);
  }
}
