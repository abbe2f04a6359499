/**
 * I14: one reconciler at a time; a lock that lapsed never changes state. RL2: nor does its holder use it once it has
 * lapsed. By which clock a lock lapses is the witness's affair, so nothing is judged of locks that its clock was stepped
 * under.
 */
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches what is adopted under the reconcile lock. Without a witness each engine has a lock of its own. */
export function reconciling(world: World): Watch {
  let highestFence = 0;
  const hasLapsed = (fence: number): boolean => world.ground.witness?.lapsedFence() === fence;
  return {
    sent: (from, message) => {
      if (message.type !== "snapshot-piece" || message.lock === null || !hasLapsed(message.lock.fence)) return;
      world.violate("RL2", `${from} sends its state under ${message.lock.lockId}, which has lapsed`);
    },
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
      if (hasLapsed(lockFence))
        world.violate("I14", `${label} adopted a state under fence ${lockFence}, which has lapsed`);
      const standing = witness.server.lock.read();
      if (standing !== null && standing.fence > lockFence) {
        world.violate("I14", `${label} adopted a state under fence ${lockFence} while ${standing.fence} is held`);
      }
    },
  };
}
