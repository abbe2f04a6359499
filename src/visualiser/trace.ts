/** Purpose: a run that is over, as the page shows it. */
import type { StreamMessage } from "./inspected.ts";

/** What a run is. */
export interface TraceHeader {
  readonly type: "changeover-trace";
  readonly version: 1;
  readonly origin: "recorded" | "simulated";
  readonly title: string;
}

/** One run that is over. */
export interface TraceFile {
  readonly header: TraceHeader;
  readonly messages: readonly StreamMessage[];
}
