/**
 * I17: an answer that says "not done" is true. Every such answer is compared with the log of the engine that gave it:
 * if that log held the key, the command must not be in the pair's log at the end. An answer `outcome-unknown` must name
 * the place that the command really has in that log. An answer `accepted` is about the command that was given [HO8]. Of a
 * key that was used for another command, "not done" is true.
 */
import { canonicalJson } from "../../core/canonical-json.ts";
import type { Label } from "../../core/ids.ts";
import type { CommandInput, SubmitOutcome } from "../../core/outcomes.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches what clients are told about commands that were not accepted. */
export function answers(world: World): Watch {
  const denied = new Map<string, string>();
  return {
    submitted: ({ key, to, input, outcome }) => {
      if (outcome.outcome === "accepted") judgeAccepted(world, to, input, outcome.seq);
      const held = world.processes[to].disk.content?.keys.get(key);
      if (outcome.outcome === "outcome-unknown") {
        const { epoch, seq } = outcome;
        if (held?.epoch === epoch && held.seq === seq) return;
        world.violate(
          "I17",
          `${to} named ${epoch}/${seq} for ${key}, its log has ${held?.epoch ?? 0}/${held?.seq ?? 0}`,
        );
      }
      if (held !== undefined && saysNotDone(outcome) && isSame(world, to, input, held.seq) === true)
        denied.set(key, `${to} answered ${outcome.outcome} while its log had ${held.epoch}/${held.seq}`);
    },
    settled: () => {
      for (const label of ["a", "b"] as const) {
        const keys = world.processes[label].disk.content?.keys;
        for (const [key, told] of denied) {
          const found = keys?.get(key);
          if (found !== undefined)
            world.violate("I17", `${key}: ${told}; it is ${found.epoch}/${found.seq} in the log of ${label}`);
        }
      }
    },
  };
}

/** Whether the log holds at `seq` the command that was given; null: its text has been compacted away. */
function isSame(world: World, to: Label, input: CommandInput, seq: number): boolean | null {
  const content = world.processes[to].disk.content;
  const command = content?.commands[seq - content.firstHeldSeq];
  return command === undefined ? null : canonicalJson(command.payload) === canonicalJson(input.payload);
}

function judgeAccepted(world: World, to: Label, input: CommandInput, seq: number): void {
  if (isSame(world, to, input, seq) !== false) return;
  world.violate("I17", `${to} answered ${input.idempotencyKey} with ${seq}, which is another command`);
}

function saysNotDone({ outcome }: SubmitOutcome): boolean {
  return !["accepted", "outcome-unknown", "idempotency-conflict"].includes(outcome);
}
