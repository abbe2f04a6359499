/** Purpose: `changeover history`: who led when, by whose wish, and how long the change took. */
import type { Command } from "commander";
import type { LeadershipEntry } from "../ports/store.ts";
import { clientFor, type ReadOptions, reading, wholeNumber } from "./options.ts";
import { columns, duration, json, line, plain, stamp } from "./output.ts";

interface Options extends ReadOptions {
  readonly limit: number;
}

/** The answer of `GET /api/leadership`. */
interface Leadership {
  readonly leadership: readonly LeadershipEntry[];
}

export function addHistory(program: Command): void {
  reading(program.command("history"))
    .description("show who led when, and why; the newest first")
    .option("--limit <count>", "entries to show", wholeNumber(1, 1_000), 20)
    .action(async (options: Options) => {
      const { leadership } = await clientFor(options).get<Leadership>(`/api/leadership?limit=${options.limit}`);
      if (options.json) json(leadership);
      else columns([HEADINGS, ...leadership.map(row)]).forEach((text) => line(text));
    });
}

const HEADINGS = ["epoch", "leader", "from (UTC)", "lasted", "cause", "took", "by", "reason"];

function row(entry: LeadershipEntry): string[] {
  const lasted = entry.toUnixMs === null ? "lasts" : duration(entry.toUnixMs - entry.fromUnixMs);
  return [
    String(entry.epoch),
    entry.leader,
    stamp(entry.fromUnixMs),
    lasted,
    entry.cause,
    duration(entry.tookMs),
    plain(entry.by),
    plain(entry.reason),
  ];
}
