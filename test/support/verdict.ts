/**
 * The account of a fault: judged only by what the engines tell anyone who asks, and by what their clients were told.
 */
import { expect } from "vitest";
import { allConflicts, placeOf, settle, wholeLog } from "../../src/cli/demo/account.ts";
import type { Acknowledged } from "../../src/cli/demo/show.ts";
import { LOAD_KIND } from "./command-load.ts";
import type { RealPair } from "./real-pair.ts";

/**
 * Waits until both engines agree and demands: one leader, equal logs and checksums, nothing acknowledged lost or
 * doubled, and every command that was acknowledged as safe on both in both logs [I7, I9].
 */
export async function expectWhole(pair: RealPair, acknowledged: readonly Acknowledged[]): Promise<void> {
  await pair.settled();
  const account = await settle(pair, acknowledged);
  expect(account).toMatchObject({ lost: [], doubled: 0, firstDifference: null });
  expect(account.checksums.a).toMatch(/^[0-9a-f]{64}$/);
  expect(account.checksums.b).toBe(account.checksums.a);
  const log = await wholeLog(pair.engines.a.url);
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_command, at) => at + 1));
  const places = new Set(log.map(placeOf));
  const missing = acknowledged.filter((command) => command.durability === "pair" && !places.has(placeOf(command)));
  expect(missing, "acknowledged as safe on both, and not in the log").toEqual([]);
  const kinds = log.map(({ kind }) => kind).filter((kind) => kind.startsWith(LOAD_KIND));
  const seen = new Set<string>();
  const twice = kinds.filter((kind) => seen.size === seen.add(kind).size);
  expect(twice, "commands that stand twice").toEqual([]);
}

/** As above, and no command was set aside either. */
export async function expectWholeWithoutConflicts(pair: RealPair, acknowledged: readonly Acknowledged[]) {
  await expectWhole(pair, acknowledged);
  expect(await allConflicts(pair)).toEqual([]);
}
