/** No log line repeats more than once a second, and what was left out is counted. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Alarms } from "../../src/actors/alarms.ts";
import { CalmLogger } from "../../src/adapters/pino-logger.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import type { CoordinatorEvent } from "../../src/core/events.ts";
import type { LogFields, Logger } from "../../src/ports/basics.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function calm(): { readonly logger: CalmLogger; readonly lines: string[] } {
  const lines: string[] = [];
  const write = (level: string) => (fields: LogFields, message: string) => {
    const { err, ...rest } = fields;
    lines.push(`${level} ${message} ${JSON.stringify(rest)}${err instanceof Error ? ` ${err.message}` : ""}`);
  };
  const under: Logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  return { logger: new CalmLogger({ clock: new SystemClock(), logger: under }), lines };
}

test("a line that comes again and again is written once a second, with the number left out", () => {
  const { logger, lines } = calm();
  for (let time = 0; time < 250; time += 1) {
    logger.error({ err: new Error("disk full"), highestEpoch: 2 }, "epoch not saved");
    vi.advanceTimersByTime(10);
  }
  logger.flush();
  const written = lines.filter((line) => line === 'error epoch not saved {"highestEpoch":2} disk full');
  expect(written).toHaveLength(3);
  const leftOut = lines.map((line) => Number(/^error left out .*"times":(\d+)/.exec(line)?.[1] ?? 0));
  expect(leftOut.reduce((sum, times) => sum + times, 0)).toBe(247);
  expect(lines).toHaveLength(6);
});

test("other fields make another line, ten of them a second", () => {
  const { logger, lines } = calm();
  logger.info({ role: "candidate" }, "role moved");
  logger.info({ role: "follower" }, "role moved");
  expect(lines).toHaveLength(2);
  for (let seq = 0; seq < 1_000; seq += 1) logger.warn({ seq }, "checksum not taken");
  expect(lines).toHaveLength(12);
  vi.advanceTimersByTime(1_000);
  expect(lines.at(-1)).toBe('warn left out {"line":"checksum not taken","times":990}');
});

test("another line is not held up by one that floods", () => {
  const { logger, lines } = calm();
  for (let time = 0; time < 1_000; time += 1) logger.warn({}, "an event could not be published");
  logger.info({}, "role moved");
  expect(lines).toEqual(["warn an event could not be published {}", "info role moved {}"]);
});

test("what was left out is written at the end, and no timer stays", () => {
  const { logger, lines } = calm();
  logger.info({}, "role moved");
  logger.info({}, "role moved");
  logger.flush();
  expect(lines).toEqual(["info role moved {}", 'info left out {"line":"role moved","times":1}']);
  expect(vi.getTimerCount()).toBe(0);
});

test("fields that JSON cannot hold do no harm", () => {
  const lines: string[] = [];
  const under: Logger = { debug: note, info: note, warn: note, error: note };
  function note(_fields: LogFields, message: string): void {
    lines.push(message);
  }
  const other = new CalmLogger({ clock: new SystemClock(), logger: under });
  for (let time = 0; time < 3; time += 1) other.debug({ big: 1n }, "odd");
  other.flush();
  expect(lines).toEqual(["odd", "left out"]);
});

test("an alarm that flaps is told each time, and written once a second, whatever its detail", () => {
  const { logger, lines } = calm();
  const events: CoordinatorEvent[] = [];
  const alarms = new Alarms({ clock: new SystemClock(), logger, emit: (event) => void events.push(event) });
  for (let time = 0; time < 20; time += 1) {
    alarms.raise("commands-late", `${time} ms`);
    vi.advanceTimersByTime(50);
    alarms.clear("commands-late");
    vi.advanceTimersByTime(50);
  }
  logger.flush();
  expect(events).toHaveLength(40);
  expect(lines.filter((line) => line.startsWith("warn alarm raised"))).toHaveLength(2);
  expect(lines.filter((line) => line.startsWith("info alarm cleared"))).toHaveLength(2);
  expect(lines.some((line) => line.startsWith('warn left out {"line":"alarm raised"'))).toBe(true);
  expect(alarms.list()).toEqual([]);
});
