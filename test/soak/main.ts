/**
 * `npm run soak`: one pair under faults and load for a long time; nothing may grow. Exit code 0: all is flat and nothing
 * else broke; 1: something grew or broke; 2: asked wrongly, or the machine lacks something.
 */
import { whatIsMissing } from "../campaign/campaign.ts";
import { runTool } from "../campaign/tool.ts";
import { readOptions, USAGE } from "./options.ts";
import { episodeLine, judgeSoak, summaryLines, writeReport } from "./report.ts";
import { playSoak } from "./soak.ts";

await runTool({
  name: "soak",
  usage: USAGE,
  readOptions,
  missing: ({ witness, engine }) => whatIsMissing({ witnesses: [witness], engine }),
  run: async (options) => {
    const result = await playSoak(options, (episode) => console.log(episodeLine(episode)));
    const judgement = judgeSoak(result);
    writeReport(result, judgement);
    for (const line of summaryLines(result, judgement)) console.log(line);
    console.log(`report: ${options.out}/README.md`);
    return judgement.isGood;
  },
});
