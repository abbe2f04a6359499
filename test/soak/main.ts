/**
 * `npm run soak`: one pair under faults and load for a long time; nothing may grow. Exit code 0: all is flat and nothing
 * else broke; 1: something grew or broke; 2: asked wrongly, or the machine lacks something.
 */
import { stopObserving } from "../../src/cli/demo/observe.ts";
import { whatIsMissing } from "../campaign/campaign.ts";
import { WrongUse } from "../campaign/options.ts";
import { readOptions, USAGE } from "./options.ts";
import { episodeLine, judgeSoak, summaryLines, writeReport } from "./report.ts";
import { playSoak } from "./soak.ts";

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    console.log(USAGE);
    return 0;
  }
  // Every child process has a listener that ends it with this one.
  process.setMaxListeners(0);
  const missing = whatIsMissing({ witnesses: [options.witness], engine: options.engine });
  if (missing.length > 0) {
    for (const line of missing) console.error(`soak: ${line}`);
    return 2;
  }
  const result = await playSoak(options, (episode) => console.log(episodeLine(episode)));
  const judgement = judgeSoak(result);
  writeReport(result, judgement);
  for (const line of summaryLines(result, judgement)) console.log(line);
  console.log(`report: ${options.out}/README.md`);
  return judgement.isGood ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof WrongUse)) throw error;
  console.error(`soak: ${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
stopObserving();
