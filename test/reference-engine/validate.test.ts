/** What the switcher refuses before it becomes a command, and how it says so. */
import { describe, expect, test } from "vitest";
import type { Json } from "../../src/core/canonical-json.ts";
import { validateCall } from "../../src/reference-engine/validate.ts";

function nested(levels: number): Json {
  let value: Json = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

const steps = (count: number) => Array.from({ length: count }, () => ({ action: "cut", params: { source: "cam1" } }));

describe("refused, with field, value and bound", () => {
  const cases: readonly (readonly [string, Json, string])[] = [
    ["GET /api/state", null, 'kind: method "GET", must be one of POST, PUT, PATCH, DELETE'],
    ["cut", null, 'kind: method "cut", must be one of POST, PUT, PATCH, DELETE'],
    ["POST", null, 'kind: path "", must begin with "/"'],
    ["POST api/switch/cut", {}, 'kind: path "api/switch/cut", must begin with "/"'],
    ["POST /%zz", {}, 'kind: path "/%zz", must be percent-encoded UTF-8'],
    ["POST /\ud800", {}, "kind: holds a lone surrogate, must be well-formed text"],
    [`POST /${"x".repeat(1_024)}`, {}, "kind: 1030 characters, at most 1024"],
    [`POST ${"/x".repeat(17)}`, {}, "kind: path of 17 segments, at most 16"],
    ["POST /api/switch/cut", {}, "payload: {} must have required properties source"],
    ["POST /api/switch/cut", { source: 2 }, "payload.source: 2 must be string"],
    ["POST /api/switch/cut", [], "payload: [] must be object"],
    ["POST /api/audio/level", { source: "cam1", level: "loud" }, 'payload.level: "loud" must be number'],
    ["POST /api/audio/level", { source: "cam1", level: 61 }, "payload.level: 61 must be <= 60"],
    [
      "POST /api/switch/transition",
      { source: "a", durationMs: 600_001 },
      "payload.durationMs: 600001 must be <= 600000",
    ],
    ["PUT /api/layout", {}, "payload: neither preset nor slots, must have one of them"],
    [
      "PUT /api/macros/x",
      { steps: [{ action: "wait", params: { durationMs: -1 } }] },
      "payload.steps.0.durationMs: -1, must be a number of 0 to 600000",
    ],
    ["PUT /api/macros/x", { steps: steps(1_001) }, "must not have more than 1000 items"],
    ["POST /api/other", nested(33), "payload: nested deeper than 32"],
    ["POST /api/other", "\ud800", "payload: JSON cannot hold a string with a lone surrogate"],
    ["POST /api/other", "x".repeat(65_536), "payload: 65538 characters, at most 65536"],
  ];
  test.each(cases)("%.40s %j", (kind, payload, why) => {
    expect(validateCall(kind, payload)).toContain(why);
  });
});

describe("accepted", () => {
  const cases: readonly (readonly [string, Json])[] = [
    ["POST /api/switch/cut", { source: "a camera that nobody described" }],
    ["POST /api/switch/ftb", null],
    ["PATCH /api/whatever/else?dry=1", nested(32)],
    ["DELETE /", null],
    ["PUT /api/macros/long", { steps: steps(1_000) }],
  ];
  test.each(cases)("%s", (kind, payload) => {
    expect(validateCall(kind, payload)).toBeNull();
  });
});
