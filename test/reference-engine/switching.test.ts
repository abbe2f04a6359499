/** What goes to air: cuts, mixes over time, the lever, fade to black, tally. */
import { beforeEach, describe, expect, test } from "vitest";
import { reduce } from "../../src/reference-engine/reference-engine.ts";
import { atMs, commandAt } from "../support/commands.ts";
import { TestSwitcher } from "./switcher.ts";

let switcher: TestSwitcher;
beforeEach(() => {
  switcher = new TestSwitcher();
});

describe("cut", () => {
  test("puts the source on programme and what was there on preview", () => {
    switcher.call(0, "POST /api/switch/cut", { source: "cam3" });
    expect(switcher.state).toMatchObject({ programSource: "cam3", previewSource: "cam1" });
    expect(switcher.state.tallyState).toMatchObject({ cam3: "program", cam1: "preview", cam2: "idle" });
  });

  test("to what is on programme already changes nothing on air", () => {
    switcher.call(0, "POST /api/switch/cut", { source: "cam1" });
    expect(switcher.state).toMatchObject({ programSource: "cam1", previewSource: "cam2" });
  });

  test("ends a mix", () => {
    switcher.call(0, "POST /api/switch/transition", { source: "cam2", durationMs: 1_000 });
    switcher.call(500, "POST /api/switch/cut", { source: "cam3" });
    expect(switcher.at(2_000)).toMatchObject({ programSource: "cam3", inTransition: false, transitionPosition: 0 });
  });
});

describe("automatic transition", () => {
  test("moves with time, smoothly, and both sources are on air", () => {
    switcher.call(0, "POST /api/switch/transition", { source: "cam2", type: "mix", durationMs: 1_000 });
    expect(switcher.at(0).transitionPosition).toBe(0);
    expect(switcher.at(250).transitionPosition).toBeCloseTo(0.15625, 10);
    expect(switcher.at(500)).toMatchObject({ transitionPosition: 0.5, inTransition: true, programSource: "cam1" });
    expect(switcher.state.tallyState).toMatchObject({ cam1: "program", cam2: "program" });
  });

  test("moves evenly when it is asked to", () => {
    switcher.call(0, "POST /api/switch/transition", { source: "cam2", durationMs: 1_000, easing: "linear" });
    expect(switcher.at(250).transitionPosition).toBe(0.25);
  });

  test("is complete at its end, for a reader and for the next command alike", () => {
    switcher.call(0, "POST /api/switch/transition", { source: "cam2", durationMs: 1_000 });
    expect(switcher.at(999).programSource).toBe("cam1");
    expect(switcher.at(1_000)).toMatchObject({ programSource: "cam2", previewSource: "cam1", inTransition: false });
    expect(switcher.state.programSource).toBe("cam1");
    switcher.call(1_000, "POST /api/audio/master", { level: -3 });
    expect(switcher.state).toMatchObject({ programSource: "cam2", inTransition: false, transition: null });
  });

  test("[A10] goes on from the same position on an engine that took the state over in the middle of it", () => {
    switcher.call(0, "POST /api/switch/transition", { source: "cam2", durationMs: 1_000 });
    const successor = new TestSwitcher();
    successor.state = JSON.parse(JSON.stringify(switcher.state)) as typeof switcher.state;
    for (const ms of [1, 333, 500, 777, 1_000]) expect(successor.at(ms)).toEqual(switcher.at(ms));
  });
});

describe("lever", () => {
  test("takes over a running transition and holds it", () => {
    switcher.call(0, "POST /api/switch/transition", { source: "cam3", durationMs: 1_000 });
    switcher.call(100, "POST /api/switch/transition/position", { position: 0.5 });
    expect(switcher.at(60_000)).toMatchObject({ transitionPosition: 0.5, inTransition: true, programSource: "cam1" });
  });

  test("completes at 1 and gives up at 0", () => {
    switcher.call(0, "POST /api/switch/transition/position", { position: 0.3 });
    switcher.call(1, "POST /api/switch/transition/position", { position: 0 });
    expect(switcher.state).toMatchObject({ programSource: "cam1", inTransition: false });
    switcher.call(2, "POST /api/switch/transition/position", { position: 1 });
    expect(switcher.state).toMatchObject({ programSource: "cam2", previewSource: "cam1", inTransition: false });
  });
});

describe("fade to black", () => {
  test("toggles without a body and is set with one", () => {
    switcher.call(0, "POST /api/switch/ftb", {});
    expect(switcher.state.ftbActive).toBe(true);
    switcher.call(10, "POST /api/switch/ftb", { active: true });
    expect(switcher.state.ftbActive).toBe(true);
    switcher.call(20, "POST /api/switch/ftb", null);
    expect(switcher.state.ftbActive).toBe(false);
  });

  test("takes its time, and turns round where it is", () => {
    switcher.call(0, "POST /api/switch/ftb", { active: true });
    expect(switcher.at(400).ftbPosition).toBe(0.4);
    switcher.call(400, "POST /api/switch/ftb", { active: false });
    expect(switcher.at(400).ftbPosition).toBe(0.4);
    expect(switcher.at(900).ftbPosition).toBeCloseTo(0.2, 10);
    expect(switcher.at(1_400).ftbPosition).toBe(0);
  });

  test("[A4] the same command again does not toggle back", () => {
    const toggle = commandAt(1, "POST /api/switch/ftb", {}, { executeAtUs: atMs(0) });
    const once = reduce(switcher.state, toggle);
    expect(once.ftbActive).toBe(true);
    expect(reduce(once, toggle)).toBe(once);
  });
});

test("a command stamped before the last one is executed at the last one's instant", () => {
  switcher.call(1_000, "POST /api/switch/ftb", {});
  switcher.call(500, "POST /api/switch/transition", { source: "cam2", durationMs: 100 });
  expect(switcher.at(1_099).inTransition).toBe(true);
  expect(switcher.at(1_100).inTransition).toBe(false);
});
