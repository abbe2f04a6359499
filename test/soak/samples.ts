/** What is looked at once a second, as series over time: from the kernel, from `/metrics`, from the clients, from files. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Label } from "../../src/core/ids.ts";
import { quantile } from "../bench/rows.ts";
import type { Host } from "../campaign/host.ts";
import { AS_OPERATOR } from "../campaign/plant.ts";
import type { Sample } from "../campaign/recorder.ts";
import type { FlatRule, Point, Series } from "./judge.ts";

const MB = 1_048_576;
const SCRAPE_WITHIN_MS = 800;
/** The rate of a log is that of its last minute. */
const RATE_OVER_SEC = 60;
const LEAST_RATE_SEC = 5;

/** The levels of a run of 15 minutes, see docs/soak.md, and room for what a busy machine does to them. */
const RULES = {
  memory: { unit: "MB", rule: { growth: 24, share: 0.1, most: 600 } },
  heap: { unit: "MB", rule: { growth: 8, share: 0.15, level: 0.1 } },
  outside: { unit: "MB", rule: { growth: 24, share: 0.1 } },
  files: { unit: "files", rule: { growth: 4, share: 0, most: 200 } },
  threads: { unit: "threads", rule: { growth: 2, share: 0 } },
  store: { unit: "MB", rule: { growth: 4, share: 0.1 } },
  log: { unit: "kB/min", rule: { growth: 60, share: 1 } },
  heartbeat: { unit: "ms", rule: { growth: 100, share: 0.5, optional: true } },
  median: { unit: "ms", rule: { growth: 20, share: 0.5, optional: true } },
  p99: { unit: "ms", rule: { growth: 150, share: 1, optional: true } },
  takeOver: { unit: "ms", rule: { growth: 500, share: 1, optional: true } },
} as const satisfies Readonly<Record<string, { readonly unit: string; readonly rule: FlatRule }>>;

type Kind = keyof typeof RULES;

const TITLES: Readonly<Record<Kind, string>> = {
  memory: "Resident memory",
  heap: "JavaScript heap in use",
  outside: "Memory outside of the JavaScript heap",
  files: "Open file descriptors",
  threads: "Threads",
  store: "Data folder",
  log: "Log",
  heartbeat: "Age of the peer's last heartbeat, nothing broken",
  median: "Command to answer, median of a second, nothing broken",
  p99: "Command to answer, 99 of 100, nothing broken",
  takeOver: "Nobody on air until the other leads",
};

export interface Plot {
  readonly kind: Kind;
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
}

export class Samples {
  readonly #points = new Map<string, Point[]>();
  readonly #logBytes: Record<Label, Point[]> = { a: [], b: [] };
  /** Commands acknowledged, second by second. */
  readonly commands: Point[] = [];

  /** One plot for each kind, with a line for each engine where there are two. */
  plots(): readonly Plot[] {
    return (Object.keys(RULES) as Kind[]).map((kind) => {
      const { unit, rule } = RULES[kind];
      const series = ["", "a", "b"].flatMap((label) => {
        const points = this.#points.get(`${kind} ${label}`);
        const name = label === "" ? TITLES[kind] : `${TITLES[kind]}, engine ${label}`;
        return points === undefined ? [] : [{ name, unit, points, rule }];
      });
      return { kind, title: TITLES[kind], unit, series };
    });
  }

  async look(atSec: number, label: Label, host: Host, isCalm: boolean): Promise<void> {
    const { pid } = host.coordinator;
    if (pid === null) return;
    const status = textOf(`/proc/${pid}/status`);
    const residentMb = numberIn(/VmRSS:\s+(\d+)/, status) / 1_024;
    this.#add("memory", label, atSec, residentMb);
    this.#add("threads", label, atSec, numberIn(/Threads:\s+(\d+)/, status));
    this.#add("files", label, atSec, entriesOf(`/proc/${pid}/fd`).length || NaN);
    this.#add("store", label, atSec, bytesIn(host.dataDir) / MB);
    this.#add("log", label, atSec, this.#logRate(label, atSec, sizeOf(host.logFile)));
    const metrics = await scrape(host.url);
    this.#add("heap", label, atSec, valueOf("nodejs_heap_size_used_bytes", metrics) / MB);
    this.#add("outside", label, atSec, residentMb - valueOf("nodejs_heap_size_total_bytes", metrics) / MB);
    if (!isCalm) return;
    this.#add("heartbeat", label, atSec, valueOf("changeover_peer_last_heard_seconds", metrics) * 1_000);
  }

  /** @param tookMs of every command that was acknowledged since the last look */
  addCommands(atSec: number, tookMs: readonly number[], isCalm: boolean): void {
    this.commands.push([atSec, tookMs.length]);
    if (!isCalm || tookMs.length === 0) return;
    const sorted = [...tookMs].sort((a, b) => a - b);
    this.#add("median", "", atSec, quantile(sorted, 0.5));
    this.#add("p99", "", atSec, quantile(sorted, 0.99));
  }

  /** From the last answer of one leader to the first of the next one. */
  addTakeOvers(samples: readonly Sample[], beganMs: number): void {
    let last: Sample | null = null;
    for (const sample of samples.filter(({ acts }) => acts).sort((one, other) => one.answeredMs - other.answeredMs)) {
      if (last !== null && last.label !== sample.label && sample.epoch > last.epoch) {
        this.#add("takeOver", "", (sample.answeredMs - beganMs) / 1_000, sample.answeredMs - last.answeredMs);
      }
      if (last === null || sample.epoch >= last.epoch) last = sample;
    }
  }

  #add(kind: Kind, label: Label | "", atSec: number, value: number): void {
    if (!Number.isFinite(value)) return;
    const key = `${kind} ${label}`;
    const points = this.#points.get(key) ?? [];
    this.#points.set(key, points);
    points.push([atSec, value]);
  }

  #logRate(label: Label, atSec: number, bytes: number): number {
    const looks = this.#logBytes[label];
    looks.push([atSec, bytes]);
    while ((looks[0]?.[0] ?? atSec) < atSec - RATE_OVER_SEC) looks.shift();
    const [since, before] = looks[0] ?? [atSec, bytes];
    return atSec - since < LEAST_RATE_SEC ? NaN : ((bytes - before) / 1_024 / (atSec - since)) * 60;
  }
}

async function scrape(url: string): Promise<string> {
  try {
    const signal = AbortSignal.timeout(SCRAPE_WITHIN_MS);
    return await (await fetch(`${url}/metrics`, { headers: AS_OPERATOR, signal })).text();
  } catch {
    // Frozen, killed or cut off: no sample.
    return "";
  }
}

function numberIn(pattern: RegExp, text: string): number {
  return Number(pattern.exec(text)?.[1] ?? NaN);
}

function valueOf(metric: string, metrics: string): number {
  return numberIn(new RegExp(`^${metric}\\{[^}]*\\} (\\S+)`, "m"), metrics);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function bytesIn(folder: string): number {
  return entriesOf(folder).reduce((sum, name) => sum + sizeOf(join(folder, name)), 0);
}
