/** Judges a soak and writes it down: one Markdown page, one SVG for each thing that was looked at. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawChart } from "../bench/chart.ts";
import { judge, type Point, tidy, type Verdict, warmUpSec } from "./judge.ts";
import type { Episode, SoakResult } from "./soak.ts";

const MOST_POINTS = 900;
/** Idempotency keys are kept for ten minutes, so that the store may fill until then. */
const FULL_AFTER_SEC = 600;
/** What one command leaves in the store while all of it is kept: command, key and event. */
const COMMAND_MB = 1_500 / 1_048_576;
/** What V8 may still add to its young generation in the first ten minutes: two halves of 64 MB, and as much garbage. */
const YOUNG_GENERATION_MB = 256;
const MOST_FAULTS_LISTED = 40;

export interface Judgement {
  readonly verdicts: readonly Verdict[];
  readonly isGood: boolean;
}

export function judgeSoak({ samples, lastsSec, violations }: SoakResult): Judgement {
  const sinceSec = warmUpSec(lastsSec);
  const filling = samples.commands.filter(([atSec]) => atSec >= sinceSec && atSec < FULL_AFTER_SEC);
  const fillMb = filling.reduce((sum, [, commands]) => sum + commands * COMMAND_MB, 0);
  const young = Math.max(0, 1 - sinceSec / FULL_AFTER_SEC) * YOUNG_GENERATION_MB;
  const allowance = (kind: string): number => (kind === "store" ? fillMb : kind === "memory" ? young : 0);
  const verdicts = samples
    .plots()
    .flatMap(({ kind, series }) => series.map((one) => judge(one, lastsSec, allowance(kind))));
  return { verdicts, isGood: violations.length === 0 && verdicts.every(({ isFlat }) => isFlat) };
}

export function episodeLine({ seed, atSec, steps, readyMs }: Episode): string {
  const ready = readyMs === null ? "never ready again" : `ready after ${readyMs.toFixed(0)} ms`;
  return `${clock(atSec)} seed ${seed}: ${steps.join(" + ")}: ${ready}`;
}

export function summaryLines(result: SoakResult, { verdicts, isGood }: Judgement): readonly string[] {
  const { lastsSec, episodes, commands, violations, folder } = result;
  return [
    `${clock(lastsSec)}, ${episodes.length} times one or two faults, ${commands} commands acknowledged`,
    ...verdicts.map(verdictLine),
    ...violations.map(({ rule, detail }) => `${rule}: ${detail}`),
    isGood ? "all is flat" : `FAILED, kept in ${folder}`,
  ];
}

export function writeReport(result: SoakResult, judgement: Judgement): void {
  const { out } = result.options;
  mkdirSync(out, { recursive: true });
  const plots = result.samples.plots().filter(({ series }) => series.length > 0);
  for (const { kind, title, unit, series } of plots) {
    const lines = Object.fromEntries(series.map(({ name, points }) => [name.split(", ").at(-1) ?? name, thin(points)]));
    writeFileSync(join(out, `${kind}.svg`), drawChart({ title, x: "minutes", y: unit, lines }));
  }
  writeFileSync(join(out, "README.md"), `${pageLines(result, judgement).join("\n")}\n`);
}

function pageLines(result: SoakResult, { verdicts, isGood }: Judgement): readonly string[] {
  const { options, lastsSec, episodes, commands, violations } = result;
  return [
    "# Soak",
    "",
    `${clock(lastsSec)}, seed ${options.seed}, ${options.policy}, ${options.witness}, ${options.engine} engine: ` +
      `${episodes.length} times one or two faults, ${commands} commands acknowledged. ${isGood ? "All is flat." : "FAILED."}`,
    "",
    "| what | first part | last part | growth at most | flat |",
    "| --- | --- | --- | --- | --- |",
    ...verdicts.map(
      ({ name, unit, first, last, bound, isFlat, why }) =>
        `| ${name}, ${unit} | ${figure(first)} | ${figure(last)} | ${figure(bound)} | ${isFlat ? "yes" : `**no**: ${why}`} |`,
    ),
    "",
    ...(violations.length === 0
      ? []
      : ["## Broken", "", ...violations.map(({ rule, detail }) => `- **${rule}**: ${detail}`), ""]),
    ...result.samples
      .plots()
      .filter(({ series }) => series.length > 0)
      .flatMap(({ kind, title }) => [`![${title}](${kind}.svg)`, ""]),
    "## Faults",
    "",
    ...episodes.slice(-MOST_FAULTS_LISTED).map((episode) => `- ${episodeLine(episode)}`),
  ];
}

function verdictLine({ name, unit, first, last, bound, isFlat, why }: Verdict): string {
  const levels = `${figure(first)} → ${figure(last)} ${unit}, growth at most ${figure(bound)}`;
  return `${isFlat ? "flat" : "NOT FLAT"}: ${name}: ${levels}${why === "" ? "" : `: ${why}`}`;
}

function figure(value: number | null): string {
  return value === null || Number.isNaN(value) ? "too few" : tidy(value);
}

/** Minutes on the axis; a day has too many points for a drawing. */
function thin(points: readonly Point[]): readonly Point[] {
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_point, at) => at % every === 0).map(([atSec, value]) => [atSec / 60, value]);
}

function clock(sec: number): string {
  const whole = Math.round(sec);
  const [h, m, s] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  return [h, m, s].map((part) => String(part).padStart(2, "0")).join(":");
}
