/** What holds for every sequence of calls: determinism, exactly once, restoring, and nothing from outside that throws. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Json, canonicalJson } from "../../src/core/canonical-json.ts";
import type { Command } from "../../src/core/command.ts";
import { initialState } from "../../src/reference-engine/initial-state.ts";
import { reduce, stateFrom } from "../../src/reference-engine/reference-engine.ts";
import type { SwitcherState } from "../../src/reference-engine/state.ts";
import { advance } from "../../src/reference-engine/timeline.ts";
import { validateCall } from "../../src/reference-engine/validate.ts";
import { readPath } from "../../src/reference-engine/view.ts";
import { atMs, commandAt } from "../support/commands.ts";
import { frozen } from "./switcher.ts";

const source = fc.constantFrom("cam1", "cam2", "cam3", "guest");
const layer = fc.integer({ min: 0, max: 2 });
const durationMs = fc.integer({ min: 0, max: 400 });
const rect = fc.record({ x: fc.integer({ min: -100, max: 100 }), y: layer, width: durationMs, height: durationMs });
const step = fc.oneof(
  source.map((name) => ({ action: "cut", params: { source: name } })),
  durationMs.map((ms) => ({ action: "wait", params: { durationMs: ms } })),
  fc.record({ action: fc.constant("transition"), params: fc.record({ source, durationMs }) }),
  layer.map((id) => ({ action: `POST /api/graphics/${id}/auto-on` })),
  fc.constant({ action: "ftb" }),
);

type Called = readonly [kind: string, payload: Json];
const call = (kind: fc.Arbitrary<string>, payload: fc.Arbitrary<Json>): fc.Arbitrary<Called> => fc.tuple(kind, payload);
const onLayer = (verb: string) => layer.map((id) => `POST /api/graphics/${id}/${verb}`);

const anyCall: fc.Arbitrary<Called> = fc.oneof(
  call(fc.constantFrom("POST /api/switch/cut", "POST /api/switch/preview"), fc.record({ source })),
  call(fc.constant("POST /api/switch/transition"), fc.record({ source, durationMs })),
  call(fc.constant("POST /api/switch/transition/position"), fc.record({ position: fc.constantFrom(0, 0.25, 1) })),
  call(fc.constant("POST /api/switch/ftb"), fc.constantFrom<Json>({}, { active: true }, { active: false })),
  call(fc.constant("POST /api/audio/level"), fc.record({ source, level: fc.integer({ min: -60, max: 10 }) })),
  call(fc.constant("POST /api/graphics"), fc.constant({})),
  call(fc.oneof(...["on", "off", "auto-on", "auto-off", "animate/stop"].map(onLayer)), fc.constant(null)),
  call(fc.oneof(onLayer("fly-in"), onLayer("fly-out")), fc.record({ durationMs })),
  call(onLayer("slide"), rect),
  call(fc.constant("PUT /api/macros/m"), fc.record({ steps: fc.array(step, { maxLength: 8 }) })),
  call(fc.constantFrom("POST /api/macros/m/run", "DELETE /api/macros/execution"), fc.constant(null)),
  call(fc.constantFrom("POST /api/presets", "POST /api/layout/presets"), fc.constant({ name: "p" })),
  call(fc.constant("POST /api/presets/preset-1-3/recall"), fc.constant(null)),
  call(fc.constantFrom("POST /api/replay/play", "PATCH /x"), fc.jsonValue() as fc.Arbitrary<Json>),
);

/** Commands in their order, mostly some hundred ms apart, so that they fall into each other's mixes and pauses. */
const show: fc.Arbitrary<Command[]> = fc
  .array(fc.tuple(anyCall, fc.integer({ min: -50, max: 400 })), { minLength: 1, maxLength: 40 })
  .map((calls) => {
    let ms = 0;
    return calls.map(([[kind, payload], gap], index) => {
      ms += gap;
      return commandAt(index + 1, kind, payload, { executeAtUs: atMs(ms) });
    });
  });

function played(commands: readonly Command[], from: SwitcherState = frozen(initialState())): SwitcherState {
  return commands.reduce((state, command) => frozen(reduce(state, command)), from);
}

describe("every sequence of calls", () => {
  test("gives the same state from the same commands", () => {
    fc.assert(
      fc.property(show, (commands) => {
        expect(canonicalJson(played(commands))).toBe(canonicalJson(played(commands)));
      }),
    );
  });

  test("[A11] counts a repeated command once, wherever it is repeated", () => {
    fc.assert(
      fc.property(show, fc.nat(), (commands, at) => {
        const repeated = commands.flatMap((command, index) =>
          index === at % commands.length ? [command, command, ...commands.slice(0, index)] : [command],
        );
        expect(played(repeated)).toEqual(played(commands));
      }),
    );
  });

  test("goes on from a restored snapshot as if nothing had happened", () => {
    fc.assert(
      fc.property(show, fc.nat(), (commands, at) => {
        const cutAt = at % commands.length;
        const snapshot = canonicalJson(played(commands.slice(0, cutAt)));
        const restored = frozen(stateFrom(JSON.parse(snapshot) as Json));
        expect(canonicalJson(restored)).toBe(snapshot);
        expect(canonicalJson(played(commands.slice(cutAt), restored))).toBe(canonicalJson(played(commands)));
      }),
    );
  });

  test("looks the same at an instant, whether or not somebody asked before", () => {
    const instants = fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 20_000 }));
    fc.assert(
      fc.property(show, instants, (commands, [first, second]) => {
        const state = played(commands);
        const [sooner, later] = [
          state.atUs + Math.min(first, second) * 1_000,
          state.atUs + Math.max(first, second) * 1_000,
        ];
        expect(advance(advance(state, sooner), later)).toEqual(advance(state, later));
      }),
    );
  });
});

describe("from outside", () => {
  const anything = fc.oneof(fc.jsonValue() as fc.Arbitrary<Json>, fc.constant("\ud800"), fc.constant({ source: {} }));
  const interpreted = fc.oneof(
    anyCall.map(([kind]) => kind),
    fc.constantFrom("PUT /api/layout", "PUT /api/macros/m"),
  );
  const kinds = fc.oneof(
    interpreted,
    fc.string(),
    fc.webPath().map((path) => `PUT ${path}`),
  );

  test("no kind and no payload throws, is judged otherwise than it is executed, or leaves no way to go on", () => {
    fc.assert(
      fc.property(kinds, anything, (kind, payload) => {
        const problem = validateCall(kind, payload);
        const state = played([commandAt(1, kind, payload)]);
        if (problem === null) expect(() => stateFrom(JSON.parse(canonicalJson(state)) as Json)).not.toThrow();
        expect(state.seq).toBe(1);
        expect(played([commandAt(2, "POST /api/switch/cut", { source: "cam3" })], state).programSource).toBe("cam3");
      }),
      { numRuns: 1_000 },
    );
  });

  test("no read throws or changes anything", () => {
    const paths = fc.oneof(fc.webPath(), fc.string(), fc.constantFrom("/", "/api/graphics/0", "/api/macros/execution"));
    const state = frozen(initialState());
    fc.assert(
      fc.property(paths, fc.double(), (path, now) => {
        expect([200, 400, 404]).toContain(readPath(state, path, now).status);
      }),
    );
  });

  test("what is not a state is refused, naming the place", () => {
    const state = initialState();
    expect(() => stateFrom({ ...state, programSource: 5 })).toThrow("state.programSource: 5 must be string");
    fc.assert(
      fc.property(anything, (value) => {
        expect(() => stateFrom(value)).toThrow("not a switcher's state");
      }),
    );
  });
});
