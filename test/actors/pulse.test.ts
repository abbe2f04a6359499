/** The beat of the engine, and the notice of having been paused. */
import { expect, test } from "vitest";
import { Pulse } from "../../src/actors/pulse.ts";
import { buildRig } from "./rig.ts";

function pulsing() {
  const rig = buildRig();
  const told = { beats: 0, pauses: [] as number[] };
  const pulse = new Pulse(rig.kit, {
    onBeat: () => void (told.beats += 1),
    onPause: (gapMs) => void told.pauses.push(gapMs),
  });
  pulse.start();
  return { ...rig, pulse, told };
}

test("[HB1] one beat every `heartbeatMs`, and none after `stop`", async () => {
  const { clock, pulse, told } = pulsing();
  await clock.pass(2_000);
  expect(told).toEqual({ beats: 10, pauses: [] });
  pulse.stop();
  pulse.stop();
  expect(clock.waiting).toBe(0);
});

test("[CP5] a gap on the monotonic clock is a pause, told once, before the beat", async () => {
  const { clock, pulse, told } = pulsing();
  await clock.pass(200);
  clock.freeze(301);
  expect(pulse.check()).toBe(true);
  expect(pulse.check()).toBe(false);
  expect(told.pauses).toEqual([301]);
});

test("[CP5] half a lease exactly is no pause", async () => {
  const { clock, pulse, told } = pulsing();
  await clock.pass(200);
  clock.freeze(300);
  expect(pulse.check()).toBe(false);
  expect(told.pauses).toEqual([]);
});

test("[CP5] a gap on the wall clock alone is one too; a step back is not", async () => {
  const { clock, pulse, told } = pulsing();
  clock.stepWall(-3_600_000);
  expect(pulse.check()).toBe(false);
  await clock.pass(200);
  clock.stepWall(301);
  expect(pulse.check()).toBe(true);
  expect(told.pauses).toEqual([301]);
});

test("[CP5] [VT5] an overdue tick finds the pause itself, and does not make up for missed beats", async () => {
  const { clock, told } = pulsing();
  await clock.pass(200);
  clock.freeze(5_000);
  await clock.pass(1);
  expect(told).toEqual({ beats: 2, pauses: [5_000] });
  await clock.pass(400);
  expect(told.beats).toBe(4);
});

test("[CP5] an effect that asks before the first beat finds no pause since 1970", () => {
  const { kit } = buildRig();
  const pauses: number[] = [];
  const pulse = new Pulse(kit, { onBeat: () => undefined, onPause: (gapMs) => void pauses.push(gapMs) });
  expect(pulse.check()).toBe(false);
  pulse.start();
  expect(pulse.check()).toBe(false);
  expect(pauses).toEqual([]);
  pulse.stop();
});
