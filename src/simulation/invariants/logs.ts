/**
 * What an engine may do with its log, by what the other one holds or once held.
 *
 * I7: a command goes only behind the command that stands before it in the other log. I9: a follower executes only what the
 * other engine had in its log too. SB3: only what the other engine had is compacted away, since nobody else could tell it
 * after a split. HO2: an engine that takes over the state of another one knows its idempotency keys.
 */
import type { Command } from "../../core/command.ts";
import { epochAt } from "../../core/fork.ts";
import { otherLabel, type Label } from "../../core/ids.ts";
import type { Role } from "../../core/messages.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches logs. */
export function logs(world: World): Watch {
  const everHeld: Record<Label, Set<string>> = { a: new Set(), b: new Set() };
  const everExecuted: Record<Label, Set<string>> = { a: new Set(), b: new Set() };
  const roles: Record<Label, Role> = { a: "follower", b: "follower" };
  const firstHeld: Record<Label, number> = { a: 1, b: 1 };
  const note = (label: Label): void => {
    const content = world.contentOf(label);
    for (const { epoch, from, to } of content?.shape ?? [])
      for (let seq = from; seq <= to; seq += 1) everHeld[label].add(`${epoch}/${seq}`);
    firstHeld[label] = content?.firstHeldSeq ?? 1;
  };
  return {
    booted: (label) => void (roles[label] = "follower"),
    told: (label, event) => {
      if (event.type === "role") roles[label] = event.role;
    },
    diskReplaced: note,
    appended: (label, commands) => {
      for (const { epoch, seq } of commands) everHeld[label].add(`${epoch}/${seq}`);
      judgeFit(world, label, commands);
    },
    adopted: (label, adoption) => {
      note(label);
      judgeKeys(world, label, adoption.checkpoint.position.seq);
    },
    wrote: (label, method) => {
      if (method !== "compact") return;
      const { shape, firstHeldSeq } = world.contentOf(label) ?? { shape: [], firstHeldSeq: 1 };
      const before = firstHeld[label];
      firstHeld[label] = firstHeldSeq;
      for (let seq = before; seq < firstHeldSeq; seq += 1) {
        const epoch = epochAt(shape, seq) ?? 0;
        if (everHeld[otherLabel(label)].has(`${epoch}/${seq}`)) continue;
        return world.violate("SB3", `${label} has compacted ${epoch}/${seq}, which its peer never had`);
      }
    },
    executing: (label, { epoch, seq }) => {
      const identity = `${epoch}/${seq}`;
      const known = everExecuted[label].has(identity);
      everExecuted[label].add(identity);
      if (known || roles[label] === "leader" || everHeld[otherLabel(label)].has(identity)) return;
      world.violate("I9", `${label} executed ${identity} as ${roles[label]}, which its peer never had`);
    },
  };
}

/** Logs that hold the same command are equal up to it. */
function judgeFit(world: World, label: Label, [first]: readonly Command[]): void {
  const [own, peer] = [world.contentOf(label), world.contentOf(otherLabel(label))];
  if (first === undefined || own === null || peer === null) return;
  if (epochAt(peer.shape, first.seq) !== first.epoch) return;
  const [before, theirs] = [epochAt(own.shape, first.seq - 1), epochAt(peer.shape, first.seq - 1)];
  if (before === theirs) return;
  world.violate(
    "I7",
    `${label} appended ${first.epoch}/${first.seq} behind epoch ${before ?? 0}, at its peer it follows ${theirs ?? 0}`,
  );
}

function judgeKeys(world: World, label: Label, throughSeq: number): void {
  const [own, peer] = [world.contentOf(label), world.contentOf(otherLabel(label))];
  if (own === null || peer === null) return;
  for (const [key, { epoch, seq }] of peer.keys) {
    if (seq > throughSeq || epochAt(own.shape, seq) !== epoch || own.keys.has(key)) continue;
    return world.violate("HO2", `${label} took over ${epoch}/${seq} without its idempotency key ${key}`);
  }
}
