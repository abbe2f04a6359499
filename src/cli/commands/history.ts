/** `changeover history`: who led when, by whose wish, and how long the change took. */
import type { Command } from "commander";
import { clientFor, type ReadOptions, reading, wholeNumber } from "../options.ts";
import { columns, duration, json, line, plain, stamp } from "../output.ts";

interface Options extends ReadOptions {
  readonly limit: number;
}

interface HistoryEntry {
  readonly epoch: number;
  readonly leader: string;
  /** Unix ms. */
  readonly from: number;
  /** null while it lasts. */
  readonly to: number | null;
  readonly cause: string;
  readonly tookMs: number;
  readonly by: string;
  readonly reason: string;
}

/** The answer of `GET /api/leadership`. */
interface Leadership {
  readonly history: readonly HistoryEntry[];
}

export function addHistory(program: Command): void {
  reading(program.command("history"))
    .description("show who led when, and why; the newest first")
    .option("--limit <count>", "entries to show", wholeNumber(1, 1_000), 20)
    .action(async (options: Options) => {
      const { history } = await clientFor(options).get<Leadership>(`/api/leadership?limit=${options.limit}`, [
        "history",
      ]);
      if (options.json) json(history);
      else columns([HEADINGS, ...history.map(row)]).forEach((text) => line(text));
    });
}

const HEADINGS = ["epoch", "leader", "from (UTC)", "lasted", "cause", "took", "by", "reason"];

function row(entry: HistoryEntry): string[] {
  const lasted = entry.to === null ? "lasts" : duration(entry.to - entry.from);
  return [
    String(entry.epoch),
    entry.leader,
    stamp(entry.from),
    lasted,
    entry.cause,
    duration(entry.tookMs),
    plain(entry.by),
    plain(entry.reason),
  ];
}
