/** Purpose: R8: of a peer whose identity has changed nothing is stored before a person has reset it. */
import { recordOrigin } from "../../core/operation.ts";
import { peerKey } from "../../replication/peer-keys.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

const LABELS = ["a", "b"] as const;

/** Watches what the engines take from sites that were replaced. */
export function peerPins(world: World): Watch {
  // Engines that had let in the one before.
  const barred = new Set<string>();
  return {
    replaced: (site) => {
      for (const label of LABELS) {
        const knew = world.contentOf(label)?.replica.peerState.has(peerKey(site, "id")) ?? false;
        if (knew) barred.add(`${label} ${site}`);
      }
    },
    // A new disk has let in nobody yet.
    diskReplaced: (label) => {
      for (const key of barred) if (key.startsWith(`${label} `)) barred.delete(key);
    },
    peerReset: (place, peer) => void barred.delete(`${place} ${peer}`),
    recorded: (place, { origin, originSeq }, via) => {
      if (barred.size === 0) return;
      for (const { name, disk } of world.sites) {
        const isOfNew = disk.content !== null && via === recordOrigin(disk.content.engineId);
        if (!isOfNew || !barred.has(`${place} ${name}`)) continue;
        world.violate("R8", `${place} took ${origin}/${originSeq} from ${name}, which is another one than it let in`);
      }
    },
  };
}
