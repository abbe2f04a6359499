/**
 * `npm run bench [-- --only NAME] [--quick] [--minutes 30] [--out FILE] [--publish]`: measures, each thing beside its
 * yardstick in the same run. Times are reported and never pass or fail. `--publish` renews docs/benchmarks.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchCatchUp } from "./catch-up.bench.ts";
import { drawChart } from "./chart.ts";
import { benchAgain, benchEngineDeath, benchSizes, benchStall } from "./engine-deaths.bench.ts";
import { benchRedCut } from "./red-cut.bench.ts";
import { benchCommands } from "./commands.bench.ts";
import { benchFederation } from "./federation.bench.ts";
import { benchFreeze, benchKill, benchLargeProcess } from "./failover.bench.ts";
import { benchFalseTakeovers } from "./false-takeovers.bench.ts";
import { chartsOfGrowth } from "./growth.bench.ts";
import { benchHandover } from "./handover.bench.ts";
import { benchHttp } from "./http.bench.ts";
import { benchIdle } from "./idle.bench.ts";
import { benchLockstep } from "./lockstep.bench.ts";
import { benchMerge } from "./merge.bench.ts";
import { benchOutbox } from "./outbox.bench.ts";
import { benchHeartbeat } from "./peer-channel.bench.ts";
import { benchReconcileLock } from "./reconcile-lock.bench.ts";
import { benchReplication } from "./replication.bench.ts";
import { factsLine, machineFacts, resultLine, resultTable } from "./report.ts";
import type { BenchResult } from "./rows.ts";
import type { Scale } from "./scale.ts";
import { benchSimulation } from "./simulation.bench.ts";
import { benchSnapshot } from "./snapshot.bench.ts";
import { benchViewers } from "./viewers.bench.ts";

const BENCHMARKS: Readonly<Record<string, (scale: Scale) => Promise<BenchResult[]>>> = {
  kill: benchKill,
  freeze: benchFreeze,
  handover: benchHandover,
  "false-takeovers": benchFalseTakeovers,
  commands: benchCommands,
  lockstep: benchLockstep,
  heartbeat: benchHeartbeat,
  idle: benchIdle,
  federation: benchFederation,
  "reconcile-lock": benchReconcileLock,
  http: benchHttp,
  "catch-up": benchCatchUp,
  replication: benchReplication,
  merge: benchMerge,
  snapshot: benchSnapshot,
  "large-process": benchLargeProcess,
  viewers: benchViewers,
  "engine-death": benchEngineDeath,
  stall: benchStall,
  sizes: benchSizes,
  "red-cut": benchRedCut,
  again: benchAgain,
  outbox: benchOutbox,
  simulation: benchSimulation,
};
const GROWTH = "growth";
const DOCS = fileURLToPath(new URL("../../docs/benchmarks/", import.meta.url));
const PAGE = fileURLToPath(new URL("../../docs/benchmarks.md", import.meta.url));
const TABLE = /(<!-- results -->\n)[^]*?(<!-- end of results -->)/;
const USED_WRONGLY = 2;
const USAGE = `usage: npm run bench -- [--only NAME] [--quick] [--minutes 1] [--out var/bench.json] [--publish]`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      quick: { type: "boolean", default: false },
      minutes: { type: "string", default: "1" },
      out: { type: "string", default: "var/bench.json" },
      publish: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const known = [...Object.keys(BENCHMARKS), GROWTH];
  const names = values.only?.flatMap((text) => text.split(",")) ?? known;
  const unknown = names.find((name) => !known.includes(name));
  const minutes = Number(values.minutes);
  if (unknown !== undefined) return usedWrongly(`--only ${unknown}: must be one of ${known.join(", ")}`);
  if (!(minutes > 0 && minutes <= 600)) return usedWrongly(`--minutes ${values.minutes}: must be above 0, at most 600`);
  if (values.help) {
    console.log(`${USAGE}\n  NAME: one or more of ${known.join(", ")}, with commas or an --only each; default: all`);
    return;
  }
  const scale = { quick: values.quick, minutes };
  const machine = machineFacts();
  const results: BenchResult[] = [];
  for (const name of names) results.push(...(await measure(name, scale)));
  if (names.includes(GROWTH)) await draw(scale, values.publish ? DOCS : dirname(resolve(values.out)));
  const report = { machine, quick: scale.quick, results };
  write(values.publish ? join(DOCS, "results.json") : resolve(values.out), `${JSON.stringify(report, null, 2)}\n`);
  if (values.publish)
    renewPage(`${factsLine(machine, scale.quick)}

${resultTable(results)}`);
}

/** One that cannot be measured is told and does not keep the others from it. */
async function measure(name: string, scale: Scale): Promise<BenchResult[]> {
  const bench = BENCHMARKS[name];
  if (bench === undefined) return [];
  const results = await bench(scale).catch((error: unknown): BenchResult[] => {
    process.exitCode = 1;
    return [{ name, missing: error instanceof Error ? error.message : String(error), goal: "to be measured" }];
  });
  for (const result of results) console.log(resultLine(result));
  return results;
}

async function draw(scale: Scale, folder: string): Promise<void> {
  for (const [name, chart] of Object.entries(await chartsOfGrowth(scale))) {
    write(join(folder, `${name}.svg`), drawChart(chart));
    console.log(`${chart.title}: ${join(folder, `${name}.svg`)}`);
  }
}

/** Puts the table in its place on the page. */
function renewPage(table: string): void {
  const page = readFileSync(PAGE, "utf8");
  writeFileSync(
    PAGE,
    page.replace(TABLE, (_all, begin: string, end: string) => `${begin}\n${table}\n\n${end}`),
  );
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function usedWrongly(why: string): void {
  console.error(`${why}\n${USAGE}`);
  process.exitCode = USED_WRONGLY;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof TypeError && "code" in error)) throw error;
  usedWrongly(error.message);
}
