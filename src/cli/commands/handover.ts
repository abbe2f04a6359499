/** Purpose: `changeover handover`: gives the role to the peer, gracefully. */
import type { Command } from "commander";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { duration, json, line } from "../output.ts";

interface Options extends ReadOptions {
  readonly reason: string;
}

/** The answer of `POST /api/handover`. */
interface HandedOver {
  readonly leader: string;
  readonly epoch: number;
  readonly tookMs: number;
}

export function addHandover(program: Command): void {
  reading(program.command("handover"))
    .description("give the role to the peer; ask the engine that leads")
    .option("--reason <text>", "kept in the history", "by hand")
    .action(async (options: Options) => {
      const done = await clientFor(options, 15_000).post<HandedOver>("/api/handover", { reason: options.reason });
      if (options.json) json(done);
      else line(`${done.leader} leads at epoch ${done.epoch}, after ${duration(done.tookMs)}`);
    });
}
