/**
 * Purpose: I3 (one owner per epoch, on disk before use) and I2 (nothing of a lower epoch is accepted).
 * Keeps true: an epoch counts as used when a leader's heartbeat, a request for a vote or for the role, a witness swap or
 * an own command names it.
 */
import { NO_EPOCH, ownerOf } from "../../core/epoch.ts";
import type { Command } from "../../core/command.ts";
import type { EngineId, Label } from "../../core/ids.ts";
import type { PeerMessage } from "../../core/messages.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Stale commands that are remembered per engine, to be recognised should they be accepted. */
const MOST_STALE = 256;

/** Watches epochs. */
export function epochs(world: World): Watch {
  const owners = new Map<number, Label>();
  /** Own commands that were stored once: an engine with an older disk gets them back from its peer. */
  const stored = new Set<string>();
  const stale: Record<Label, Set<string>> = { a: new Set(), b: new Set() };
  const contentOf = (label: Label): { highestEpoch: number; acceptedEpoch: number; engineId: EngineId } | null =>
    world.processes[label].disk.content;

  const adopting = new Set<Label>();

  const used = (label: Label, epoch: number, how: string): void => {
    // A follower that adopts the witness may not have followed anybody yet: epoch 0 is nobody's.
    if (epoch === NO_EPOCH) return;
    if (epoch > (contentOf(label)?.highestEpoch ?? 0))
      world.violate("I3", `${label} ${how} epoch ${epoch} before it is on disk`);
    const owner = owners.get(epoch);
    if (owner === undefined) owners.set(epoch, label);
    else if (owner !== label) world.violate("I3", `epoch ${epoch} is used by ${label} (${how}) and by ${owner}`);
  };

  const noteBatch = (label: Label, epoch: number, commands: readonly Command[]): void => {
    const known = stale[label];
    const isStale = epoch < (contentOf(label)?.acceptedEpoch ?? 0);
    for (const command of commands) {
      if (isStale && known.size < MOST_STALE) known.add(identity(command));
      else if (!isStale) known.delete(identity(command));
    }
  };

  return {
    sent: (from, message) => {
      const epoch = usedEpoch(message);
      if (epoch !== null) used(from, epoch, message.type);
    },
    swapSent: (from, next) => used(from, next.epoch, "swaps the record to"),
    adoptsWitness: (label) => void adopting.add(label),
    swapped: (from, previous, next) => {
      // What a person puts away need not be of this pair.
      const adopted = adopting.delete(from);
      if (!adopted && previous !== null && next.epoch < previous.epoch) {
        world.violate("I2", `${from} took the record back from epoch ${previous.epoch} to ${next.epoch}`);
      }
    },
    delivered: (to, message) => {
      const { type } = message;
      // What the loser tells when it is asked may be taken over, whatever came of it before [SB2].
      const carries = type === "replicate" || type === "catch-up-page" || type === "divergence-page";
      if (carries) noteBatch(to, message.epoch, message.commands);
    },
    appended: (label, commands) => {
      const content = contentOf(label);
      for (const command of commands) {
        const own = command.origin === content?.engineId && !stored.has(identity(command));
        if (own) stored.add(identity(command));
        if (own && command.epoch < (content?.acceptedEpoch ?? 0)) {
          world.violate(
            "I2",
            `${label} accepted a command in epoch ${command.epoch}, having accepted ${content?.acceptedEpoch}`,
          );
        }
        if (own && ownerOf(command.epoch) === label) used(label, command.epoch, "accepts a command in");
        if (stale[label].delete(identity(command))) {
          world.violate("I2", `${label} kept ${identity(command)} of a batch of a lower epoch`);
        }
      }
    },
    adopted: (label, adoption) => {
      const accepted = contentOf(label)?.acceptedEpoch ?? 0;
      if (adoption.acceptedEpoch < accepted) {
        world.violate("I2", `${label} adopted a state of epoch ${adoption.acceptedEpoch}, having accepted ${accepted}`);
      }
    },
  };
}

/** The epoch that a message claims for its sender; null when it claims none. */
function usedEpoch(message: PeerMessage): number | null {
  if (message.type === "heartbeat") return message.role === "leader" ? message.epoch : null;
  const claims = message.type === "vote-request" || message.type === "handover-request" || message.type === "replicate";
  return claims ? message.epoch : null;
}

function identity(command: Command): string {
  return `${command.origin}/${command.originSeq}@${command.epoch}/${command.seq}`;
}
