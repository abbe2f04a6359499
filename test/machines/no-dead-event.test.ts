/** Every event that a statechart knows is sent by some actor: one that nobody sends shows arrows that nothing takes. */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { AnyStateMachine } from "xstate";
import { machines } from "../../machines/index.ts";

const sources = globSync("src/{actors,coordinator,replication,outbox}/**/*.ts")
  .map((file) => readFileSync(file, "utf8"))
  .join("\n");

test.each<[string, AnyStateMachine]>(Object.entries(machines))("%s: each event has a sender", (_name, machine) => {
  const own = (machine.events as readonly string[]).filter((event) => !event.startsWith("xstate."));
  expect(machine.events.length).toBeGreaterThan(0);
  expect(own.filter((event) => !sources.includes(`"${event}"`))).toEqual([]);
});
