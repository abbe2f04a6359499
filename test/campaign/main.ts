/**
 * `npm run campaign`: rounds of random faults on real processes in network namespaces, judged from outside.
 * Exit code 0: no violation; 1: at least one; 2: asked wrongly, or the machine lacks something.
 */
import { stopObserving } from "../../src/cli/demo/observe.ts";
import { playCampaign, whatIsMissing } from "./campaign.ts";
import { readOptions, USAGE, WrongUse } from "./options.ts";
import { roundLines, summaryLines, writeReport } from "./report.ts";

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    console.log(USAGE);
    return 0;
  }
  // Every child process has a listener that ends it with this one.
  process.setMaxListeners(0);
  const missing = whatIsMissing(options);
  if (missing.length > 0) {
    for (const line of missing) console.error(`campaign: ${line}`);
    return 2;
  }
  const results = await playCampaign(options, (result) => {
    for (const line of roundLines(result)) console.log(line);
  });
  writeReport(options.out, results);
  for (const line of summaryLines(results)) console.log(line);
  console.log(`report: ${options.out}/README.md`);
  return results.some(({ violations }) => violations.length > 0) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof WrongUse)) throw error;
  console.error(`campaign: ${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
stopObserving();
