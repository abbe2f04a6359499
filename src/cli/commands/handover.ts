/** `changeover handover`: gives the role to the peer, gracefully, now or at a time; `--cancel` takes a planned time back. */
import type { Command } from "commander";
import type { PlannedHandover } from "../../core/outcomes.ts";
import { CliError, EXIT } from "../exit.ts";
import { type Client } from "../client.ts";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { duration, json, line, plain } from "../output.ts";

interface Options extends ReadOptions {
  readonly reason: string;
  readonly at?: string;
  readonly cancel?: boolean;
}

/** The answer of `POST /api/handover`. */
interface HandedOver {
  readonly leader: string;
  readonly epoch: number;
  readonly tookMs: number;
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const DAY_MS = 86_400_000;

export function addHandover(program: Command): void {
  reading(program.command("handover"))
    .description("give the role to the peer, now or at a time; ask the engine that leads")
    .option("--reason <text>", "kept in the history", "by hand")
    .option("--at <time>", "hand over then: 18:00, 18:00:30 (this host's clock), +90s, +10m, or 2026-11-29T18:00:00Z")
    .option("--cancel", "cancel the handover that was planned with --at")
    .action(async (options: Options) => {
      const client = clientFor(options, 15_000);
      if (options.cancel === true) return cancel(client, options);
      if (options.at !== undefined) return plan(client, options, options.at);
      const done = await client.post<HandedOver>("/api/handover", ["leader", "epoch", "tookMs"], {
        reason: options.reason,
      });
      if (options.json) json(done);
      else line(`${done.leader} leads at epoch ${done.epoch}, after ${duration(done.tookMs)}`);
    });
}

async function plan(client: Client, options: Options, time: string): Promise<void> {
  const nowMs = Date.now();
  const atMs = instantOf(time, nowMs);
  if (atMs === null) {
    const forms = "18:00, 18:00:30, +90s, +10m, +2h or 2026-11-29T18:00:00Z";
    throw new CliError(EXIT.wrongUse, `--at is "${plain(time)}": must be a time such as ${forms}`);
  }
  if (atMs <= nowMs)
    throw new CliError(
      EXIT.wrongUse,
      `--at is "${plain(time)}": must be later than now; leave --at out to hand over now`,
    );
  const body = { reason: options.reason, at: new Date(atMs).toISOString() };
  const { planned } = await client.post<{ readonly planned: PlannedHandover }>("/api/handover", ["planned"], body);
  if (options.json) return json({ planned });
  line(
    `planned for ${new Date(planned.at).toISOString()}, in ${duration(planned.at - nowMs)}; changeover handover --cancel takes it back`,
  );
}

async function cancel(client: Client, options: Options): Promise<void> {
  if (options.at !== undefined)
    throw new CliError(EXIT.wrongUse, "--cancel and --at contradict each other: give one of them");
  const { cancelled } = await client.delete<{ readonly cancelled: PlannedHandover }>("/api/handover", ["cancelled"]);
  if (options.json) json({ cancelled });
  else line(`cancelled: the handover planned for ${new Date(cancelled.at).toISOString()}`);
}

/** Unix ms; null: not a time. A time of day is the next one on this host's clock; one without an offset is local. */
function instantOf(text: string, nowMs: number): number | null {
  const span = /^\+(\d{1,6})([smh])$/.exec(text);
  if (span !== null) return nowMs + Number(span[1]) * (UNITS_MS[span[2] ?? ""] ?? 0);
  const ofDay = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (ofDay !== null) {
    const [hours, minutes, seconds] = [ofDay[1], ofDay[2], ofDay[3] ?? "0"].map(Number) as [number, number, number];
    if (hours > 23 || minutes > 59 || seconds > 59) return null;
    const today = new Date(nowMs).setHours(hours, minutes, seconds, 0);
    return today > nowMs ? today : new Date(today + DAY_MS).setHours(hours, minutes, seconds, 0);
  }
  if (!/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/i.test(text)) return null;
  const atMs = Date.parse(text.replace(" ", "T"));
  return Number.isNaN(atMs) ? null : atMs;
}
