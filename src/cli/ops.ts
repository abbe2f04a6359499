/** Purpose: `changeover ops tail`: the commands of the programme, in their order, and on request as they come. */
import { setTimeout as delay } from "node:timers/promises";
import type { Command as Program } from "commander";
import type { CoordinatorState } from "../coordinator/types.ts";
import type { Json } from "../core/canonical-json.ts";
import type { Client } from "./client.ts";
import { clientFor, type ReadOptions, reading, wholeNumber } from "./options.ts";
import { line, plain, stamp } from "./output.ts";

/** One command as `GET /api/commands` shows it. */
export interface ShownCommand {
  readonly seq: number;
  readonly epoch: number;
  readonly kind: string;
  readonly payload: Json;
  readonly executeAtUs: number;
  readonly origin: string;
}

export interface CommandPage {
  readonly commands: readonly ShownCommand[];
  readonly hasMore: boolean;
}

interface Options extends ReadOptions {
  readonly lines: number;
  readonly afterSeq?: number;
  readonly follow?: boolean;
}

const PAGE = 500;
const POLL_MS = 200;
/** Payloads are cut here; `--json` shows them whole. */
const SHOWN_CHARS = 100;

export function addOps(program: Program): void {
  const ops = program.command("ops").description("the commands of the programme");
  reading(ops.command("tail"))
    .description("show the last commands; with --json one JSON object a line")
    .option("-n, --lines <count>", "how many", wholeNumber(0, 100_000), 20)
    .option("--after-seq <seq>", "begin after this command instead", wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option("-f, --follow", "go on as they come")
    .action(tail);
}

async function tail(options: Options): Promise<void> {
  const client = clientFor(options);
  let after = options.afterSeq ?? (await lastSeq(client)) - options.lines;
  for (;;) {
    const page = await pageAfter(client, Math.max(0, after));
    for (const command of page.commands) line(options.json ? JSON.stringify(command) : textOf(command));
    after = page.commands.at(-1)?.seq ?? after;
    if (page.hasMore) continue;
    if (!options.follow) return;
    await delay(POLL_MS);
  }
}

/** One page of `GET /api/commands`, oldest first. */
export async function pageAfter(client: Client, afterSeq: number): Promise<CommandPage> {
  return client.get<CommandPage>(`/api/commands?afterSeq=${afterSeq}&limit=${PAGE}`);
}

async function lastSeq(client: Client): Promise<number> {
  return (await client.get<CoordinatorState>("/api/state")).lastCommandSeq;
}

function textOf({ seq, epoch, kind, payload, executeAtUs }: ShownCommand): string {
  const body = plain(JSON.stringify(payload));
  const cut = body.length > SHOWN_CHARS ? `${body.slice(0, SHOWN_CHARS)}…` : body;
  return `${stamp(executeAtUs / 1_000)}  ${epoch}/${seq}  ${plain(kind)}  ${cut}`;
}
