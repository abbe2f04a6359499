/** Reading rundowns, and playing the real one. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { loadRundown, parseRundown } from "../../src/reference-engine/rundown.ts";
import { TestSwitcher } from "./switcher.ts";

const SHOW = fileURLToPath(new URL("../../examples/show/switcher-calls.jsonl", import.meta.url));

test("the real show is accepted line by line and plays without a failure, twice the same", async () => {
  const calls = await loadRundown(SHOW);
  expect(calls).toHaveLength(98);
  const play = () => {
    const switcher = new TestSwitcher();
    for (const [index, call] of calls.entries()) {
      expect(switcher.call(index * 40, call.kind, call.payload)).toEqual({ ok: true });
    }
    return switcher.state;
  };
  const state = play();
  expect(state).toMatchObject({ seq: 98, ftbActive: true, inTransition: true, transitionPosition: 0.5 });
  expect(state.sources).not.toHaveProperty("srt:camera1");
  expect(state.calls["/api/captions/text"]).toMatchObject({ times: 3, payload: { clear: true } });
  expect(canonicalJson(play())).toBe(canonicalJson(state));
});

test("empty lines are left out, a call without a body has none", () => {
  expect(parseRundown('\n{"method":"POST","path":"/x"}\r\n\n', "r")).toEqual([{ kind: "POST /x", payload: null }]);
});

test.each([
  ["not json", "rundown r, line 2: not JSON"],
  ["[]", "rundown r, line 2: call: [] must be object"],
  ['{"method":"POST"}', 'rundown r, line 2: call: {"method":"POST"} must have required properties path'],
  ['{"method":"LOOK","path":"/x"}', 'rundown r, line 2: kind: method "LOOK", must be one of POST, PUT, PATCH, DELETE'],
  ['{"method":"POST","path":"/api/switch/cut","body":{}}', "line 2: payload: {} must have required properties source"],
])("an error names the line: %s", (line, message) => {
  expect(() => parseRundown(`{"method":"POST","path":"/x"}\n${line}`, "r")).toThrow(message);
});

test("a file that is not there is named", async () => {
  await expect(loadRundown("/nowhere/show.jsonl")).rejects.toMatchObject({
    code: "invalid_value",
    message: "rundown /nowhere/show.jsonl: cannot be read",
  });
});
