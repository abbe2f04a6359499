/** What the log says of an alarm that flaps. */
import { expect, test } from "vitest";
import { Alarms } from "../../src/actors/alarms.ts";
import type { CoordinatorEvent } from "../../src/core/events.ts";
import type { Logger } from "../../src/ports/logger.ts";
import { ManualClock } from "../support/manual-clock.ts";

test("an alarm that flaps is told each time, and written down once a second", () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const events: CoordinatorEvent[] = [];
  const write = (_fields: object, message: string): void => void lines.push(message);
  const logger = { debug: write, info: write, warn: write, error: write } as unknown as Logger;
  const alarms = new Alarms({ clock, logger, emit: (event) => void events.push(event) });
  for (let time = 0; time < 20; time += 1) {
    alarms.raise("commands-late", `${time} ms`);
    clock.pass(50);
    alarms.clear("commands-late");
    clock.pass(50);
  }
  expect(events).toHaveLength(40);
  expect(lines).toEqual(["alarm raised", "alarm cleared", "alarm raised", "alarm cleared"]);
  expect(alarms.list()).toEqual([]);
});
