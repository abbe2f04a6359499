/** Whether all places say the same of every record, and hold each operation once. */
import { canonicalJson } from "../../../core/canonical-json.ts";
import { columns } from "../../output.ts";
import { until } from "../observe.ts";
import type { Place } from "./places.ts";

/** What one place says. */
interface Account {
  readonly name: string;
  readonly fields: number;
  readonly contested: number;
  readonly operations: number;
  readonly repeated: number;
  /** Everything that is said of the records, for comparing. */
  readonly text: string;
}

const WITHIN_MS = 20_000;

/**
 * Waits until all say the same, and that `contested` fields are contested.
 *
 * @param step what moves things on between two looks
 * @returns how long it took, ms
 */
export async function untilEqual(
  places: readonly Place[],
  contested: number,
  step: () => Promise<void>,
): Promise<number> {
  return until(
    `equal records in ${places.length} places, ${contested} of them contested`,
    async () => {
      await step();
      const accounts = await Promise.all(places.map(accountOf));
      return accounts.every((one) => one.text === accounts[0]?.text && one.contested === contested);
    },
    { withinMs: WITHIN_MS, pollMs: 50 },
  );
}

/** How often each place holds the operation. */
export async function holdings(places: readonly Place[], identity: string): Promise<readonly number[]> {
  return Promise.all(places.map(async (place) => (await place.operations()).filter((one) => one === identity).length));
}

/** One line a place, and whether all is well. */
export async function agreement(
  places: readonly Place[],
): Promise<{ readonly lines: string[]; readonly good: boolean }> {
  const accounts = await Promise.all(places.map(accountOf));
  const rows = accounts.map((one) => [
    one.name,
    `${one.fields}`,
    `${one.contested}`,
    `${one.operations}`,
    one.text === accounts[0]?.text ? "equal" : "DIFFERENT",
  ]);
  return {
    lines: columns([["place", "records", "contested", "operations", ""], ...rows]),
    good: accounts.every((one) => one.repeated === 0 && one.text === accounts[0]?.text),
  };
}

async function accountOf(place: Place): Promise<Account> {
  const [records, operations] = await Promise.all([place.records(), place.operations()]);
  return {
    name: place.name,
    fields: records.length,
    contested: records.filter(({ contested }) => contested).length,
    operations: operations.length,
    repeated: operations.length - new Set(operations).size,
    text: records.map((record) => canonicalJson({ ...record })).join("\n"),
  };
}
