/**
 * Purpose: I7 and the end of I10: once faults have ended there is one leader, and both engines are equal: logs, states,
 * clocks; and every command that does not stand is kept as a conflict.
 */
import type { Command } from "../../core/command.ts";
import { epochAt } from "../../core/fork.ts";
import type { Label } from "../../core/ids.ts";
import { compareClocks } from "../../core/vector-clock.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

const CONFLICTS_READ = 100_000;

/** What keeps the pair from having settled; null when nothing does. */
export function unsettled(world: World): string | null {
  const { a, b } = world.processes;
  if (!a.running || !b.running || a.coordinator === null || b.coordinator === null) return "an engine is not running";
  const acting = [a, b].filter((process) => process.mayAct());
  if (acting.length !== 1) return `${acting.length} engines may act`;
  if (!a.coordinator.ready() || !b.coordinator.ready()) return "an engine is not ready";
  const left = a.coordinator.syncHealth();
  const right = b.coordinator.syncHealth();
  if (left.lastCommandSeq !== right.lastCommandSeq)
    return `logs end at ${left.lastCommandSeq} and ${right.lastCommandSeq}`;
  for (const health of [left, right]) {
    if (health.lastExecutedSeq !== health.lastCommandSeq) return "not everything is executed";
  }
  if (left.epoch !== right.epoch) return `epochs ${left.epoch} and ${right.epoch}`;
  return a.engineMemory?.chain === b.engineMemory?.chain ? null : "the engines' states differ";
}

/** Remembers every accepted command and judges the end. */
export function agreement(world: World): Watch {
  const accepted = new Map<string, { readonly by: Label; readonly command: Command }>();
  return {
    appended: (label, commands) => {
      for (const command of commands) {
        if (command.origin === world.processes[label].disk.content?.engineId) {
          accepted.set(identity(command), { by: label, command });
        }
      }
    },
    // What only that disk held is lost with it.
    diskReplaced: () => {
      for (const [id, { command }] of accepted) if (!isKept(world, id, command)) accepted.delete(id);
    },
    settled: () => {
      judgeEquality(world);
      judgeAccounts(world, accepted);
    },
  };
}

function judgeEquality(world: World): void {
  const left = world.processes.a.disk.content;
  const right = world.processes.b.disk.content;
  if (left === null || right === null) return world.violate("I7", "an engine has no disk");
  if (JSON.stringify(left.shape) !== JSON.stringify(right.shape)) {
    world.violate("I7", `the logs' shapes differ: ${JSON.stringify(left.shape)} and ${JSON.stringify(right.shape)}`);
  }
  // The later word of a person stands on both [HO3].
  if (left.maintenance?.stamp !== right.maintenance?.stamp) {
    const told = [left, right].map(({ maintenance }) => JSON.stringify(maintenance)).join(" and ");
    world.violate("I7", `the engines do not keep the same hold: ${told}`);
  }
  const clocks = compareClocks(left.clock, right.clock);
  if (clocks !== "equal") {
    world.violate(
      "I7",
      `the vector clocks differ: ${JSON.stringify(left.clock)} is ${clocks} ${JSON.stringify(right.clock)}`,
    );
  }
  const from = Math.max(left.firstHeldSeq, right.firstHeldSeq);
  const rest = left.commands
    .slice(from - left.firstHeldSeq)
    .map(identity)
    .join();
  if (
    rest !==
    right.commands
      .slice(from - right.firstHeldSeq)
      .map(identity)
      .join()
  ) {
    world.violate("I7", `the logs differ after seq ${from}`);
  }
}

function judgeAccounts(
  world: World,
  accepted: ReadonlyMap<string, { readonly by: Label; readonly command: Command }>,
): void {
  const { a, b } = world.processes;
  const standing = new Set<string>();
  for (let past = a.engineMemory?.past ?? null; past !== null; past = past.previous) {
    standing.add(`${past.epoch}/${past.seq}/${past.name}`);
  }
  const kept = new Set<string>();
  for (const process of [a, b]) {
    for (const conflict of process.coordinator?.conflicts(CONFLICTS_READ) ?? []) {
      if (conflict.kind === "command") kept.add(identity(conflict.divergent));
    }
  }
  for (const [id, { by, command }] of accepted) {
    const name = command.idempotencyKey ?? command.kind;
    if (standing.has(`${command.epoch}/${command.seq}/${name}`) || kept.has(id) || world.isGone(command)) continue;
    world.violate(
      "I7",
      `${name}, accepted by ${by} as ${command.epoch}/${command.seq}, neither stands nor is kept as a conflict`,
    );
  }
}

/** Whether the disk of an engine still has a command, in its log or as a conflict. */
function isKept(world: World, id: string, { epoch, seq }: Command): boolean {
  return (["a", "b"] as const).some((label) => {
    const content = world.contentOf(label);
    if (content === null) return false;
    if (epochAt(content.shape, seq) === epoch) return true;
    return [...content.conflicts.values()].some((one) => one.kind === "command" && identity(one.divergent) === id);
  });
}

function identity(command: Command): string {
  return `${command.origin}/${command.originSeq}@${command.epoch}/${command.seq}`;
}
