/** Purpose: I14: one reconciler at a time; a lock that lapsed never changes state. */
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches what is adopted under the reconcile lock. Without a witness each engine has a lock of its own. */
export function reconciling(world: World): Watch {
  let highestFence = 0;
  return {
    snapshotAnswered: (label, lockId, { outcome }) => {
      const standing = world.ground.witness?.server.lock.read();
      if (outcome === "applied" && standing !== undefined && standing?.lockId !== lockId) {
        world.violate("I14", `${label} applied a snapshot under ${lockId}, which does not hold the lock`);
      }
    },
    adopted: (label, { lockFence }) => {
      const { witness } = world.ground;
      if (lockFence === 0 || witness === null) return;
      if (lockFence < highestFence) {
        world.violate("I14", `${label} adopted a state under fence ${lockFence} after ${highestFence}`);
      }
      highestFence = Math.max(highestFence, lockFence);
      const standing = witness.server.lock.read();
      if (standing !== null && standing.fence > lockFence) {
        world.violate("I14", `${label} adopted a state under fence ${lockFence} while ${standing.fence} is held`);
      }
    },
  };
}
