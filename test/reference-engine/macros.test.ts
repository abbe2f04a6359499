/** Macros: bursts within one command, pauses, nesting, cancelling. */
import { beforeEach, describe, expect, test } from "vitest";
import { MAX_PLAN_STEPS } from "../../src/reference-engine/limits.ts";
import { TestSwitcher } from "./switcher.ts";

let switcher: TestSwitcher;
beforeEach(() => {
  switcher = new TestSwitcher();
});

const cutTo = (source: string) => ({ action: "cut", params: { source } });
const wait = (durationMs: number) => ({ action: "wait", params: { durationMs } });

function store(name: string, steps: { action: string; params?: Record<string, string | number> }[]) {
  return switcher.call(0, `PUT /api/macros/${encodeURIComponent(name)}`, { steps });
}

test("[A19] 177 steps burst within one command, in order", () => {
  store(
    "burst",
    Array.from({ length: 177 }, (_, step) => ({ action: `POST /api/step/${step % 7}`, params: { step } })),
  );
  switcher.call(10, "POST /api/macros/burst/run");
  expect(Object.values(switcher.state.calls).reduce((sum, call) => sum + call.times, 0)).toBe(177);
  expect(switcher.state.calls["/api/step/1"]?.payload).toEqual({ step: 176 });
  expect(switcher.state).toMatchObject({ macro: null, lastMacro: { name: "burst", failedSteps: 0 } });
});

test("pauses spread the steps over time, for a reader and for later commands alike", () => {
  store("Opening Sequence", [
    cutTo("cam3"),
    wait(2_000),
    { action: "transition", params: { source: "cam2", type: "mix", durationMs: 1_000 } },
  ]);
  switcher.call(1_000, "POST /api/macros/Opening%20Sequence/run");
  expect(switcher.at(1_000)).toMatchObject({ programSource: "cam3", inTransition: false });
  expect(switcher.at(2_999)).toMatchObject({ programSource: "cam3", inTransition: false });
  expect(switcher.at(3_500)).toMatchObject({ programSource: "cam3", inTransition: true, transitionPosition: 0.5 });
  expect(switcher.at(4_000)).toMatchObject({ programSource: "cam2", inTransition: false, macro: null });
  switcher.call(3_500, "POST /api/audio/master", { level: -1 });
  expect(switcher.state.transition?.source).toBe("cam2");
  expect(switcher.at(4_000).programSource).toBe("cam2");
});

test("cancelled, the steps that were not due are left out", () => {
  store("two", [cutTo("cam2"), wait(1_000), cutTo("cam3")]);
  switcher.call(0, "POST /api/macros/two/run");
  switcher.call(999, "POST /api/macros/execution/cancel");
  expect(switcher.at(5_000)).toMatchObject({ programSource: "cam2", macro: null });
});

test("a step that fails is counted, and the macro goes on", () => {
  store("flawed", [{ action: "cut", params: { source: 7 } }, cutTo("cam3")]);
  expect(switcher.call(1, "POST /api/macros/flawed/run")).toEqual({ ok: true });
  expect(switcher.state).toMatchObject({ programSource: "cam3", lastMacro: { failedSteps: 1 } });
});

test("a run of a macro that is not there is noted and changes nothing on air", () => {
  expect(switcher.call(1, "POST /api/macros/none/run")).toEqual({ ok: true });
  expect(switcher.state.calls).toHaveProperty(["/api/macros/none/run"]);
});

describe("nesting", () => {
  test("a macro within a macro is played in its place", () => {
    store("inner", [cutTo("cam2"), wait(100)]);
    store("outer", [
      { action: "macro", params: { name: "inner" } },
      { action: "POST /api/macros/inner/run" },
      cutTo("cam3"),
    ]);
    switcher.call(0, "POST /api/macros/outer/run");
    expect(switcher.at(199).programSource).toBe("cam2");
    expect(switcher.at(200).programSource).toBe("cam3");
  });

  test("a ring is refused", () => {
    store("a", [{ action: "macro", params: { name: "b" } }]);
    store("b", [{ action: "macro", params: { name: "a" } }]);
    expect(switcher.call(1, "POST /api/macros/a/run")).toMatchObject({
      ok: false,
      error: expect.stringContaining("nested deeper than 8") as string,
    });
    expect(switcher.state.macro).toBeNull();
  });

  test("many steps by nesting are refused, also when all of them are empty", () => {
    store("nothing", []);
    store(
      "wide",
      Array.from({ length: 999 }, () => ({ action: "macro", params: { name: "nothing" } })),
    );
    store(
      "wider",
      Array.from({ length: 999 }, () => ({ action: "macro", params: { name: "wide" } })),
    );
    expect(switcher.call(1, "POST /api/macros/wide/run")).toEqual({ ok: true });
    expect(switcher.call(2, "POST /api/macros/wider/run")).toEqual({
      ok: false,
      error: `macro: more than ${MAX_PLAN_STEPS} steps`,
    });
  });

  test("a step may not change macros", () => {
    expect(store("bad", [{ action: "DELETE /api/macros/bad" }])).toMatchObject({ ok: false });
    expect(switcher.state.macros).toEqual({});
  });
});
