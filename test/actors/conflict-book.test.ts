/** What becomes of divergent commands, and how a person settles one. */
import { expect, test } from "vitest";
import { conflictKey, refused, resolveConflict, toConflicts } from "../../src/actors/conflict-book.ts";
import type { Command } from "../../src/core/command.ts";
import { hlcZero } from "../../src/core/hlc.ts";
import { makeId } from "../../src/core/ids.ts";
import type { SubmitOutcome } from "../../src/core/outcomes.ts";
import type { CommandSettings } from "../../src/core/settings.ts";
import { buildRig } from "./rig.ts";

const WINNER = makeId("engine", "winner");
const LOSER = makeId("engine", "loser");
const CUT = "POST /switch/cut";
const KEYER = "POST /keyer/1/on";

function commandOf(origin: typeof WINNER, seq: number, kind: string): Command {
  return {
    ...{ seq, epoch: origin === WINNER ? 5 : 4, kind, payload: { seq }, origin, originSeq: seq, idempotencyKey: null },
    ...{ hlc: hlcZero("x"), executeAtUs: seq, clock: { [origin]: seq } },
  };
}

function divided(onConflict: CommandSettings["onConflict"], standing: readonly string[] = [CUT, CUT]) {
  const rig = buildRig({ commands: { onConflict } });
  rig.store.append(standing.map((kind, index) => commandOf(WINNER, index + 1, kind)));
  const found = {
    forkSeq: 0,
    winnerEpoch: 5,
    undisputedThroughSeq: 0,
    divergent: [commandOf(LOSER, 1, CUT), commandOf(LOSER, 2, KEYER)],
  };
  return { ...rig, found };
}

test("[SB2] two commands conflict when they touch the same path; without one, when they are of a kind", () => {
  expect(conflictKey({ kind: CUT })).toBe("/switch/cut");
  expect(conflictKey({ kind: "PUT /switch/cut" })).toBe("/switch/cut");
  expect(conflictKey({ kind: "fade" })).toBe("fade");
});

test.each<[CommandSettings["onConflict"], string[]]>([
  ["leader-wins", ["superseded", "superseded"]],
  ["reapply", ["superseded", "reapplied"]],
  ["manual", ["open", "open"]],
])("[SB2] under %s: the touched one and the untouched one are %o", (policy, outcomes) => {
  const { kit, found } = divided(policy);
  expect(toConflicts(kit, found).map(({ outcome }) => outcome)).toEqual(outcomes);
});

test("[SB2] a winner with nothing of its own takes what the other has told its clients, whatever the policy", () => {
  for (const policy of ["leader-wins", "reapply", "manual"] as const) {
    const { kit, found } = divided(policy, []);
    const through = (undisputedThroughSeq: number): string[] =>
      toConflicts(kit, { ...found, undisputedThroughSeq }).map(({ outcome }) => outcome);
    const [first, last] = found.divergent;
    expect(through(last?.seq ?? 0), policy).toEqual(["reapplied", "reapplied"]);
    expect(through(first?.seq ?? 0)[0], policy).toBe("reapplied");
    if (policy === "leader-wins") expect(through(first?.seq ?? 0)[1]).toBe("superseded");
  }
});

test("[SB3] one that was to be applied again and was refused is kept as superseded, with the reason", () => {
  const { kit, found } = divided("reapply");
  const [conflict] = toConflicts(kit, found);
  expect(conflict && refused(conflict, "fenced")).toMatchObject({
    outcome: "superseded",
    reason: expect.stringContaining("fenced") as string,
  });
});

test("[SB3] every divergent command is kept, with both sides and a reason", () => {
  const { kit, found } = divided("leader-wins");
  const conflicts = toConflicts(kit, found);
  expect(conflicts.map(({ divergent }) => divergent)).toEqual(found.divergent);
  expect(conflicts.map(({ standing }) => standing.map(({ seq }) => seq))).toEqual([[1, 2], []]);
  for (const { reason } of conflicts) expect(reason).not.toBe("");
  expect(conflicts[0]).toMatchObject({ divergentFrom: "b", forkSeq: 0, winnerEpoch: 5, resolution: null });
});

test("[SB3] of the standing side the newest sixteen are kept", () => {
  const { kit, found } = divided(
    "manual",
    Array.from({ length: 20 }, () => CUT),
  );
  expect(toConflicts(kit, found)[0]?.standing.map(({ seq }) => seq)).toEqual(
    Array.from({ length: 16 }, (_, i) => i + 5),
  );
});

test("[SB5] the same case again gives the same conflicts, what a person decided included", async () => {
  const { kit, clock, store, found } = divided("manual");
  const first = toConflicts(kit, found);
  store.saveConflicts(first);
  await clock.pass(60_000);
  expect(toConflicts(kit, found)).toEqual(first);
  const id = first[0]?.id ?? "";
  await resolveConflict(kit, { id, choice: { choice: "keep" }, by: "ops" }, () => Promise.reject(new Error("asked")));
  expect(toConflicts(kit, found)[0]).toEqual(store.findConflict(id));
});

const TAKEN: SubmitOutcome = { outcome: "accepted", seq: 9, epoch: 5, executeAtUs: 0, durability: "pair" };

test("[SB3] a person keeps, applies again, or sets a value; each once", async () => {
  const rig = divided("manual");
  const { kit, store, found, events } = rig;
  const [touched, untouched] = toConflicts(kit, found);
  store.saveConflicts(toConflicts(kit, found));
  kit.alarms.raise("conflicts-open", "2 conflicts wait for a person");
  const submitted: unknown[] = [];
  const submit = async (...given: unknown[]): Promise<SubmitOutcome> => {
    submitted.push(given);
    return TAKEN;
  };
  const settle = (id = "", choice: Parameters<typeof resolveConflict>[1]["choice"]) =>
    resolveConflict(kit, { id, choice, by: "ops" }, submit);
  expect(await settle(touched?.id, { choice: "value", value: { source: "CAM 2" } })).toMatchObject({
    outcome: "resolved",
    conflict: { outcome: "resolved", resolution: { choice: "value", by: "ops" } },
  });
  expect(rig.alarm("conflicts-open")).toBe(true);
  expect(await settle(untouched?.id, { choice: "reapply" })).toMatchObject({ outcome: "resolved" });
  expect(submitted).toEqual([
    [{ kind: CUT, payload: { source: "CAM 2" } }, `resolve:${touched?.id}`],
    [{ kind: KEYER, payload: { seq: 2 } }, `resolve:${untouched?.id}`],
  ]);
  expect(rig.alarm("conflicts-open")).toBe(false);
  expect(events.filter(({ type }) => type === "conflict")).toHaveLength(2);
  expect(await settle(touched?.id, { choice: "keep" })).toMatchObject({ outcome: "already-resolved" });
  expect(await settle("cfl_nobody", { choice: "keep" })).toEqual({ outcome: "not-found" });
});

test("[SB3] a choice that the log refuses settles nothing", async () => {
  const { kit, store, found } = divided("manual");
  store.saveConflicts(toConflicts(kit, found));
  const id = toConflicts(kit, found)[0]?.id ?? "";
  const notHere: SubmitOutcome = { outcome: "not-leader", leader: "b", leaderUrl: null };
  expect(await resolveConflict(kit, { id, choice: { choice: "reapply" }, by: "ops" }, async () => notHere)).toEqual(
    notHere,
  );
  expect(store.findConflict(id)).toMatchObject({ outcome: "open", resolution: null });
});
