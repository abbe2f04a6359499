/** `changeover force-leader`: a person puts this engine on air. */
import { type Command, Option } from "commander";
import type { ForcedAnswer } from "../../core/messages.ts";
import { CliError, EXIT } from "../exit.ts";
import { clientFor, type ReadOptions, reading, secretFrom, wholeNumber } from "../options.ts";
import { duration, json, line } from "../output.ts";

interface Options extends ReadOptions {
  readonly secretFile?: string;
  readonly mode: "graceful" | "immediate";
  readonly reason: string;
  readonly requestId?: string;
  readonly expectedEpoch?: number;
  readonly acceptDualAir?: boolean;
}

/** Longer than the longest graceful attempt that a configuration allows, so that the answer is always the engine's. */
const TIMEOUT_MS = 70_000;

export function addForceLeader(program: Command): void {
  reading(program.command("force-leader"))
    .description("make the engine at --url lead, whatever automation thinks")
    .option("--secret-file <file>", "file with the secret (or the secret in CHANGEOVER_CONTROL_PLANE_SECRET)")
    .addOption(
      new Option("--mode <mode>", "ask the leader first, or override it")
        .choices(["graceful", "immediate"])
        .default("graceful"),
    )
    .option("--reason <text>", "kept in the history", "by hand")
    .option("--request-id <id>", "repeat with the same id: the same answer, not a second change")
    .option("--expected-epoch <epoch>", "refuse when the epoch is another", wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option("--accept-dual-air", "do not wait until the old leader has lapsed (policy consistency)")
    .action(async (options: Options) => {
      const answer = await forceLeader(options);
      if (options.json) json(answer);
      else line(`${answer.engineLabel} leads at epoch ${answer.epoch}, after ${duration(answer.tookMs)}`);
    });
}

async function forceLeader(options: Options): Promise<ForcedAnswer> {
  const secret = secretFrom(options.secretFile, "CHANGEOVER_CONTROL_PLANE_SECRET");
  if (secret === null) {
    throw new CliError(EXIT.wrongUse, "no secret: set CHANGEOVER_CONTROL_PLANE_SECRET or give --secret-file");
  }
  const { mode, reason, requestId, expectedEpoch, acceptDualAir } = options;
  // JSON drops what is undefined: a key that was not asked for is not sent.
  const body = { mode, reason, requestId, expectedEpoch, acceptDualAir };
  return clientFor(options, TIMEOUT_MS).post<ForcedAnswer>(
    "/api/peer/force-leader",
    ["engineLabel", "epoch", "tookMs"],
    body,
    { "x-control-plane-secret": secret },
  );
}
