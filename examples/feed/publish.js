/**
 * Stands in for an engine with `outbox: { sink: file }`: publishes goals of a match to a feed in a folder.
 * Started as `node examples/feed/publish.js FOLDER TEAM…`; each TEAM is one goal.
 */
import { FileSink, FileSource } from "changeover/outbox";

const [folder = "./var/feed", ...teams] = process.argv.slice(2);
const sink = new FileSink({}, { folder });

/** How many goals stand in the feed: an outbox knows it from its own database. */
async function goalsSoFar() {
  const source = new FileSource({}, { folder, consumer: "publisher" });
  let goals = 0;
  for (let read = await source.read(0, 100); read.outcome === "read" && read.entries.length > 0;) {
    goals += read.entries.length;
    read = await source.read(read.entries.at(-1)?.controlVersion ?? 0, 100);
  }
  return goals;
}

const before = await goalsSoFar();
const goals = teams.map((team, at) => ({
  eventId: `match-1:${before + at + 1}`,
  eventType: "goal.scored",
  tenantId: "arena",
  stackId: "match-1",
  version: before + at + 1,
  baseVersion: before + at,
  payload: { team },
}));

const { published, failure } = await sink.publish(goals);
for (const { eventId, controlVersion } of published) console.log(`${eventId} stands at ${controlVersion}`);
if (failure !== null) console.error(`not published (${failure.reason})`, failure.error);
await sink.close();
process.exitCode = failure === null ? 0 : 1;
