/**
 * What can be done to the pair, each with the time that its answer took, as seen from outside.
 * A measured time begins at the fault itself and ends at an answer of the engine that takes over.
 */
import { type Label, otherLabel } from "../../core/ids.ts";
import { Client } from "../client.ts";
import { CliError, EXIT } from "../exit.ts";
import { ask, leads, stateOf, until } from "./observe.ts";
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

/**
 * Why the leader may not lose its role now; null: the other engine would take it. A key that waited for a take-over that
 * cannot come would seem to do nothing.
 */
export async function whyNoTakeOver(plant: Plant): Promise<string | null> {
  const found = await otherThanTheLeader(plant);
  if (typeof found !== "object") return found;
  const { other } = found;
  const ready = await ask(`${plant.engines[other].url}/ready`);
  if (ready?.status === 200) return null;
  return `${other} could not take over now: ${reasonsIn(ready?.text) ?? "it does not answer"}; wait a moment`;
}

/** The same for a handover, which waits for nothing that a take-over waits for. */
export async function whyNoHandover(plant: Plant): Promise<string | null> {
  const found = await otherThanTheLeader(plant);
  return typeof found === "object" ? null : found;
}

/** The engine that would take over; or why there is none. */
async function otherThanTheLeader(plant: Plant): Promise<{ readonly other: Label } | string> {
  const leading = await Promise.all((["a", "b"] as const).map((label) => leads(plant.engines[label].url)));
  if (leading.every((one) => !one)) return `no engine leads now; ${whatIsWrong(plant) ?? "wait a moment"}`;
  if (leading.every((one) => one)) return "both lead: heal the peer link first (p)";
  const other = leading[0] === true ? "b" : "a";
  const wrong = whatIsWrongWith(plant, other);
  return wrong === null ? { other } : `${other} could not take over: ${wrong}`;
}

/** Why both engines cannot become equal now; null: they can. */
export function whatIsWrong(plant: Plant): string | null {
  return whatIsWrongWith(plant, "a") ?? whatIsWrongWith(plant, "b") ?? (plant.linkCut ? CUT : null);
}

const CUT = "the peer link is cut: heal it with p";

function whatIsWrongWith({ engines, switchers }: Plant, label: Label): string | null {
  if (!engines[label].running) return `${label} does not run: start it with r`;
  if (engines[label].frozen) return `${label} is frozen: wake it with f`;
  if (switchers !== null && !switchers[label].running) return `the switcher of ${label} does not run: start it with r`;
  return switchers?.[label].frozen === true ? `the switcher of ${label} hangs: wake it with x` : null;
}

function reasonsIn(text: string | undefined): string | null {
  try {
    const { reasons } = JSON.parse(text ?? "") as { reasons?: readonly string[] };
    return reasons === undefined || reasons.length === 0 ? null : reasons.join(", ");
  } catch {
    return null;
  }
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

/** Everything that was killed again, until the pair is whole. What is cut or frozen stays so, and is said. */
export async function restart(plant: Plant): Promise<Measured | string> {
  const all = [
    plant.engines.a,
    plant.engines.b,
    ...(plant.switchers === null ? [] : [plant.switchers.a, plant.switchers.b]),
  ];
  const gone = all.filter(({ running }) => !running);
  if (gone.length === 0) return "everything runs";
  const sinceMs = performance.now();
  for (const process of gone.toReversed()) await process.start();
  const names = gone.map(({ name }) => name).join(" and ");
  const wrong = whatIsWrong(plant);
  if (wrong !== null) return `${names} runs again; ${wrong}`;
  await untilSettled(plant);
  return { what: "what was killed back → ready", ms: performance.now() - sinceMs, note: `${names} again, equal` };
}

/** SIGKILL for the leader's switcher alone, until the other engine leads. */
export async function killSwitcher(plant: Plant): Promise<Measured> {
  const leader = await leaderOf(plant);
  const other = plant.engines[otherLabel(leader)];
  plant.switchers?.[leader].kill();
  const ms = await until(`${other.label} leads`, async () => leads(other.url), TIGHT);
  return {
    what: "leader's switcher killed → follower on air",
    ms,
    note: `its coordinator gave the role to ${other.label}`,
  };
}

/** SIGSTOP for the leader's switcher alone, until the other engine leads. It is left hanging. */
export async function hangSwitcher(plant: Plant): Promise<Measured> {
  const leader = await leaderOf(plant);
  const other = plant.engines[otherLabel(leader)];
  plant.switchers?.[leader].freeze();
  const ms = await until(`${other.label} leads`, async () => leads(other.url), TIGHT);
  return { what: "leader's switcher hangs → follower on air", ms, note: "its lifeline fell silent" };
}

/** SIGCONT to the switchers, until the pair is whole. */
export async function wakeSwitchers(plant: Plant): Promise<Measured | string> {
  const sinceMs = performance.now();
  plant.switchers?.a.thaw();
  plant.switchers?.b.thaw();
  const wrong = whatIsWrong(plant);
  if (wrong !== null) return `the switcher runs on; ${wrong}`;
  await untilSettled(plant);
  return {
    what: "hanging switcher wakes → follows, equal",
    ms: performance.now() - sinceMs,
    note: "nothing was skipped",
  };
}

/** SIGSTOP, until the follower leads. The frozen one is left frozen. */
export async function freeze(plant: Plant): Promise<Measured> {
  const leader = await leaderOf(plant);
  const other = plant.engines[otherLabel(leader)];
  plant.engines[leader].freeze();
  const ms = await until(`${other.label} leads`, async () => leads(other.url), TIGHT);
  return { what: "leader frozen → follower on air", ms, note: `${leader} frozen, ${other.label} leads` };
}

/** SIGCONT to the frozen engine, until it follows and is equal. */
export async function thaw(plant: Plant): Promise<Measured | string> {
  const sinceMs = performance.now();
  plant.engines.a.thaw();
  plant.engines.b.thaw();
  const wrong = whatIsWrong(plant);
  if (wrong !== null) return `it runs on; ${wrong}`;
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
export async function healLink(plant: Plant): Promise<Measured | string> {
  const sinceMs = performance.now();
  plant.healLink();
  const wrong = whatIsWrong(plant);
  if (wrong !== null) return `the peer link is whole; ${wrong}`;
  await untilSettled(plant);
  return { what: "link back → equal", ms: performance.now() - sinceMs, note: `${await leaderOf(plant)} leads` };
}

/** A graceful handover, by the engine's own account. */
export async function handover(plant: Plant): Promise<Measured> {
  const leader = await leaderOf(plant);
  const client = new Client({ url: plant.engines[leader].url, token: null, timeoutMs: 10_000 });
  const done = await client.post<{ leader: Label; epoch: number; tookMs: number }>(
    "/api/handover",
    ["leader", "epoch"],
    {
      reason: "demonstration",
    },
  );
  return {
    what: "handover, by the engine's account",
    ms: done.tookMs,
    note: `${leader} → ${done.leader}, epoch ${done.epoch}`,
  };
}
