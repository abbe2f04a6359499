/** Purpose: R4: the cursors of an exchange only rise, until it is begun anew with another life of the other's log. */
import { parseCursor, type SyncCursor } from "../../replication/cursor.ts";
import { recordOrigin } from "../../core/operation.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches the cursors of spokes at every step of an exchange, those of federation peers at every page, those between the engines at every operation. */
export function cursors(world: World): Watch {
  const last = new Map<string, { readonly text: string; readonly at: SyncCursor }>();
  const look = (place: string, name: string): void => {
    const text = world.contentOf(place)?.replica.peerState.get(`peer:${name}:cursor`);
    const key = `${place} ${name}`;
    const before = last.get(key);
    if (text === undefined || text === before?.text) return;
    const at = parseCursor(text);
    if (at === null) return world.violate("R4", `${place} keeps a malformed cursor: ${text}`);
    last.set(key, { text, at });
    // After a history was begun again, here or there, the other's log is read from its start [RP2].
    const histories = [place, "a", "b"].flatMap((name) => world.contentOf(name)?.engineId ?? []);
    if (histories.some((engineId) => world.isRewritten(recordOrigin(engineId)))) return;
    if (before?.at.generation !== at.generation) return;
    if (at.cursor >= before.at.cursor && at.pushed >= before.at.pushed) return;
    world.violate("R4", `${place} at ${name} went back from ${before.text} to ${text}`);
  };
  return {
    exchanged: (spoke) => look(spoke, "hub"),
    // A site's name, or an engine's, is what its peers call it.
    pulled: (place, from) => look(place, from),
    peerReset: (place, peer) => void last.delete(`${place} ${peer}`),
    replaced: (site) => {
      for (const peer of ["a", "b"]) last.delete(`${site} ${peer}`);
    },
    diskReplaced: (label) => {
      for (const key of last.keys()) if (key.startsWith(`${label} `)) last.delete(key);
    },
    recorded: (place) => {
      if (place === "a" || place === "b") look(place, "pair");
    },
  };
}
