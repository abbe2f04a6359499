/** A run in a file: recorded ones, simulated ones, and what is neither. */
import { expect, test } from "vitest";
import { runSeed } from "../../src/simulation/run.ts";
import { simulated } from "../../src/simulation/subject.ts";
import type { TraceLine } from "../../src/simulation/ground/trace.ts";
import { Model } from "../../src/visualiser/page/model.ts";
import { headerLine, readTrace } from "../../src/visualiser/trace-file.ts";

test("what was recorded is read as it was told", () => {
  const gone = { type: "gone", engine: "b" };
  const { header, messages } = readTrace(`${headerLine("Tuesday")}${JSON.stringify(gone)}\n\n`);
  expect(header).toMatchObject({ origin: "recorded", title: "Tuesday" });
  expect(messages).toEqual([gone]);
});

test.each([
  ["", "line 1: this is neither"],
  ['{"some":"thing"}', "line 1: this is neither"],
  [`${headerLine("x")}{"type":"surprise","engine":"a"}`, "line 2: not a message"],
  [`${headerLine("x")}{"type":"hello","engine":"a"}`, "line 2: not a message"],
  [`${headerLine("x")}not json`, "line 2: not JSON"],
])("refuses %j", (text, reason) => {
  expect(() => readTrace(text)).toThrow(reason);
});

test("a simulator's trace becomes what two engines would have told, and the page can go back in it", async () => {
  const lines: TraceLine[] = [];
  const sink = (line: TraceLine): void => void lines.push(line);
  const seed = { seed: 3, policy: "on-air" } as const;
  await runSeed(simulated, { ...seed, faults: [], sink });
  const text = [{ ...seed, faults: [] }, ...lines].map((line) => JSON.stringify(line)).join("\n");
  const { header, messages } = readTrace(text);
  expect(header).toMatchObject({ origin: "simulated", title: "simulated, seed 3, policy on-air" });
  const model = new Model();
  for (const message of messages) model.apply(message);
  const span = model.span();
  const roles = (["a", "b"] as const).map((label) => model.at(label, span?.toMs ?? 0).values["leadership"]);
  expect(roles).toEqual(expect.arrayContaining([{ leader: "confirmed" }]));
  const won = lines.find(({ what, detail }) => what === "chart leadership" && detail.includes('"leader"'));
  const leader = won?.who === "a" ? "a" : "b";
  expect(model.at(leader, (won?.atMs ?? 0) - 0.01).values["leadership"]).toBe("candidate");
  expect(model.at(leader, won?.atMs ?? 0).values["leadership"]).toHaveProperty("leader");
});

test("the page keeps no more than its bound, however long it stays open", () => {
  const model = new Model();
  model.apply({ type: "hello", engine: "a", run: "a-1", seq: 0, values: {}, events: [] });
  for (let seq = 1; seq <= 30_000; seq += 1) {
    const entry = { seq, atUnixMs: seq, machine: "m", type: "transition", event: "E", from: "x", to: "y" } as const;
    model.apply({ type: "events", engine: "a", events: [entry] });
  }
  expect(model.entriesUpTo(Infinity, 100_000).length).toBeLessThanOrEqual(11_000);
  expect(model.cursors()).toEqual(new Map([["a-1", 30_000]]));
});
