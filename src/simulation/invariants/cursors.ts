/** Purpose: R4: the cursors of an exchange only rise, until it is begun anew with another life of the other's log. */
import { parseCursor, type SyncCursor } from "../../replication/cursor.ts";
import type { Watch } from "../watch.ts";
import type { World } from "../world.ts";

/** Watches the cursors of spokes at every step of an exchange, those between the engines at every operation. */
export function cursors(world: World): Watch {
  const last = new Map<string, { readonly text: string; readonly at: SyncCursor }>();
  const look = (place: string, name: string): void => {
    const text = world.contentOf(place)?.replica.peerState.get(`peer:${name}:cursor`);
    const before = last.get(place);
    if (text === undefined || text === before?.text) return;
    const at = parseCursor(text);
    if (at === null) return world.violate("R4", `${place} keeps a malformed cursor: ${text}`);
    last.set(place, { text, at });
    if (before?.at.generation !== at.generation) return;
    if (at.cursor >= before.at.cursor && at.pushed >= before.at.pushed) return;
    world.violate("R4", `${place} at ${name} went back from ${before.text} to ${text}`);
  };
  return {
    exchanged: (spoke) => look(spoke, "hub"),
    recorded: (place) => {
      if (place === "a" || place === "b") look(place, "pair");
    },
  };
}
