/** `changeover outbox`: what waits to be published, and what a person decides about what cannot be. */
import type { Command } from "commander";
import type { DeadLetter, OutboxStatus } from "../../outbox/outbox.ts";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { columns, json, line, plain, stamp } from "../output.ts";

interface Tended {
  readonly eventId: string;
  readonly stackId: string;
}

export function addOutbox(program: Command): void {
  const outbox = program.command("outbox").description("what waits to be published to the feed");
  reading(outbox.command("status")).description("how much waits, since when, and the dead letters").action(status);
  reading(outbox.command("retry"))
    .description("try an event that waits again at once, as if it had never failed")
    .argument("<eventId>")
    .action((eventId: string, options: ReadOptions) => tend(eventId, "retry", options));
  reading(outbox.command("skip"))
    .description("give a dead letter up: an event that changes nothing is published in its place")
    .argument("<eventId>")
    .action((eventId: string, options: ReadOptions) => tend(eventId, "skip", options));
  reading(outbox.command("resync"))
    .description("publish everything that the pair still holds again, for a feed that was started over, then go on")
    .action(resync);
}

async function status(options: ReadOptions): Promise<void> {
  const shown = await clientFor(options).get<OutboxStatus>("/api/outbox");
  if (options.json) return json(shown);
  const { sink, pump, depth, oldest, dead, deadLetters, published, duplicates, failedAttempts } = shown;
  line(`sink ${sink}, ${pump}`);
  const since =
    oldest === null ? "" : `, the oldest for ${(oldest.ageMs / 1_000).toFixed(1)} s (${plain(oldest.eventId)})`;
  line(`${depth} events wait${since}`);
  line(`${published} published since start, ${duplicates} of them doubles, ${failedAttempts} attempts failed`);
  if (dead === 0) return;
  line(`${dead} dead letters hold up their stacks:`);
  columns([["event", "type", "stack", "version", "attempts", "why", "since (UTC)"], ...deadLetters.map(row)]).forEach(
    (text) => line(text),
  );
}

function row({ eventId, eventType, stackId, version, attempts, reason, addedAtUnixMs }: DeadLetter): string[] {
  const where = [plain(eventId), plain(eventType), plain(stackId), `${version}`];
  return [...where, `${attempts}`, plain(reason), stamp(addedAtUnixMs)];
}

async function resync(options: ReadOptions): Promise<void> {
  const answer = await clientFor(options).post<{ readonly outcome: string }>("/api/outbox/resync", {});
  if (options.json) return json(answer);
  line("everything that is held is published again; changeover outbox status shows how much waits");
}

async function tend(eventId: string, verb: "retry" | "skip", options: ReadOptions): Promise<void> {
  const answer = await clientFor(options).post<Tended>(`/api/outbox/${encodeURIComponent(eventId)}/${verb}`, {});
  if (options.json) return json(answer);
  line(verb === "retry" ? `${eventId} is tried again` : `${eventId} is given up; ${answer.stackId} goes on`);
}
