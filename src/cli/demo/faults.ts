/**
 * Purpose: what can be done to the pair, each with the time that its answer took, as seen from outside.
 * Keeps true: a measured time begins at the fault itself and ends at an answer of the engine that takes over.
 */
import { type Label, otherLabel } from "../../core/ids.ts";
import { Client } from "../client.ts";
import { CliError, EXIT } from "../exit.ts";
import { leads, stateOf, until } from "./observe.ts";
import { isSettled } from "./account.ts";
import type { Plant } from "./plant.ts";
import type { Measured } from "./table.ts";

/** Asked again at once: the answer itself is the pace. */
const TIGHT = { pollMs: 0 };

/** The engine that may act now. */
export async function leaderOf(plant: Plant): Promise<Label> {
  let leader: Label | null = null;
  await until("one engine leads", async () => {
    for (const label of ["a", "b"] as const) if (await leads(plant.engines[label].url)) leader = label;
    return leader !== null;
  });
  if (leader === null) throw new CliError(EXIT.failed, "no engine leads");
  return leader;
}

/** Exactly one leads, the other could take over, and both are equal. */
export async function untilSettled(plant: Plant): Promise<number> {
  return until("one leader and a ready follower, equal", async () => isSettled(plant));
}

/** SIGKILL, until the follower answers `/leader` with 200. */
export async function kill(plant: Plant): Promise<Measured> {
  const leader = await leaderOf(plant);
  const other = plant.engines[otherLabel(leader)];
  plant.engines[leader].kill();
  const ms = await until(`${other.label} leads`, async () => leads(other.url), TIGHT);
  return { what: "leader killed → follower on air", ms, note: `${leader} killed, ${other.label} leads` };
}

/** The killed engine again, until it could take over. */
export async function restart(plant: Plant): Promise<Measured> {
  const gone = (["a", "b"] as const).find((label) => !plant.engines[label].running);
  if (gone === undefined) return { what: "restart", ms: 0, note: "both run" };
  const sinceMs = performance.now();
  await plant.engines[gone].start();
  await untilSettled(plant);
  return { what: "killed engine back → ready", ms: performance.now() - sinceMs, note: `${gone} follows, equal` };
}

/** SIGSTOP, until the follower leads. The frozen one is left frozen. */
export async function freeze(plant: Plant): Promise<Measured> {
  const leader = await leaderOf(plant);
  const other = plant.engines[otherLabel(leader)];
  plant.engines[leader].freeze();
  const ms = await until(`${other.label} leads`, async () => leads(other.url), TIGHT);
  return { what: "leader frozen → follower on air", ms, note: `${leader} frozen, ${other.label} leads` };
}

/** SIGCONT to whoever is frozen, until it follows and is equal. */
export async function thaw(plant: Plant): Promise<Measured> {
  const sinceMs = performance.now();
  plant.engines.a.thaw();
  plant.engines.b.thaw();
  await untilSettled(plant);
  return { what: "frozen engine wakes → follows, equal", ms: performance.now() - sinceMs, note: "its epoch is fenced" };
}

/** Cuts the link, and the leader from the witness, until both lead. */
export async function splitBrain(plant: Plant): Promise<Measured> {
  const leader = await leaderOf(plant);
  const other = plant.engines[otherLabel(leader)];
  plant.witness.cut(leader);
  plant.cutLink();
  const ms = await until(`${other.label} leads too`, async () => leads(other.url), TIGHT);
  if (!(await leads(plant.engines[leader].url))) throw new CliError(EXIT.failed, `${leader} went off air in the split`);
  return { what: "link cut → both sides on air", ms, note: `${leader} stays, unconfirmed; ${other.label} leads` };
}

/** Everything whole again, until one leads and both are equal. */
export async function recover(plant: Plant): Promise<Measured> {
  const sinceMs = performance.now();
  plant.witness.heal("a");
  plant.witness.heal("b");
  await healLink(plant);
  const leader = await leaderOf(plant);
  const state = await stateOf(plant.engines[leader].url);
  const note = `${leader} stays at epoch ${state?.epoch}, the other side is kept as conflicts`;
  return { what: "link back → reconciled, equal", ms: performance.now() - sinceMs, note };
}

/** The link whole again, until one leads and both are equal. */
export async function healLink(plant: Plant): Promise<Measured> {
  const sinceMs = performance.now();
  plant.healLink();
  await untilSettled(plant);
  return { what: "link back → equal", ms: performance.now() - sinceMs, note: `${await leaderOf(plant)} leads` };
}

/** A graceful handover, by the engine's own account. */
export async function handover(plant: Plant): Promise<Measured> {
  const leader = await leaderOf(plant);
  const client = new Client({ url: plant.engines[leader].url, token: null, timeoutMs: 10_000 });
  const done = await client.post<{ leader: Label; epoch: number; tookMs: number }>("/api/handover", {
    reason: "demonstration",
  });
  return {
    what: "handover, by the engine's account",
    ms: done.tookMs,
    note: `${leader} → ${done.leader}, epoch ${done.epoch}`,
  };
}
