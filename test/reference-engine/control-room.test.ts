/** The quieter families: audio, layout, sources, presets, and calls that are only kept. */
import { beforeEach, describe, expect, test } from "vitest";
import { MAX_KEPT_PATHS, MAX_SETTINGS } from "../../src/reference-engine/limits.ts";
import { TestSwitcher } from "./switcher.ts";

let switcher: TestSwitcher;
beforeEach(() => {
  switcher = new TestSwitcher();
});

describe("audio", () => {
  test("every control of a channel", () => {
    switcher.call(0, "POST /api/audio/level", { source: "cam1", level: -6 });
    switcher.call(1, "POST /api/audio/mute", { source: "cam1", muted: true });
    switcher.call(2, "POST /api/audio/afv", { source: "cam1", afv: false });
    switcher.call(3, "POST /api/audio/trim", { source: "cam1", trim: 6 });
    switcher.call(4, "PUT /api/audio/cam1/eq", { band: 1, frequency: 2_500, gain: 3 });
    switcher.call(5, "PUT /api/audio/cam1/compressor", { ratio: 2 });
    switcher.call(6, "PUT /api/audio/cam1/audio-delay", { delayMs: 80 });
    const channel = switcher.state.audioChannels["cam1"];
    expect(channel).toMatchObject({ level: -6, muted: true, afv: false, trim: 6, audioDelayMs: 80 });
    expect(channel?.eq[1]).toEqual({ frequency: 2_500, gain: 3, q: 1, enabled: false });
    expect(channel?.compressor).toMatchObject({ threshold: -20, ratio: 2 });
  });

  test("a channel of a new source begins neutral; names from outside are only names", () => {
    for (const source of ["guest", "__proto__", "constructor"]) {
      switcher.call(0, "POST /api/audio/level", { source, level: -9 });
      expect(Object.entries(switcher.state.audioChannels).find(([key]) => key === source)?.[1]).toMatchObject({
        level: -9,
        afv: true,
      });
    }
  });
});

describe("layout", () => {
  test("a built-in preset places the slots, a saved one brings them back whole", () => {
    switcher.call(0, "PUT /api/layout", { preset: "pip-bottom-right" });
    switcher.call(1, "PUT /api/layout/slots/0/source", { source: "cam3" });
    switcher.call(2, "POST /api/layout/slots/0/on");
    expect(switcher.state.tallyState["cam3"]).toBe("program");
    switcher.call(3, "POST /api/layout/presets", { name: "mine" });
    switcher.call(4, "DELETE /api/layout");
    expect(switcher.state.layout.slots).toEqual([]);
    expect(switcher.state.tallyState["cam3"]).toBe("idle");
    switcher.call(5, "PUT /api/layout", { preset: "mine" });
    expect(switcher.state.layout.slots).toMatchObject([{ id: 0, sourceKey: "cam3", enabled: true, x: 1_440, y: 720 }]);
  });

  test("slots by corners, by place and size, and out of order", () => {
    const rect = { Min: { X: 10, Y: 20 }, Max: { X: 110, Y: 220 } };
    switcher.call(0, "PUT /api/layout", { slots: [{ sourceKey: "cam1", rect }] });
    switcher.call(1, "PUT /api/layout/slots/5", { sourceKey: "cam3", x: 1, y: 2, width: 3, height: 4 });
    switcher.call(2, "PUT /api/layout/slots/2", { sourceKey: "cam2" });
    expect(switcher.state.layout.slots.map((slot) => slot.id)).toEqual([0, 2, 5]);
    expect(switcher.state.layout.slots[0]).toMatchObject({ x: 10, y: 20, width: 100, height: 200 });
    expect(switcher.call(3, "PUT /api/layout/slots/99", {})).toMatchObject({ ok: false });
  });
});

describe("sources", () => {
  test("added, changed, removed; what is on programme stays", () => {
    const stream = { type: "srt", mode: "caller", address: "srt://10.0.0.1:6464", streamID: "live/camera1" };
    switcher.call(0, "POST /api/sources", { ...stream, latencyMs: 200 });
    switcher.call(1, "POST /api/sources/srt%3Acamera1/label", { label: "Remote" });
    expect(switcher.state.sources["srt:camera1"]).toMatchObject({ label: "Remote", srt: { latencyMs: 200 } });
    expect(switcher.call(2, "POST /api/sources", stream)).toMatchObject({ ok: false });
    switcher.call(3, "DELETE /api/sources/srt:camera1");
    expect(switcher.state.sources).not.toHaveProperty("srt:camera1");
    expect(switcher.call(4, "DELETE /api/sources/cam1")).toEqual({
      ok: false,
      error: 'path: source "cam1" is on programme',
    });
  });

  test("transport settings of one source are bounded, however often they are set", () => {
    for (let call = 0; call < 100; call += 1) {
      switcher.call(call, "PUT /api/sources/cam1/srt", { [`a${call}`]: call, [`b${call}`]: call });
    }
    expect(Object.keys(switcher.state.sources["cam1"]?.srt ?? {})).toHaveLength(MAX_SETTINGS);
  });
});

test("a preset brings back the picture and the sound", () => {
  switcher.call(0, "POST /api/presets", { name: "Opening" });
  const id = switcher.state.presets[0]?.id ?? "";
  switcher.call(1, "POST /api/switch/cut", { source: "cam3" });
  switcher.call(2, "POST /api/audio/master", { level: -20 });
  switcher.call(3, `POST /api/presets/${id}/recall`);
  expect(switcher.state).toMatchObject({ programSource: "cam1", previewSource: "cam2", masterLevel: 0 });
  expect(switcher.state.tallyState).toMatchObject({ cam1: "program", cam3: "idle" });
  switcher.call(4, `PUT /api/presets/${id}`, { name: "Start" });
  expect(switcher.state.presets).toMatchObject([{ id, name: "Start" }]);
  switcher.call(5, `DELETE /api/presets/${id}`);
  expect(switcher.state.presets).toEqual([]);
});

test("other calls are kept under their path, the newest of a bounded number of paths", () => {
  for (let call = 0; call < MAX_KEPT_PATHS + 10; call += 1) switcher.call(call, `POST /api/other/${call}`, { call });
  switcher.call(1_000, "PATCH /api/other/200", { again: true });
  const kept = switcher.state.calls;
  expect(Object.keys(kept)).toHaveLength(MAX_KEPT_PATHS);
  expect(kept).not.toHaveProperty(["/api/other/9"]);
  expect(kept["/api/other/10"]?.payload).toEqual({ call: 10 });
  expect(kept["/api/other/200"]).toMatchObject({ method: "PATCH", payload: { again: true }, times: 2 });
});
