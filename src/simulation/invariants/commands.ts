/**
 * Purpose: I9: no command acknowledged as `pair` is ever lost, executed twice or reordered on any engine.
 * How: each execution must be the next of its engine's past; at the end the past of both engines is walked once and
 * compared with all that clients were told.
 */
import { epochAt } from "../../core/fork.ts";
import type { Label } from "../../core/ids.ts";
import type { Executed } from "../ports/sim-engine.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

interface Acknowledged {
  readonly epoch: number;
  readonly seq: number;
}

/** Watches commands. */
export function commands(world: World): Watch {
  const acknowledged = new Map<string, Acknowledged>();
  /** Engines whose disk was exchanged, and how far the log of the pair had come. */
  const replaced = new Map<Label, number>();
  const lacks = (label: Label, { epoch, seq }: Acknowledged): boolean => {
    const throughSeq = replaced.get(label) ?? 0;
    return heldEpoch(world, label, seq) !== epoch && (seq > throughSeq || endOf(world, label) >= throughSeq);
  };
  /** A log that was lost with its disk begins again, on the picture of the engine process that lives on. */
  const beginsAgain = ({ epoch, seq }: Acknowledged, past: Acknowledged | null): boolean =>
    replaced.size > 0 && seq === 1 && past !== null && epoch > past.epoch;
  return {
    submitted: ({ key, to, outcome }) => {
      if (outcome.outcome !== "accepted") return;
      const { epoch, seq } = outcome;
      if (heldEpoch(world, to, seq) !== epoch)
        world.violate("I9", `${to} answered ${key} as ${epoch}/${seq}, which is not on its disk`);
      if (outcome.durability !== "pair") return;
      const first = acknowledged.get(key);
      if (first !== undefined && (first.seq !== seq || first.epoch !== epoch)) {
        world.violate(
          "I9",
          `${key} was acknowledged by ${to} as ${epoch}/${seq} and before as ${first.epoch}/${first.seq}`,
        );
      }
      acknowledged.set(key, { epoch, seq });
      for (const label of ["a", "b"] as const) {
        if (lacks(label, { epoch, seq }))
          world.violate("I9", `${key} was acknowledged for the pair, but ${label} has no ${epoch}/${seq}`);
      }
    },
    // What the loser of a split has compacted away cannot be kept. It may do so only with what the other one had [SB3].
    delivered: (to, message) => {
      if (message.type !== "divergence-request" || replaced.size === 0) return;
      const { shape, firstHeldSeq } = world.contentOf(to) ?? { shape: [], firstHeldSeq: 1 };
      for (let seq = message.forkSeq + 1; seq < firstHeldSeq; seq += 1)
        world.noteGone({ epoch: epochAt(shape, seq) ?? 0, seq });
    },
    diskReplaced: (label) => void replaced.set(label, Math.max(endOf(world, "a"), endOf(world, "b"))),
    executed: (label, command, past, repeated) => {
      // One that was started empty cannot know better; that it is found out is invariant I16.
      if ((world.processes[label].engineProcess?.lostStateMs ?? null) !== null) return;
      const last = past?.seq ?? 0;
      if (beginsAgain(command, past)) return;
      if (!repeated && command.seq !== last + 1) {
        world.violate("I9", `${label} executed ${command.epoch}/${command.seq} after ${past?.epoch ?? 0}/${last}`);
      }
      if (!repeated && past !== null && command.epoch < past.epoch) {
        world.violate("I9", `${label} executed epoch ${command.epoch} after epoch ${past.epoch}`);
      }
    },
    settled: () => {
      // A restored engine may lead while the other one, which has more, is away. What that one had is then a conflict [SB3].
      const kept = replaced.size === 0 ? new Set<string>() : divergentCommands(world);
      const demanded = new Map(
        [...acknowledged].filter(([, one]) => !kept.has(`${one.epoch}/${one.seq}`) && !world.isGone(one)),
      );
      for (const label of ["a", "b"] as const) judgePast(world, label, demanded);
    },
  };
}

/** Commands that both engines keep as conflicts. */
function divergentCommands(world: World): ReadonlySet<string> {
  const [a, b] = (["a", "b"] as const).map((label) => {
    const conflicts = [...(world.contentOf(label)?.conflicts.values() ?? [])];
    const divergent = conflicts.flatMap((conflict) => (conflict.kind === "command" ? [conflict.divergent] : []));
    return new Set(divergent.map(({ epoch, seq }) => `${epoch}/${seq}`));
  });
  return new Set([...(a ?? [])].filter((divergent) => b?.has(divergent)));
}

function endOf(world: World, label: Label): number {
  return world.contentOf(label)?.shape.at(-1)?.to ?? 0;
}

/** The epoch of the command at `seq` in the log on the disk of `label`; null: it has none. */
function heldEpoch(world: World, label: Label, seq: number): number | null {
  const content = world.processes[label].disk.content;
  if (content === null) return null;
  const run = content.shape.find(({ from, to }) => from <= seq && seq <= to);
  return run?.epoch ?? null;
}

function judgePast(world: World, label: Label, acknowledged: ReadonlyMap<string, Acknowledged>): void {
  const executed = new Map<string, Executed>();
  let past = world.processes[label].engineMemory?.past ?? null;
  for (; past !== null; past = past.previous) {
    const twice = executed.get(past.name);
    if (twice !== undefined) {
      world.violate(
        "I9",
        `${label} executed ${past.name} as ${past.epoch}/${past.seq} and as ${twice.epoch}/${twice.seq}`,
      );
    }
    executed.set(past.name, past);
  }
  for (const [key, { epoch, seq }] of acknowledged) {
    const found = executed.get(key);
    if (found?.epoch === epoch && found.seq === seq) continue;
    const instead = found === undefined ? "never" : `as ${found.epoch}/${found.seq}`;
    world.violate("I9", `${key}, acknowledged for the pair as ${epoch}/${seq}, was executed ${instead} on ${label}`);
  }
}
