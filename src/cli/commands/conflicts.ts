/** `changeover conflicts`: what diverged and does not stand, with both sides, and what a person decides about it. */
import { Argument, type Command } from "commander";
import type { Conflict } from "../../core/command.ts";
import { findInexactNumber } from "../../json/exact-numbers.ts";
import { CliError, EXIT } from "../exit.ts";
import { clientFor, type ReadOptions, reading, wholeNumber } from "../options.ts";
import { columns, json, line, plain, stamp } from "../output.ts";

interface ListOptions extends ReadOptions {
  readonly limit: number;
  readonly open?: boolean;
}

interface ResolveOptions extends ReadOptions {
  readonly value?: string;
}

/** The answer of `GET /api/conflicts`. */
export interface Conflicts {
  readonly conflicts: readonly Conflict[];
}

export function addConflicts(program: Command): void {
  const conflicts = program.command("conflicts").description("what diverged and does not stand: commands and records");
  reading(conflicts.command("list"))
    .description("show them with both sides")
    .option("--limit <count>", "how many", wholeNumber(1, 10_000), 100)
    .option("--open", "only those that still need a person")
    .action(list);
  reading(conflicts.command("resolve"))
    .description("keep: leave it; reapply: send it again; value: send another payload in its place")
    .addArgument(new Argument("<id>", "as the list names it"))
    .addArgument(new Argument("<choice>").choices(["keep", "reapply", "value"]))
    .option("--value <json>", "the payload for the choice value")
    .action(resolve);
}

async function list(options: ListOptions): Promise<void> {
  const answer = await clientFor(options).get<Conflicts>(`/api/conflicts?limit=${options.limit}`, ["conflicts"]);
  const shown = answer.conflicts.filter(({ outcome }) => !options.open || outcome === "open");
  if (options.json) return json(shown);
  if (shown.length === 0) return line("no conflicts");
  columns([["id", "outcome", "from", "epoch", "seq", "change", "found (UTC)", "why"], ...shown.map(row)]).forEach(
    (text) => line(text),
  );
}

function row(conflict: Conflict): string[] {
  const { id, outcome, divergent, detectedAtUnixMs, reason } = conflict;
  const found = [stamp(detectedAtUnixMs), plain(reason)];
  if (conflict.kind === "record") {
    const what = `${divergent.kind} ${conflict.entity}/${conflict.field}`;
    return [id, outcome, divergent.origin, `${divergent.epoch}`, `${divergent.originSeq}`, plain(what), ...found];
  }
  const { epoch, seq, kind } = conflict.divergent;
  return [id, outcome, conflict.divergentFrom, `${epoch}`, `${seq}`, plain(kind), ...found];
}

async function resolve(id: string, choice: string, options: ResolveOptions): Promise<void> {
  if (choice !== "value" && options.value !== undefined) {
    throw new CliError(EXIT.wrongUse, `--value has no place when the choice is ${choice}`);
  }
  const body = choice === "value" ? { choice, value: valueOf(options.value) } : { choice };
  const path = `/api/conflicts/${encodeURIComponent(id)}/resolve`;
  const answer = await clientFor(options).post<Conflict>(path, ["id", "outcome"], body);
  if (options.json) json(answer);
  else line(`${id} is resolved: ${choice}`);
}

function valueOf(text: string | undefined): unknown {
  if (text === undefined) throw new CliError(EXIT.wrongUse, "the choice value needs --value with JSON text");
  // Reading it here would round what the engine refuses as `number_not_exact`.
  const inexact = findInexactNumber(text);
  if (inexact !== null) {
    const where = inexact.path === "" ? "--value" : `--value at ${inexact.path}`;
    throw new CliError(EXIT.wrongUse, `${where} is ${inexact.text}, which a double cannot hold: send it as a string`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CliError(EXIT.wrongUse, "--value must be JSON text", { cause: error });
  }
}
