/**
 * A consumer of the feed: keeps the score of each match in its own SQLite file, once for each goal, whatever happens.
 * Started as `node examples/feed/scores.js FEED [DATABASE]`; FEED is a folder, `redis://…` or `nats://…`. Ctrl-C ends it.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { SystemClock, SystemRandom } from "changeover";
import { createApplier, FileSource, JetStreamSource, RedisStreamSource, SqliteConsumer } from "changeover/outbox";

const [feed = "./var/feed", file = "./var/scores.db"] = process.argv.slice(2);
const clock = new SystemClock();
const name = { stream: "changeover", consumer: "scores" };

function openFeed() {
  if (feed.startsWith("redis")) return new RedisStreamSource({ clock }, { url: feed, ...name });
  if (/^(nats|tls):/.test(feed)) return new JetStreamSource({ clock }, { url: feed, ...name });
  return new FileSource({}, { folder: feed, consumer: name.consumer });
}

mkdirSync(dirname(file), { recursive: true });
const db = new Database(file);
db.exec("CREATE TABLE IF NOT EXISTS scores (match TEXT, team TEXT, goals INTEGER, PRIMARY KEY (match, team))");
const source = openFeed();

const applier = createApplier(
  {
    source,
    database: new SqliteConsumer({ db }),
    clock,
    random: new SystemRandom(),
    logger: { debug() {}, info() {}, warn: console.error, error: console.error },
  },
  {
    handlers: {
      // Written with `tx` alone: the goal, the note that it was counted, and the cursor are one transaction.
      "goal.scored": ({ stackId, payload }, { tx }) => {
        tx.prepare("INSERT INTO scores VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET goals = goals + 1").run(
          stackId,
          payload.team,
        );
        console.log(stackId, tx.prepare("SELECT team, goals FROM scores WHERE match = ?").all(stackId));
      },
    },
  },
);
applier.start();

process.once("SIGINT", async () => {
  await applier.stop();
  await source.close();
  db.close();
});
