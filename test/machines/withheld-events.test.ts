/**
 * No decorative event [CH6]: for each event of each statechart, a run that goes well with it and not without it. The event
 * is dropped at the mailbox of the chart, on both engines.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { describe, expect, test } from "vitest";
import { machines, type MachineName } from "../../machines/index.ts";
import type { Rules } from "../../src/actors/rules.ts";
import { eventName } from "../../src/visualiser/inspected.ts";
import { EVENT_PROOFS } from "./event-proofs.ts";
import type { Play } from "./plays.ts";
import { eventTypesOf } from "./transition-table.ts";

const SPEC = fileURLToPath(new URL("../../machines/SPEC.md", import.meta.url));
const TITLE = "## Events";

/** Where nothing is known to break: the charts whose actors still decide beside them. This list only gets shorter. */
const MAY_BE_OPEN: readonly MachineName[] = ["leadership", "witness-vote"];

function without(chart: MachineName, name: string): Partial<Rules> {
  const isMeant = (event: string): boolean =>
    name.endsWith("*") ? event.startsWith(name.slice(0, -1)) : event === name;
  return { receives: (at, event) => at !== chart || !isMeant(event) };
}

/** As in the drawings; a delay with the state that it runs in. */
function shown(event: string): string {
  const name = eventName(event);
  return name.startsWith("after ") ? `${name} in ${event.slice(event.lastIndexOf(".") + 1)}` : name;
}

const wholeRuns = new Map<Play, Promise<void>>();

/** The same run with every event, once for all the events that it stands for. */
function whole(play: Play): Promise<void> {
  const run = wholeRuns.get(play) ?? play({});
  wholeRuns.set(play, run);
  return run;
}

const charts = Object.entries(EVENT_PROOFS) as unknown as readonly (readonly [
  MachineName,
  (typeof EVENT_PROOFS)["handover"],
])[];

describe.each(charts)("[CH6] %s", (chart, proofs) => {
  const listed = Object.entries(proofs);

  test("every event is in the table, and nothing else is", () => {
    expect(Object.keys(proofs).sort()).toEqual([...eventTypesOf(machines[chart])].sort());
    const open = listed.filter(([, proof]) => proof === "open").map(([event]) => event);
    if (!MAY_BE_OPEN.includes(chart)) expect(open).toEqual([]);
  });

  for (const [event, proof] of listed) {
    if (proof === "open") continue;
    test(`${shown(event)}: ${proof.breaks}`, { timeout: 60_000 }, async () => {
      await whole(proof.play);
      await expect(proof.play(without(chart, event))).rejects.toThrow();
    });
  }
});

test("[CH6] machines/SPEC.md lists what breaks without each event", async () => {
  const text = readFileSync(SPEC, "utf8");
  const rows = charts.flatMap(([chart, proofs]) =>
    Object.entries(proofs).map(
      ([event, proof]) => `| ${chart} | ${shown(event)} | ${proof === "open" ? "open" : proof.breaks} |`,
    ),
  );
  const intro =
    "Each event is needed: `test/machines/withheld-events.test.ts` drops one at a time at the mailbox of its chart and sees\n" +
    "this break. The page is written from `test/machines/event-proofs.ts` by `npx vitest --project local --update` on that file.";
  const table = ["| Chart | Event | What breaks without it |", "| --- | --- | --- |", ...rows].join("\n");
  const section = `${TITLE}\n\n${intro}\n\n${table}\n`;
  const before = text.includes(TITLE) ? text.slice(0, text.indexOf(TITLE)) : `${text}\n`;
  const options = { ...(await resolveConfig(SPEC)), filepath: SPEC };
  await expect(await format(before + section, options)).toMatchFileSnapshot(SPEC);
});
