/** Statecharts as text: everything that a machine says must be in the diagram. */
import { expect, test } from "vitest";
import { and, not, setup } from "xstate";
import { mermaidOf } from "../../src/cli/commands/mermaid.ts";
import { nameOf } from "../../src/visualiser/inspected.ts";

const machine = setup({
  guards: { isReady: () => true, isHeld: () => false },
  actions: { light: () => {}, dim: () => {} },
  delays: { fadeMs: 40 },
}).createMachine({
  id: "tally-light",
  initial: "off",
  on: { LOST: { target: ".off", actions: "dim" } },
  states: {
    off: { on: { LEAD: { target: "on", guard: and(["isReady", not("isHeld")]), actions: "light" } } },
    on: {
      initial: "rising",
      states: {
        rising: { after: { fadeMs: "full" } },
        full: { always: { target: "#tally-light.over", guard: "isHeld" } },
      },
    },
    over: { type: "final" },
  },
});

test("states, nesting, events, guards, actions, delays and ends", () => {
  expect(mermaidOf(machine).split("\n")).toEqual([
    "stateDiagram-v2",
    "  [*] --> tally_light_off",
    '  state "off" as tally_light_off',
    '  state "on" as tally_light_on {',
    "    [*] --> tally_light_on_rising",
    '    state "rising" as tally_light_on_rising',
    '    state "full" as tally_light_on_full',
    "  }",
    '  state "over" as tally_light_over',
    "  tally_light_over --> [*]",
    "  tally_light_off --> tally_light_off : LOST / dim",
    "  tally_light_on --> tally_light_off : LOST / dim",
    "  tally_light_over --> tally_light_off : LOST / dim",
    "  tally_light_off --> tally_light_on : LEAD [and(isReady, not(isHeld))] / light",
    "  tally_light_on_rising --> tally_light_on_full : after fadeMs",
    "  tally_light_on_full --> tally_light_over : always [isHeld]",
  ]);
});

test("a thing goes by its name, however it was given", () => {
  expect([nameOf("light"), nameOf({ type: "dim" }), nameOf(and(["isReady"]))]).toEqual([
    "light",
    "dim",
    "and(isReady)",
  ]);
});
