/**
 * `npm run campaign`: rounds of random faults on real processes in network namespaces, judged from outside.
 * Exit code 0: no violation; 1: at least one; 2: asked wrongly, or the machine lacks something.
 */
import { playCampaign, whatIsMissing } from "./campaign.ts";
import { readOptions, USAGE } from "./options.ts";
import { roundLines, summaryLines, writeReport } from "./report.ts";
import { runTool } from "./tool.ts";

await runTool({
  name: "campaign",
  usage: USAGE,
  readOptions,
  missing: (options) => whatIsMissing(options),
  run: async (options) => {
    const results = await playCampaign(options, (result) => {
      for (const line of roundLines(result)) console.log(line);
    });
    writeReport(options.out, results);
    for (const line of summaryLines(results)) console.log(line);
    console.log(`report: ${options.out}/README.md`);
    return results.every(({ violations }) => violations.length === 0);
  },
});
