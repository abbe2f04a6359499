/**
 * A consumer that applies a feed until it is killed, and says each version that a handler has seen. Run by
 * `applier-kills.ts` as: KIND ADDRESS DATABASE. Loads only what its kind of feed needs: it is started often.
 */
import { writeSync } from "node:fs";
import { SystemClock } from "../../src/adapters/basics.ts";
import type { FeedSource } from "../../src/ports/feed-sink.ts";
import { applierOf, keep, openData } from "./applier-rig.ts";

const [kind = "", address = "", file = ""] = process.argv.slice(2);

async function open(): Promise<FeedSource> {
  const clock = new SystemClock();
  const consumer = "consumer";
  if (kind === "file") {
    const { FileSource } = await import("../../src/adapters/sinks/file-source.ts");
    return new FileSource({}, { folder: address, consumer });
  }
  if (kind === "redis") {
    const { RedisStreamSource } = await import("../../src/adapters/sinks/redis-stream-source.ts");
    return new RedisStreamSource({ clock }, { url: address, stream: "feed", consumer });
  }
  const { JetStreamSource } = await import("../../src/adapters/sinks/jetstream-source.ts");
  return new JetStreamSource({ clock }, { url: address, stream: "FEED", consumer });
}

const db = openData(file);
applierOf(
  { source: await open(), db },
  {
    handlers: {
      "command.accepted": (event, context) => {
        keep(event, context);
        writeSync(1, `${event.version}\n`);
      },
    },
  },
).start();
