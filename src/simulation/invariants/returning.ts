/**
 * I20: a live leader is not replaced by an engine that returns [EP5]. No word of an engine that does not lead makes a
 * leader stop that may act, however high the epoch is that it names.
 */
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Role } from "../../core/messages.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

export function returning(world: World): Watch {
  const acted: Record<Label, boolean> = { a: false, b: false };
  /** What was told in this step: what waited on a cut link arrives at once. */
  const told: Record<Label, "nothing" | "by a follower" | "by a leader"> = { a: "nothing", b: "nothing" };
  /** As each said last. An engine that is frozen is not asked: that would make it run. */
  const roles: Record<Label, Role> = { a: "follower", b: "follower" };
  return {
    booted: (label) => void (roles[label] = "follower"),
    told: (label, event) => {
      if (event.type === "role") roles[label] = event.role;
    },
    delivered: (to, message) => {
      if (message.type !== "heartbeat" && message.type !== "stale-epoch") return;
      const role = message.type === "heartbeat" ? message.role : roles[otherLabel(to)];
      if (role === "leader") told[to] = "by a leader";
      else if (role === "follower" && told[to] === "nothing") told[to] = "by a follower";
    },
    afterStep: () => {
      for (const label of ["a", "b"] as const) {
        const process = world.processes[label];
        const left = acted[label] && told[label] === "by a follower" && roles[label] === "follower";
        if (left) world.violate("I20", `${label} left the air on the word of a follower`);
        acted[label] = process.mayAct();
        told[label] = "nothing";
      }
    },
  };
}
