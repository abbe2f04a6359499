/** The feeds that need no server, against their contracts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventToText, type FeedFormat } from "../../src/adapters/sinks/event-text.ts";
import { FileSink } from "../../src/adapters/sinks/file-sink.ts";
import { FileSource } from "../../src/adapters/sinks/file-source.ts";
import type { ControlEvent } from "../../src/core/control-event.ts";
import { MemoryFeed, MemorySink, type SinkFault } from "../../src/adapters/memory-sink.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { feedSinkContract } from "../../src/testing/feed-sink-contract.ts";
import { runContract } from "./run-contract.ts";
import { feedSourceContract } from "./feed-source-contract.ts";
import type { FeedUnderTest } from "../../src/testing/feed-sink-contract.ts";
import { MemorySource } from "./memory-source.ts";

const inFolder = (format: FeedFormat) => async (): Promise<FeedUnderTest> => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-feed-"));
  return {
    sink: () => new FileSink({}, { folder, format }),
    source: (consumer) => new FileSource({}, { folder, consumer, format }),
    end: async () => rmSync(folder, { recursive: true, force: true }),
  };
};

/** Memory has no bound of its own. */
function tooLarge(event: ControlEvent): SinkFault | null {
  return eventToText(event) === null ? "refused" : null;
}

async function inMemory(): Promise<FeedUnderTest> {
  const feed = new MemoryFeed();
  return {
    sink: () => new MemorySink({ clock: new ManualClock(), feed }, { faultOf: tooLarge }),
    source: () => new MemorySource(feed),
    end: async () => undefined,
  };
}

runContract("feed sink contract: memory", feedSinkContract(inMemory));
feedSourceContract("memory", inMemory);
for (const format of ["changeover", "flat"] as const) {
  runContract(`feed sink contract: file, ${format}`, feedSinkContract(inFolder(format)));
  feedSourceContract(`file, ${format}`, inFolder(format));
}
