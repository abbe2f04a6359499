/** The ends of a real feed by the name of its kind, for processes that are told on the command line. */
import { SystemClock } from "../../src/adapters/basics.ts";
import type { FeedSink, FeedSource } from "../../src/ports/feed-sink.ts";

const clock = new SystemClock();

/** `address` is a folder, or a URL with the stream behind `#`. Only what is needed is loaded: a process that is killed soon has no time to lose. */
export async function openSink(kind: string, address: string): Promise<FeedSink> {
  const { url, stream } = placeOf(address);
  if (kind === "redis") {
    const { RedisStreamSink } = await import("../../src/adapters/sinks/redis-stream-sink.ts");
    return new RedisStreamSink({ clock }, { url, stream });
  }
  if (kind === "nats") {
    const { JetStreamSink } = await import("../../src/adapters/sinks/jetstream-sink.ts");
    return new JetStreamSink({}, { url, stream, subjectPrefix: stream });
  }
  const { FileSink } = await import("../../src/adapters/sinks/file-sink.ts");
  return new FileSink({}, { folder: address });
}

export async function openSource(kind: string, address: string): Promise<FeedSource> {
  const { url, stream } = placeOf(address);
  const consumer = "test";
  if (kind === "redis") {
    const { RedisStreamSource } = await import("../../src/adapters/sinks/redis-stream-source.ts");
    return new RedisStreamSource({ clock }, { url, stream, consumer });
  }
  if (kind === "nats") {
    const { JetStreamSource } = await import("../../src/adapters/sinks/jetstream-source.ts");
    return new JetStreamSource({ clock }, { url, stream, consumer });
  }
  const { FileSource } = await import("../../src/adapters/sinks/file-source.ts");
  return new FileSource({}, { folder: address, consumer });
}

function placeOf(address: string): { readonly url: string; readonly stream: string } {
  const [url = "", stream = "crash"] = address.split("#");
  return { url, stream };
}
