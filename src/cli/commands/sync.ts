/** `changeover sync`: a spoke of its own, which keeps the hub's records in a folder, also while the hub is away. */
import { resolve } from "node:path";
import closeWithGrace from "close-with-grace";
import { type Command, Option } from "commander";
import type { Logger } from "../../ports/basics.ts";
import type { Progress } from "../../replication/exchange.ts";
import { HINTS, type PeerReason } from "../../replication/reasons.ts";
import type { SignatureMode } from "../../replication/seals.ts";
import type { Exchanged } from "../../replication/sync-peer.ts";
import { addressOf } from "../client.ts";
import { CliError, EXIT } from "../exit.ts";
import { secretFrom, wholeNumber } from "../options.ts";
import { json, line } from "../output.ts";

interface Options {
  readonly hub: string;
  readonly dataDir: string;
  readonly interval: number;
  readonly tokenFile?: string;
  readonly signatures: SignatureMode;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly once?: boolean;
  readonly json?: boolean;
}

/** A catch-up is told about every so many operations. */
const TOLD_EVERY_OPS = 10_000;

const silent = (): void => undefined;
/** What goes wrong is told by the results themselves. */
const QUIET: Logger = { debug: silent, info: silent, warn: silent, error: silent };

export function addSync(program: Command): void {
  program
    .command("sync")
    .description("keep the records of a hub in a folder, and give it what was changed here")
    .requiredOption("--hub <url>", "address of the hub")
    .option("--data-dir <folder>", "the spoke's own folder", "./var/spoke")
    .option("--interval <ms>", "time between two exchanges", wholeNumber(1_000, 86_400_000), 30_000)
    .option("--token-file <file>", "file with the hub's token of role spoke (or the token in CHANGEOVER_TOKEN)")
    .addOption(
      new Option("--signatures <mode>", "auto: sign, and demand it of everyone whose key is known; enforce: of all")
        .choices(["off", "auto", "warn", "enforce"])
        .default("auto"),
    )
    .option("--ca <file>", "authorities that the hub's certificate must come from, PEM")
    .option("--cert <file>", "certificate to show to the hub, PEM")
    .option("--key <file>", "its private key, PEM")
    .option("--once", "one exchange, then end")
    .option("--json", "print JSON, one object an exchange")
    .action(sync);
}

async function sync(options: Options): Promise<void> {
  addressOf("--hub", options.hub);
  requireTlsThatCounts(options);
  if (options.dataDir === "") throw new CliError(EXIT.wrongUse, '--data-dir is "": must be the path of a folder');
  const { openSpoke } = await import("../../host/spoke.ts");
  const spoke = openSpoke({
    dataDir: resolve(options.dataDir),
    hubUrl: options.hub,
    token: secretFrom(options.tokenFile, "CHANGEOVER_TOKEN"),
    intervalMs: options.interval,
    signatures: options.signatures,
    tls: options,
    logger: QUIET,
    onProgress: teller(options.json === true),
    onExchanged: (result) => tell(result, options),
  });
  if (options.once !== true) {
    closeWithGrace({ logger: false }, async () => spoke.close());
    spoke.replication.start();
    return;
  }
  try {
    const result = await spoke.replication.spoke?.exchangeNow();
    if (result === undefined) return;
    if (result.outcome === "done") {
      // What was refused was told with the result.
      if (isInStep(result.progress)) return;
      throw new CliError(EXIT.failed, "not everything was taken");
    }
    throw new CliError(exitFor(result.reason), `${result.reason}: ${HINTS[result.reason]}`);
  } finally {
    spoke.close();
  }
}

/** The rules of `replication.hub` in a configuration. */
function requireTlsThatCounts({ hub, ca, cert, key }: Options): void {
  const [given] = Object.entries({ ca, cert, key }).filter(([, file]) => file !== undefined);
  const refuse = (told: string): never => {
    throw new CliError(EXIT.wrongUse, told);
  };
  if (given !== undefined && new URL(hub).protocol === "http:") {
    refuse(
      `--${given[0]} is "${given[1]}": means nothing over http:; leave it out, or give a --hub that begins with https:`,
    );
  }
  if (cert !== undefined && key === undefined) refuse("--key: missing; must be the file of the private key of --cert");
  if (cert === undefined && key !== undefined) refuse("--cert: missing; must be the file of the certificate of --key");
}

function exitFor(reason: PeerReason): typeof EXIT.unreachable | typeof EXIT.failed {
  return reason.startsWith("network_") ? EXIT.unreachable : EXIT.failed;
}

function tell(result: Exchanged, options: Options): void {
  const { pulled, applied, pushed, refusals } = result.progress;
  const refused = refusals.map((refusal) => ({ ...refusal, remedy: HINTS[refusal.reason] }));
  const failure = result.outcome === "done" ? null : result.reason;
  const inStep = failure === null && isInStep(result.progress);
  if (options.json === true) {
    const reason = failure ?? refused[0]?.reason;
    const hint = reason === undefined ? null : HINTS[reason];
    return json({ ...result, error: undefined, inStep, refused, hint });
  }
  const counts = `${pulled} read (${applied} new), ${pushed} offered`;
  if (failure === null) line(`${inStep ? "in step" : "NOT in step"} with ${options.hub}: ${counts}`);
  else if (options.once !== true) line(`${failure}: ${HINTS[failure]}`);
  for (const { origin, originSeq, reason, remedy } of refused) {
    line(`${origin}/${originSeq} was refused: ${reason}: ${remedy}`);
  }
  if (failure === null && !inStep && refused.length === 0) {
    line("something is held back, because an earlier operation of its writer has not come yet; it is asked for again");
  }
}

/** Whether everything that either side has was taken by the other. */
function isInStep({ refused, stalled }: Progress): boolean {
  return refused === null && !stalled;
}

/** Tells of a long catch-up while it goes on. */
function teller(quiet: boolean): (progress: Progress) => void {
  let told = 0;
  return ({ pulled, pushed }) => {
    const moved = pulled + pushed;
    if (moved < told) told = 0;
    if (quiet || moved - told < TOLD_EVERY_OPS) return;
    told = moved;
    line(`${pulled} taken, ${pushed} given so far`);
  };
}
