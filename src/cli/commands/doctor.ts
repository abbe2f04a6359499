/**
 * Purpose: `changeover doctor`: reaches what an engine needs, and says what to mend.
 * Keeps true: it changes nothing: no record, no lock, no port, no file that stays.
 */
import type { Command } from "commander";
import { loadConfig } from "../../config/load.ts";
import type { Config } from "../../config/types.ts";
import { checkClock, checkDisk, checkEngine, checkListener, checkPeer, checkSecrets, checkWitness } from "./checks.ts";
import type { Finding } from "./checks.ts";
import { EXIT, messageOf } from "../exit.ts";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { columns, json, line } from "../output.ts";

interface Options extends ReadOptions {
  readonly config?: string;
}

export function addDoctor(program: Command): void {
  reading(program.command("doctor"))
    .description("reach witness, peer, clock and disk, and say what to mend; without -c only the engine at --url")
    .option("-c, --config <file>", "configuration of the engine to examine")
    .action(async (options: Options) => {
      const findings = await examine(options);
      if (options.json) json(findings);
      else findingLines(findings).forEach((text) => line(text));
      process.exitCode = findings.some(({ state }) => state === "bad") ? EXIT.failed : EXIT.done;
    });
}

async function examine(options: Options): Promise<Finding[]> {
  const node: Finding = { name: "node", state: "good", detail: process.versions.node, mend: "" };
  if (options.config === undefined) return [node, await checkEngine(clientFor(options))];
  let config: Config;
  try {
    config = loadConfig(options.config, process.env);
  } catch (error) {
    return [node, { name: "configuration", state: "bad", detail: messageOf(error), mend: "correct the file" }];
  }
  const valid: Finding = { name: "configuration", state: "good", detail: `${options.config} is valid`, mend: "" };
  const checks = [checkSecrets, checkDisk, checkListener, checkWitness, checkPeer, checkClock];
  const found = await Promise.all(checks.map((check) => check(config)));
  return [node, valid, ...found];
}

const SIGNS = { good: "ok", doubtful: "??", bad: "!!" } as const;

function findingLines(findings: readonly Finding[]): string[] {
  const rows = findings.flatMap(({ name, state, detail, mend }) => [
    [SIGNS[state], name, detail],
    ...(mend === "" ? [] : [["", "", `→ ${mend}`]]),
  ]);
  return columns(rows);
}
