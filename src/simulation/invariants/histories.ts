/**
 * RP1: once faults have ended, and all had time to meet, no two places (engines, spokes, sites) hold different operations
 * under the same number of the same origin. RP2: an engine never writes under an origin that it has left for a newer one.
 */
import { baseOrigin } from "../../replication/own-origin.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

const KNOWN_KINDS: ReadonlySet<string> = new Set(["set", "delete"]);

export function histories(world: World): Watch {
  const left = new Map<string, Set<string>>();
  const current = new Map<string, string>();
  const begin = (place: string): void => {
    left.delete(place);
    current.delete(place);
  };
  return {
    replaced: begin,
    diskReplaced: begin,
    recorded: (place, { origin, originSeq }, via) => {
      const before = current.get(place);
      // What others bring, and what a renewal takes back, was written earlier.
      if (via !== "" || (before !== undefined && baseOrigin(before) !== baseOrigin(origin))) return;
      const gone = left.get(place) ?? new Set();
      if (gone.has(origin))
        world.violate("RP2", `${place} wrote ${origin}/${originSeq}, after it had gone on as ${before}`);
      if (before !== undefined && before !== origin) left.set(place, gone.add(before));
      current.set(place, origin);
    },
  };
}

/**
 * What the places of a world hold as different operations under one number; null when there is nothing. It may take some
 * exchanges until nothing is left: one that holds what was issued again reads the other's log from its start.
 */
export function forkedHistory(world: World): string | null {
  const known = new Map<string, { readonly place: string; readonly checksum: string }>();
  for (const place of ["a", "b", ...world.around.map(({ name }) => name)]) {
    for (const { op } of world.contentOf(place)?.replica.arrivals ?? []) {
      // What cannot be taken has a stand-in under its number.
      if (!KNOWN_KINDS.has(op.kind)) continue;
      const id = `${op.origin}/${op.originSeq}`;
      const other = known.get(id);
      if (other === undefined) known.set(id, { place, checksum: op.checksum });
      else if (other.checksum !== op.checksum)
        return `${id} is one operation at ${other.place} and another one at ${place}`;
    }
  }
  return null;
}
