/**
 * What `pmc` and `chronyc` say in good times and bad, and what is made of it. The recordings are of linuxptp 3.1 and
 * chrony 4.3 between two hosts, while the reference was alive, 2, 14 and 44 s after it had been killed, and without a
 * daemon. ptp4l ran with `free_running`, in which a port that is locked stays UNCALIBRATED: where a test needs the state
 * of a port that disciplines its clock, it says so.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  chronyClockSource,
  chronyReading,
  parseChrony,
  PtpWatch,
  parsePmc,
  ptpClockSource,
} from "../../src/adapters/clock-sources.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { waitUntil } from "../support/wait-until.ts";

const FREE = { mode: "free", offsetNs: 0, jitterNs: 0 };

const recording = (name: string): string =>
  readFileSync(new URL(`clock-recordings/${name}.txt`, import.meta.url), "utf8");
const disciplining = (output: string): string => output.replace("UNCALIBRATED", "SLAVE");

/** Shows a monotonic time that a test can set ahead; its timers run in real time. */
class AheadClock extends SystemClock {
  aheadMs = 0;

  override monoMs(): number {
    return super.monoMs() + this.aheadMs;
  }
}

describe("PTP by pmc", () => {
  it("reads offset, ingress time and port states as pmc prints them", () => {
    expect(parsePmc(recording("ptp-locked"))).toEqual({
      offsetNs: 576,
      ingressTime: "1795224726617089063",
      gmPresent: true,
      portStates: ["UNCALIBRATED"],
    });
  });

  it.each(["ptp-starting", "ptp-locked", "ptp-dead2", "ptp-dead14", "ptp-none"])("%s: no locked port, free", (name) => {
    expect(new PtpWatch().read(recording(name), 0)).toEqual(FREE);
  });

  it("a locked port gives the offset to the grandmaster", () => {
    expect(new PtpWatch().read(disciplining(recording("ptp-locked")), 0)).toEqual({
      mode: "ptp",
      offsetNs: 576,
      jitterNs: 0,
    });
  });

  it("takes the jitter from the offsets of different sync messages", () => {
    const watch = new PtpWatch();
    const output = disciplining(recording("ptp-locked"));
    for (const [second, offset] of [100, 300, 300, 100].entries()) {
      watch.read(output.replace(/576/, String(offset)).replace(/1795224726\d*/, `17952247${second}`), second * 1_000);
    }
    expect(watch.read(output.replace(/576/, "200").replace(/1795224726\d*/, "17952248"), 4_000)).toEqual({
      mode: "ptp",
      offsetNs: 200,
      jitterNs: Math.sqrt((4 * 100 ** 2) / 5),
    });
  });

  it("is free once the sync messages stand still, though gmPresent stays true and the port keeps its state", () => {
    const watch = new PtpWatch();
    const output = disciplining(recording("ptp-dead2"));
    expect(output).toContain("gmPresent                  true");
    expect(watch.read(output, 0).mode).toBe("ptp");
    expect(watch.read(output, 5_000).mode).toBe("ptp");
    expect(watch.read(output, 5_001)).toEqual(FREE);
    expect(watch.read(disciplining(recording("ptp-locked")), 6_000).mode).toBe("ptp");
  });

  it.each(["", "pmc: cannot bind", "master_offset x\ningress_time 1\ngmPresent true\nportState SLAVE"])(
    "makes nothing of %j",
    (output) => {
      expect(new PtpWatch().read(output, 0)).toEqual(FREE);
    },
  );
});

describe("NTP by chronyc", () => {
  const shortlyAfterMs = 1_795_224_727_000;

  it("reads the sign as own clock minus reference: chronyc's positive value is a slow clock", () => {
    expect(parseChrony(recording("chrony-locked"))).toEqual({
      offsetNs: -1_244,
      jitterNs: expect.closeTo(2_298, 6) as number,
      leapStatus: "Normal",
      updatedAtUnixS: expect.closeTo(1_795_224_724.570957, 5) as number,
      selected: { pollS: 1, reach: 255, answeredAgoS: 1 },
    });
  });

  it("a selected server that is heard disciplines the clock", () => {
    const reading = chronyReading(parseChrony(recording("chrony-locked")), shortlyAfterMs);
    expect(reading).toMatchObject({ mode: "ntp", offsetNs: -1_244 });
  });

  it("goes on for some missed polls, and is free 44 s after the server died, though chronyc still says Normal", () => {
    expect(chronyReading(parseChrony(recording("chrony-dead2")), shortlyAfterMs + 3_000).mode).toBe("ntp");
    expect(recording("chrony-dead44")).toContain("Normal");
    expect(chronyReading(parseChrony(recording("chrony-dead44")), shortlyAfterMs + 45_000)).toEqual(FREE);
  });

  it.each([
    ["reach 0", { reach: 0 }],
    ["no answer for more than four polls", { answeredAgoS: 11 }],
  ])("is free with %s", (_what, change) => {
    const status = parseChrony(recording("chrony-locked"));
    if (!status?.selected) throw new Error("the recording has a selected source");
    expect(chronyReading({ ...status, selected: { ...status.selected, ...change } }, shortlyAfterMs)).toEqual(FREE);
  });

  it("is free when the last update is old, or the clock not synchronised", () => {
    const status = parseChrony(recording("chrony-locked"));
    if (status === null) throw new Error("the recording has a status");
    expect(chronyReading(status, shortlyAfterMs + 60_000)).toEqual(FREE);
    expect(chronyReading({ ...status, leapStatus: "Not synchronised" }, shortlyAfterMs)).toEqual(FREE);
  });

  it.each(["", "506 Cannot talk to daemon", recording("chrony-none"), ",,,,,,,,,,,,,", "a,b,c,x,y,z,u,v,w,1,2,3,4,5"])(
    "makes nothing of %j",
    (output) => {
      expect(chronyReading(parseChrony(output), shortlyAfterMs)).toEqual(FREE);
    },
  );
});

describe("a program that is asked every second", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "clock-source-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function program(body: string): string {
    const file = join(folder, "answer");
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  function says(output: string): string {
    writeFileSync(join(folder, "output"), output);
    return program(`cat ${join(folder, "output")}`);
  }

  it("gives the newest reading, and free once answers are missing", async () => {
    const clock = new AheadClock();
    const source = ptpClockSource({ clock }, { command: says(disciplining(recording("ptp-locked"))) });
    expect(source.reading()).toEqual(FREE);
    await waitUntil(() => source.reading().mode === "ptp");
    clock.aheadMs = 3_600;
    expect(source.reading()).toEqual(FREE);
    await source.close();
    await source.close();
  });

  it.each([
    ["is not there", () => join(folder, "nowhere")],
    ["fails", () => program("exit 1")],
    ["hangs", () => program("sleep 60")],
    ["never stops talking", () => program("yes 1")],
    ["says nothing, with rc 0, as pmc does without a daemon", () => says(recording("ptp-none"))],
  ])("is free when the program %s, and closes at once", async (_what, command) => {
    const asked: string[] = [];
    const source = chronyClockSource({ clock: new SystemClock() }, { command: command() });
    for (let look = 0; look < 20; look++) {
      asked.push(source.reading().mode);
      await new Promise((resolve) => void setTimeout(resolve, 2));
    }
    expect(new Set(asked)).toEqual(new Set(["free"]));
    await source.close();
  });
});
