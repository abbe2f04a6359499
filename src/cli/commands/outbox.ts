/** `changeover outbox`: what waits to be published, and what a person decides about what cannot be. */
import type { Command } from "commander";
import type { DeadLetter, OutboxStatus } from "../../outbox/outbox.ts";
import { EXIT } from "../exit.ts";
import { clientFor, nameOf, type ReadOptions, reading } from "../options.ts";
import { columns, json, line, plain, stamp } from "../output.ts";
import { alarmLines } from "./state-view.ts";

interface Tended {
  readonly eventId: string;
  readonly stackId: string;
}

export function addOutbox(program: Command): void {
  const outbox = program.command("outbox").description("what waits to be published to the feed");
  reading(outbox.command("status"))
    .description("how much waits, since when, and the dead letters; ends with 1 while the feed stands still")
    .action(status);
  reading(outbox.command("retry"))
    .description("try an event that waits again at once, as if it had never failed")
    .argument("<eventId>", "as changeover outbox status shows it", nameOf)
    .action((eventId: string, options: ReadOptions) => tend(eventId, "retry", options));
  reading(outbox.command("skip"))
    .description("give a dead letter up: an event that changes nothing is published in its place")
    .argument("<eventId>", "as changeover outbox status shows it", nameOf)
    .action((eventId: string, options: ReadOptions) => tend(eventId, "skip", options));
  reading(outbox.command("resync"))
    .description("publish everything that the pair still holds again, for a feed that was started over, then go on")
    .action(resync);
}

/** Alarms that say that the feed stands still. */
const STANDSTILL: readonly string[] = ["feed-lost", "outbox-behind", "outbox-dead-letter"];

async function status(options: ReadOptions): Promise<void> {
  const client = clientFor(options);
  const shown = await client.get<OutboxStatus>("/api/outbox", ["sink", "pump", "depth", "deadLetters"]);
  const state = await client.state();
  const alarms = state.alarms.filter(({ code }) => STANDSTILL.includes(code));
  // A dead letter may be younger than its alarm.
  process.exitCode = alarms.length > 0 || shown.dead > 0 ? EXIT.failed : EXIT.done;
  if (options.json) return json({ ...shown, alarms });
  const { sink, pump, depth, oldest, dead, deadLetters, published, duplicates, failedAttempts } = shown;
  line(`sink ${sink}, ${pump}`);
  const since =
    oldest === null ? "" : `, the oldest for ${(oldest.ageMs / 1_000).toFixed(1)} s (${plain(oldest.eventId)})`;
  line(`${depth} events wait${since}`);
  line(`${published} published since start, ${duplicates} of them doubles, ${failedAttempts} attempts failed`);
  if (dead > 0) {
    line(`${dead} dead letters hold up their stacks:`);
    const head = ["event", "type", "stack", "version", "attempts", "why", "since (UTC)"];
    columns([head, ...deadLetters.map(row)]).forEach((text) => line(text));
  }
  alarmLines(alarms).forEach((text) => line(text));
}

function row({ eventId, eventType, stackId, version, attempts, reason, addedAtUnixMs }: DeadLetter): string[] {
  const where = [plain(eventId), plain(eventType), plain(stackId), `${version}`];
  return [...where, `${attempts}`, plain(reason), stamp(addedAtUnixMs)];
}

async function resync(options: ReadOptions): Promise<void> {
  const answer = await clientFor(options).post<{ readonly outcome: string }>("/api/outbox/resync", ["outcome"], {});
  if (options.json) return json(answer);
  line("everything that is held is published again; changeover outbox status shows how much waits");
}

async function tend(eventId: string, verb: "retry" | "skip", options: ReadOptions): Promise<void> {
  const answer = await clientFor(options).post<Tended>(
    `/api/outbox/${encodeURIComponent(eventId)}/${verb}`,
    ["eventId", "stackId"],
    {},
  );
  if (options.json) return json(answer);
  line(verb === "retry" ? `${eventId} is tried again` : `${eventId} is given up; ${answer.stackId} goes on`);
}
