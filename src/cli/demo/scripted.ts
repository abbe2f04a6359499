/**
 * The demonstration without a person: kill, freeze, a switcher that dies and one that hangs,
 * partition with split brain and recovery, handover, while
 * the rundown is played once; then the account.
 * Ends with an answer within a minute, good or bad.
 */
import { otherLabel } from "../../core/ids.ts";
import { CliError, EXIT, type ExitCode } from "../exit.ts";
import { line } from "../output.ts";
import { settle } from "./account.ts";
import {
  freeze,
  handover,
  hangSwitcher,
  kill,
  killSwitcher,
  leaderOf,
  recover,
  restart,
  splitBrain,
  thaw,
  untilSettled,
  wakeSwitchers,
} from "./faults.ts";
import type { Plant } from "./plant.ts";
import type { Show } from "./show.ts";
import { accountLines, isGood, type Measured, measuredLines } from "./table.ts";

/** Calls of the rundown in each scene; what is left is played at the end. */
const CALLS = { opening: 14, kill: 14, freeze: 14, switcher: 4, eachSide: 8, handover: 24 } as const;

/** Plays it all and prints what was measured. */
export async function playScript(plant: Plant, show: Show): Promise<ExitCode> {
  const measured: Measured[] = [];
  const scene = async (step: Promise<Measured | string>): Promise<void> => {
    const done = await step;
    if (typeof done === "string") throw new CliError(EXIT.failed, done);
    measured.push(done);
    line(`  ${done.what}: ${done.ms.toFixed(1)} ms (${done.note})`);
  };
  const startedMs = performance.now();
  await untilSettled(plant);
  line(`both engines are up, ${await leaderOf(plant)} leads; playing ${show.left} calls`);
  await show.play(CALLS.opening);

  await Promise.all([scene(kill(plant)), show.play(CALLS.kill)]);
  await scene(restart(plant));

  await Promise.all([scene(freeze(plant)), show.play(CALLS.freeze)]);
  await scene(thaw(plant));

  await Promise.all([scene(killSwitcher(plant)), show.play(CALLS.switcher)]);
  await scene(restart(plant));
  await Promise.all([scene(hangSwitcher(plant)), show.play(CALLS.switcher)]);
  await scene(wakeSwitchers(plant));

  const isolated = await leaderOf(plant);
  await scene(splitBrain(plant));
  await Promise.all([show.play(CALLS.eachSide, isolated), show.play(CALLS.eachSide, otherLabel(isolated))]);
  await scene(recover(plant));

  await scene(handoverUnderLoad(plant, show));
  await show.play(show.left);

  const account = await settle(plant, show.acknowledged);
  line();
  [...measuredLines(measured), "", ...accountLines(account)].forEach((text) => line(text));
  show.refused.forEach((text) => line(`refused by the engine: ${text}`));
  line(`took ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
  const isWhole = show.acknowledged.length + show.refused.length === TOTAL;
  return isGood(account) && isWhole && show.refused.length === 0 ? EXIT.done : EXIT.failed;
}

/** Calls of the whole rundown. */
const TOTAL = 98;

/** The gap that a caller sees: from the last answer of the old epoch to the first of the new. */
async function handoverUnderLoad(plant: Plant, show: Show): Promise<Measured> {
  const before = show.acknowledged.length;
  const inTheMiddle = async (): Promise<Measured> => {
    await waitFor(() => show.acknowledged.length >= before + CALLS.handover / 3);
    return handover(plant);
  };
  const [done] = await Promise.all([inTheMiddle(), show.play(CALLS.handover)]);
  const played = show.acknowledged.slice(before);
  const turn = played.findIndex(({ epoch }, at) => at > 0 && epoch !== played[at - 1]?.epoch);
  const [last, first] = [played[turn - 1], played[turn]];
  const ms = last === undefined || first === undefined ? NaN : first.atMonoMs - last.atMonoMs;
  return { what: "handover: gap between two answers", ms, note: `${done.note}, ${done.ms.toFixed(1)} ms inside` };
}

async function waitFor(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
