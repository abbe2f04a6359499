/** Writes a campaign down: one Markdown page, one SVG for each round, and the lines for the terminal. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { acknowledgement, isUncertain } from "./clients.ts";
import type { Evidence } from "./evidence.ts";
import type { RoundResult } from "./round.ts";
import { describeStep, type RoundPlan } from "./schedule.ts";
import { timelineSvg } from "./timeline.ts";

export function replayCommand({ seed, policy, witness, engine }: RoundPlan): string {
  return `npm run campaign -- --seed ${seed} --rounds 1 --witness ${witness} --policy ${policy} --engine ${engine}`;
}

/** One line for the terminal, and more for a round that failed. */
export function roundLines({ schedule, violations, evidence, tookMs, folder }: RoundResult): readonly string[] {
  const { seed, policy, witness } = schedule.plan;
  const faults = schedule.steps.map(({ fault }) => fault.kind).join(" + ");
  const head = `seed ${seed} ${policy} ${witness} ${(tookMs / 1_000).toFixed(1)} s: ${faults}: `;
  if (violations.length === 0) return [`${head}ok, ready after ${readyAfter(evidence)}`];
  return [
    `${head}FAILED`,
    ...schedule.steps.map((step) => `    ${describeStep(step)}`),
    ...violations.map(({ rule, detail }) => `  ${rule}: ${detail}`),
    `  kept in ${folder}`,
    `  replay: ${replayCommand(schedule.plan)}`,
  ];
}

export function writeReport(out: string, results: readonly RoundResult[]): void {
  mkdirSync(out, { recursive: true });
  for (const { schedule, evidence } of results) {
    if (evidence !== null) writeFileSync(join(out, svgName(schedule.plan)), timelineSvg(evidence));
  }
  writeFileSync(join(out, "README.md"), `${reportLines(results).join("\n")}\n`);
}

export function summaryLines(results: readonly RoundResult[]): readonly string[] {
  const failed = results.filter(({ violations }) => violations.length > 0);
  const sum = totals(results);
  return [
    `${results.length} rounds, ${sum.faults} faults, ${sum.acknowledged} commands acknowledged (${sum.pair} on both engines), ` +
      `${sum.refused} refused, ${sum.unknown} without a certain answer, ${sum.conflicts} conflicts, ${sum.samples} samples of /leader`,
    failed.length === 0 ? "no violation" : `${failed.length} rounds failed`,
    ...failed.map(({ schedule }) => `  ${replayCommand(schedule.plan)}`),
  ];
}

function reportLines(results: readonly RoundResult[]): readonly string[] {
  const failed = results.filter(({ violations }) => violations.length > 0);
  return [
    "# Campaign",
    "",
    ...summaryLines(results).slice(0, 2),
    "",
    ...(failed.length === 0 ? [] : ["## Failed rounds", "", ...failed.flatMap(failureLines)]),
    "## All rounds",
    "",
    "| seed | policy | witness | engine | faults | commands: both, local, refused, uncertain | ready after | result |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...results.map(rowOf),
  ];
}

function failureLines({ schedule, violations, evidence }: RoundResult): readonly string[] {
  const { plan } = schedule;
  return [
    `### Seed ${plan.seed}, ${plan.policy}, ${plan.witness}, ${plan.engine}`,
    "",
    ...(evidence === null ? [] : [`![timeline](${svgName(plan)})`, ""]),
    ...schedule.steps.map((step) => `- fault: ${describeStep(step)}`),
    ...violations.map(({ rule, detail }) => `- **${rule}**: ${detail}`),
    "",
    "```sh",
    replayCommand(plan),
    "```",
    "",
  ];
}

function rowOf({ schedule, violations, evidence }: RoundResult): string {
  const { plan } = schedule;
  const { pair, acknowledged, refused, unknown } = countsOf(evidence);
  const name = evidence === null ? String(plan.seed) : `[${plan.seed}](${svgName(plan)})`;
  const faults = schedule.steps.map(({ fault }) => fault.kind).join(", ");
  const result = violations.length === 0 ? "ok" : violations.map(({ rule }) => rule).join(", ");
  const cells = [name, plan.policy, plan.witness, plan.engine, faults];
  const counts = `${pair}, ${acknowledged - pair}, ${refused}, ${unknown}`;
  return `| ${[...cells, counts, readyAfter(evidence), result].join(" | ")} |`;
}

function svgName({ seed, policy, witness, engine }: RoundPlan): string {
  return `${policy}-${witness}-${engine}-${seed}.svg`;
}

function readyAfter(evidence: Evidence | null): string {
  if (evidence === null || evidence.readyMs === null) return "never";
  return `${(evidence.readyMs - evidence.healedMs).toFixed(0)} ms`;
}

function countsOf(evidence: Evidence | null) {
  const orders = evidence?.orders ?? [];
  const acknowledgements = orders.map(acknowledgement).filter((answer) => answer !== null);
  const answers = orders.flatMap((order) => order.answers).filter(({ status }) => status !== 200);
  return {
    acknowledged: acknowledgements.length,
    pair: acknowledgements.filter(({ durability }) => durability === "pair").length,
    refused: answers.filter((answer) => !isUncertain(answer)).length,
    unknown: answers.filter(isUncertain).length,
  };
}

function totals(results: readonly RoundResult[]) {
  const sum = { faults: 0, acknowledged: 0, pair: 0, refused: 0, unknown: 0, conflicts: 0, samples: 0 };
  for (const { evidence } of results) {
    const counts = countsOf(evidence);
    sum.faults += evidence?.played.length ?? 0;
    sum.acknowledged += counts.acknowledged;
    sum.pair += counts.pair;
    sum.refused += counts.refused;
    sum.unknown += counts.unknown;
    sum.conflicts += evidence?.account?.conflicts.a.length ?? 0;
    sum.samples += evidence?.samples.length ?? 0;
  }
  return sum;
}
