/**
 * A run in a file: a first line that says what it is, then what the stream told, one JSON object a line.
 * A file that is not one is refused with the line that is wrong; a simulator's trace becomes the same.
 * It does not know files; it gets and gives text.
 */
import type { StreamMessage, TraceFile, TraceHeader } from "./inspected.ts";
import { readMessage } from "./stream-message.ts";
import { fromSimulation, isSimulationHeader, type SimulationLine } from "./simulation-trace.ts";

/** Lines of one file; what is longer was not made for a person to look at. */
const MAX_LINES = 1_000_000;

/** The first line of a file. */
export function headerLine(title: string): string {
  const header: TraceHeader = { type: "changeover-trace", version: 1, origin: "recorded", title };
  return `${JSON.stringify(header)}\n`;
}

/**
 * Reads a recorded run, or a trace that `npm run sim -- --trace FILE` wrote.
 *
 * @throws Error that names the line and what was expected there
 */
export function readTrace(text: string): TraceFile {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length > MAX_LINES) throw new Error(`${lines.length} lines: at most ${MAX_LINES} are shown`);
  const [first, ...rest] = lines.map(parseLine);
  if (isHeader(first)) return { header: first, messages: rest.map(asMessage) };
  if (isSimulationHeader(first)) return fromSimulation(first, rest as SimulationLine[]);
  throw new Error("line 1: this is neither a recorded run nor a simulator's trace");
}

function parseLine(line: string, at: number): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    throw new Error(`line ${at + 1}: not JSON`);
  }
}

function isHeader(value: unknown): value is TraceHeader {
  const { type, version } = (value ?? {}) as Partial<TraceHeader>;
  return type === "changeover-trace" && version === 1;
}

function asMessage(value: unknown, at: number): StreamMessage {
  const message = readMessage(value);
  if (message === null) throw new Error(`line ${at + 2}: not a message of the stream`);
  return message;
}
