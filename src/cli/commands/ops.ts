/**
 * `changeover ops`: the operations of the one log, commands and records, in their order, and on request as they
 * come; those that could not be taken.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Command as Program } from "commander";
import type { Json } from "../../core/canonical-json.ts";
import type { Client } from "../client.ts";
import { madeAtUnixMs, opsAfter, opText, showAside, type ShownOp, skip } from "./op-lines.ts";
import { clientFor, nameOf, type ReachOptions, type ReadOptions, reading, reaching, wholeNumber } from "../options.ts";
import { line, plain, stamp } from "../output.ts";

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
  const ops = program.command("ops").description("the operations of the log: commands and records");
  reading(ops.command("tail"))
    .description("show the last ones; with --json one JSON object a line")
    .option("-n, --lines <count>", "how many of each kind", wholeNumber(0, 100_000), 20)
    .option("--after-seq <seq>", "begin after this command instead", wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option("-f, --follow", "go on as they come")
    .action(tail);
  reading(ops.command("aside"))
    .description("operations that could not be taken: tried again, dead, in quarantine")
    .action((options: ReadOptions) => showAside(clientFor(options), options.json === true));
  reaching(ops.command("skip"))
    .description("give up one that is set aside, so that its origin goes on")
    .argument("<origin>", "as changeover ops aside shows it", nameOf)
    .argument("<originSeq>", "its number", wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .action((origin: string, originSeq: number, options: ReachOptions) => skip(clientFor(options), origin, originSeq));
}

async function tail(options: Options): Promise<void> {
  const client = clientFor(options);
  let after = Math.max(0, options.afterSeq ?? (await lastSeq(client)) - options.lines);
  let arrival: string | null = null;
  for (;;) {
    const page = await pageAfter(client, after);
    const ops: readonly ShownOp[] = await opsAfter(client, arrival, options.lines);
    for (const text of inOrder(page.commands, ops, options.json === true)) line(text);
    after = page.commands.at(-1)?.seq ?? after;
    arrival = ops.at(-1)?.arrival ?? arrival ?? "";
    if (page.hasMore) continue;
    if (!options.follow) return;
    await delay(POLL_MS);
  }
}

/** Commands and records as lines, by the time at which they were made. */
function inOrder(commands: readonly ShownCommand[], ops: readonly ShownOp[], asJson: boolean): string[] {
  const shown = [
    ...commands.map((one) => ({ atMs: one.executeAtUs / 1_000, text: asJson ? JSON.stringify(one) : textOf(one) })),
    ...ops.map((one) => ({ atMs: madeAtUnixMs(one), text: asJson ? JSON.stringify(one) : opText(one) })),
  ];
  return shown.sort((left, right) => left.atMs - right.atMs).map(({ text }) => text);
}

/** One page of `GET /api/commands`, oldest first. */
export async function pageAfter(client: Client, afterSeq: number): Promise<CommandPage> {
  return client.get<CommandPage>(`/api/commands?afterSeq=${afterSeq}&limit=${PAGE}`, ["commands", "hasMore"]);
}

async function lastSeq(client: Client): Promise<number> {
  return (await client.state()).lastCommandSeq;
}

function textOf({ seq, epoch, kind, payload, executeAtUs }: ShownCommand): string {
  const body = plain(JSON.stringify(payload));
  const cut = body.length > SHOWN_CHARS ? `${body.slice(0, SHOWN_CHARS)}…` : body;
  return `${stamp(executeAtUs / 1_000)}  ${epoch}/${seq}  ${plain(kind)}  ${cut}`;
}
