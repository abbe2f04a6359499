/**
 * `changeover doctor`: reaches what an engine needs, and says what is wrong and what to do about it. It changes nothing:
 * no record, no lock, no port, no file that stays. The exit code is 1 when something is wrong.
 */
import type { Command } from "commander";
import { loadConfig } from "../../config/load.ts";
import type { Config } from "../../config/types.ts";
import {
  checkCertificates,
  checkClock,
  checkDisk,
  checkEngine,
  checkFastDeath,
  checkListener,
  checkPeer,
  checkPrograms,
  checkSecrets,
  checkSites,
  checkWitness,
  type Finding,
} from "./checks.ts";
import { EXIT, messageOf } from "../exit.ts";
import { clientFor, type ReadOptions, reading } from "../options.ts";
import { columns, json, line, plain } from "../output.ts";

interface Options extends ReadOptions {
  readonly config?: string;
}

export function addDoctor(program: Command): void {
  reading(program.command("doctor"))
    .description(
      "reach witness, peer, clock and disk, and say what is wrong and what to do; without -c only the engine at --url",
    )
    .option("-c, --config <file>", "configuration of the engine to examine")
    .action(async (options: Options) => {
      const findings = await examine(options);
      if (options.json) json(findings);
      else findingLines(findings).forEach((text) => line(text));
      process.exitCode = findings.some(({ state }) => state === "bad") ? EXIT.failed : EXIT.done;
    });
}

const CORRECT_FILE = "correct the key that is named; changeover config check FILE says whether all is right";

const CHECKS: readonly ((config: Config) => Promise<Finding | Finding[]>)[] = [
  checkSecrets,
  checkCertificates,
  checkDisk,
  checkWitness,
  checkPeer,
  checkClock,
  checkSites,
  checkPrograms,
  checkFastDeath,
  checkListener,
];

async function examine(options: Options): Promise<Finding[]> {
  const node: Finding = { name: "node", state: "good", detail: process.versions.node, remedy: "" };
  if (options.config === undefined) return [node, ...(await checkEngine(clientFor(options)))];
  let config: Config;
  try {
    config = loadConfig(options.config, process.env);
  } catch (error) {
    return [node, { name: "configuration", state: "bad", detail: messageOf(error), remedy: CORRECT_FILE }];
  }
  const valid: Finding = { name: "configuration", state: "good", detail: `${options.config} is valid`, remedy: "" };
  // While these load, no answer is looked at: what is asked meanwhile would seem to be silent.
  await Promise.all([import("../../adapters/local-lock.ts"), import("../../host/adapters.ts")]);
  const found = await Promise.all(CHECKS.map((check) => check(config)));
  return [node, valid, ...found.flat()];
}

const SIGNS = { good: "ok", doubtful: "??", bad: "!!" } as const;

function findingLines(findings: readonly Finding[]): string[] {
  const rows = findings.flatMap(({ name, state, detail, remedy }) => [
    [SIGNS[state], plain(name), plain(detail)],
    ...(remedy === "" ? [] : [["", "", `→ ${plain(remedy)}`]]),
  ]);
  return columns(rows);
}
