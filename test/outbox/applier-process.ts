/**
 * A consumer that applies a feed until it is killed; says each cursor it has come to. Run by `applier-kill.test.ts` and
 * by `outbox-feed` suites as: KIND ADDRESS DATABASE.
 */
import { writeSync } from "node:fs";
import { FileSource } from "../../src/adapters/sinks/file-source.ts";
import { JetStreamSource } from "../../src/adapters/sinks/jetstream-source.ts";
import { RedisStreamSource } from "../../src/adapters/sinks/redis-stream-source.ts";
import { SystemClock } from "../../src/adapters/system-clock.ts";
import type { FeedSource } from "../../src/ports/feed-source.ts";
import { applierOf, keep, openData } from "./applier-rig.ts";

const [kind = "", address = "", file = ""] = process.argv.slice(2);

function open(): FeedSource {
  const clock = new SystemClock();
  const consumer = "consumer";
  if (kind === "file") return new FileSource({}, { folder: address, consumer });
  if (kind === "redis") return new RedisStreamSource({ clock }, { url: address, stream: "feed", consumer });
  return new JetStreamSource({ clock }, { url: address, stream: "FEED", consumer });
}

const db = openData(file);
applierOf(
  { source: open(), db },
  {
    handlers: {
      "command.accepted": (event, context) => {
        keep(event, context);
        writeSync(1, `${event.version}\n`);
      },
    },
  },
).start();
