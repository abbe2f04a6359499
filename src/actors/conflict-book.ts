/**
 * What becomes of divergent commands [SB2, SB3], and how a person settles one later.
 * Keeps true: the same case gives the same conflicts under the same ids, however often recovery begins again.
 */
import { assertNever } from "../core/errors.ts";
import type { Command, CommandConflict, ConflictOutcome } from "../core/command.ts";
import { epochAt, type LogShape } from "../core/fork.ts";
import { makeId, otherLabel } from "../core/ids.ts";
import type { ResolveChoice, ResolveOutcome, SubmitOutcome } from "../core/outcomes.ts";
import type { Store } from "../ports/store.ts";
import type { Kit } from "./kit.ts";

/** Standing commands kept beside a divergent one. */
const STANDING_KEPT = 16;
/** Commands since the fork that are looked through for the same conflict key. */
const LOOKED_THROUGH = 10_000;

export interface DivergentCase {
  readonly forkSeq: number;
  readonly divergent: readonly Command[];
  readonly winnerEpoch: number;
  /**
   * Through here nothing is in dispute: the winner has nothing of its own since the fork, and clients were told that the
   * divergent commands stand. 0: the winner has something of its own.
   */
  readonly undisputedThroughSeq: number;
}

/** What two commands must share to touch the same thing: the path of a REST call, or the kind. */
export function conflictKey(command: Pick<Command, "kind">): string {
  const [, path] = command.kind.split(" ", 2);
  return path ?? command.kind;
}

export function toConflicts(kit: Kit, found: DivergentCase): CommandConflict[] {
  const since = kit.ports.store.commandsAfter(found.forkSeq, LOOKED_THROUGH).commands;
  return found.divergent.map((divergent) => {
    const id = makeId("conflict", `${divergent.origin}_${divergent.originSeq}`);
    const known = kit.ports.store.findConflict(id);
    const standing = since.filter((command) => conflictKey(command) === conflictKey(divergent)).slice(-STANDING_KEPT);
    const judged = known?.reason === STANDS ? null : known;
    const { outcome, reason } = judged ?? judge(kit, divergent.seq <= found.undisputedThroughSeq, standing.length > 0);
    return {
      id,
      kind: "command",
      divergent,
      standing,
      divergentFrom: otherLabel(kit.options.label),
      forkSeq: found.forkSeq,
      winnerEpoch: found.winnerEpoch,
      outcome,
      reason,
      detectedAtUnixMs: known?.detectedAtUnixMs ?? kit.ports.clock.unixMs(),
      resolution: known?.resolution ?? null,
    };
  });
}

/** Why a conflict is closed whose command is in the log after all: the side that was to lose it leads again. */
const STANDS = "it stands: the log that holds it leads";

/**
 * The conflicts whose divergent command stands in this engine's log, closed. That happens when the winner of a split dies
 * before the loser has taken its state, and the loser leads on with its own log.
 */
export function standingAfterAll(conflicts: readonly CommandConflict[], shape: LogShape): readonly CommandConflict[] {
  return conflicts
    .filter(({ divergent, outcome, resolution }) => {
      const stands = epochAt(shape, divergent.seq) === divergent.epoch;
      return stands && resolution === null && outcome !== "reapplied";
    })
    .map((conflict) => ({ ...conflict, outcome: "reapplied", reason: STANDS }));
}

/** A command that was to be applied again, and that the leader did not accept. */
export function refused(
  conflict: CommandConflict,
  why: Exclude<SubmitOutcome["outcome"], "accepted">,
): CommandConflict {
  return { ...conflict, outcome: "superseded", reason: `applied again, the leader answered ${why}` };
}

/** A dominated winner fast-forwards whatever the policy: under its own epoch, for nothing of a lower one is taken [I2]. */
function judge(kit: Kit, undisputed: boolean, touched: boolean): { outcome: ConflictOutcome; reason: string } {
  if (undisputed) return { outcome: "reapplied", reason: "the leader had nothing of its own since the fork" };
  const { onConflict } = kit.options.commands;
  switch (onConflict) {
    case "leader-wins":
      return { outcome: "superseded", reason: "the leader's log stands" };
    case "reapply":
      return touched
        ? { outcome: "superseded", reason: "the leader has touched the same since the fork" }
        : { outcome: "reapplied", reason: "the leader has not touched the same since the fork" };
    case "manual":
      return { outcome: "open", reason: "a person decides" };
    default:
      return assertNever(onConflict);
  }
}

/** The newest conflicts about commands; those about records follow on each engine from the records themselves. */
export function commandConflicts(store: Pick<Store, "conflicts">, limit: number): readonly CommandConflict[] {
  return store.conflicts(limit).filter((conflict) => conflict.kind === "command");
}

/** Settles one conflict about a command on a person's word; `submit` gives a command to the leader's log. */
export async function resolveConflict(
  kit: Kit,
  request: { id: string; choice: ResolveChoice; by: string },
  submit: (command: Pick<Command, "kind" | "payload">, key: string) => Promise<SubmitOutcome>,
): Promise<ResolveOutcome> {
  const { store, clock } = kit.ports;
  const conflict = store.findConflict(request.id);
  if (conflict?.kind !== "command") return { outcome: "not-found" };
  if (conflict.resolution !== null) return { outcome: "already-resolved", conflict };
  const { choice } = request;
  if (choice.choice !== "keep") {
    const payload = choice.choice === "value" ? choice.value : conflict.divergent.payload;
    const answer = await submit({ kind: conflict.divergent.kind, payload }, `resolve:${conflict.id}`);
    if (answer.outcome !== "accepted") return answer;
  }
  const resolved: CommandConflict = {
    ...conflict,
    outcome: "resolved",
    resolution: { choice: choice.choice, by: request.by, atUnixMs: clock.unixMs() },
  };
  store.saveConflicts([resolved]);
  kit.emit({ type: "conflict", conflict: resolved });
  const open = store.conflicts(1_000).filter((one) => one.outcome === "open").length;
  kit.alarms.set("conflicts-open", open > 0, `${open} conflicts wait for a person`);
  return { outcome: "resolved", conflict: resolved };
}
