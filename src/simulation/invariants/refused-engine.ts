/**
 * ID2: an engine that its peer refuses for another one never takes the role by itself, however silent or dead that peer is,
 * until the peer speaks to it or a person has said so.
 */
import type { Label } from "../../core/ids.ts";
import type { LeadershipCause } from "../../core/messages.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

const BY_PEOPLE: ReadonlySet<LeadershipCause> = new Set(["forced", "handover"]);

export function refusedEngine(world: World): Watch {
  const refused = new Set<Label>();
  return {
    booted: (label) => void refused.delete(label),
    refusedByPeer: (label) => void refused.add(label),
    delivered: (to) => void refused.delete(to),
    told: (label, event) => {
      if (event.type !== "role" || event.role !== "leader" || event.cause === null || !refused.has(label)) return;
      if (!BY_PEOPLE.has(event.cause))
        world.violate("ID2", `${label} took the role (${event.cause}), and its peer has pinned another engine`);
    },
  };
}
