/** Two real OBS Studio, each beside a coordinator (`examples/obs`). What is on programme is asked of OBS itself. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { freePort } from "../support/free-port.ts";
import { ObsStudio, VirtualDisplay } from "../support/obs-studio.ts";
import { RealPair } from "../support/real-pair.ts";
import { describeWithServer } from "../support/servers.ts";

const LAUNCHER = fileURLToPath(new URL("../support/obs-engine-process.ts", import.meta.url));
const LABELS = ["a", "b"] as const;

describeWithServer(["obs", "Xvfb"], "A37 A27: a pair of OBS Studio", () => {
  let display: VirtualDisplay;
  let studios: Readonly<Record<Label, ObsStudio>>;
  let pair: RealPair;
  let leader: Label;

  beforeAll(async () => {
    display = await VirtualDisplay.open();
    studios = { a: new ObsStudio(display, await freePort()), b: new ObsStudio(display, await freePort()) };
    await Promise.all(LABELS.map(async (label) => studios[label].start()));
    for (const label of LABELS) process.env[`OBS_URL_${label.toUpperCase()}`] = studios[label].url;
    pair = await RealPair.prepare({ launcher: LAUNCHER });
    leader = await pair.start();
  }, 120_000);

  afterAll(async () => {
    await pair.close();
    await Promise.all(LABELS.map(async (label) => studios[label].close()));
    await display.close();
  });

  let commands = 0;
  async function command(path: string, payload: object): Promise<void> {
    const key = `command ${(commands += 1)}`;
    await until(`POST ${path} is taken`, async () => {
      const response = await fetch(`${pair.engines[leader].url}/engine${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(payload),
      });
      const said = await response.text();
      if (response.status < 500) expect(`${response.status} ${said}`).toMatch(/^200/);
      return response.status === 200;
    });
  }

  async function bothShow(scene: string): Promise<void> {
    for (const label of LABELS) {
      await until(`OBS ${label} shows ${scene}`, async () => (await studios[label].program()) === scene);
    }
  }

  /** While `label` comes back, it never says that it is ready while its OBS shows something else. */
  async function comesBack(label: Label, scene: string): Promise<void> {
    await until(
      `${label} is ready again`,
      async () => {
        const { status } = await fetch(`${pair.engines[label].url}/ready`);
        if (status !== 200) return false;
        const shown = await studios[label].program();
        if ((await fetch(`${pair.engines[label].url}/ready`)).status !== 200) return false;
        expect(shown).toBe(scene);
        return true;
      },
      { withinMs: 60_000 },
    );
    expect(await pair.settled(60_000)).toBe(otherLabel(label));
  }

  test("commands change both OBS in step: scenes, inputs, preview, take, mute", async () => {
    for (const scene of ["Wide", "Close", "Titles"]) await command("/scenes", { scene });
    const colour = { kind: "color_source_v3", settings: { color: 4_278_190_335, width: 320, height: 180 } };
    await command("/inputs", { scene: "Wide", input: "Red", ...colour });
    await command("/inputs", { scene: "Titles", input: "Jingle", kind: "ffmpeg_source", settings: { local_file: "" } });
    await command("/mute", { input: "Jingle", muted: true });
    await command("/program", { scene: "Wide" });
    await bothShow("Wide");
    await command("/preview", { scene: "Close" });
    await command("/take", {});
    await bothShow("Close");
    for (const label of LABELS) {
      await until(`OBS ${label} is mute`, async () => studios[label].isMuted("Jingle"));
    }
    expect(await pair.settled()).toBe(leader);
  });

  test("a command that both OBS refuse changes nothing, and the pair goes on", async () => {
    await command("/program", { scene: "No such scene" });
    await command("/program", { scene: "Titles" });
    await bothShow("Titles");
    expect(await pair.settled()).toBe(leader);
  });

  test("the leader's OBS is killed: the other is on program; the killed one comes back blank, and is restored before it is ready", async () => {
    const killed = leader;
    const other = otherLabel(killed);
    await studios[killed].kill();
    await pair.untilLeads(other);
    leader = other;
    expect(await studios[other].program()).toBe("Titles");
    await command("/program", { scene: "Wide" });
    await until("the other shows it", async () => (await studios[other].program()) === "Wide");
    await studios[killed].start();
    await comesBack(killed, "Wide");
    expect(await studios[killed].isMuted("Jingle")).toBe(true);
    await command("/program", { scene: "Close" });
    await bothShow("Close");
  });

  test("the leader's OBS hangs: the other is on program, and what was missed is there before it is ready", async () => {
    const hung = leader;
    const other = otherLabel(hung);
    studios[hung].signal("SIGSTOP");
    await pair.untilLeads(other, 30_000);
    leader = other;
    await command("/program", { scene: "Titles" });
    await until("the other shows it", async () => (await studios[other].program()) === "Titles");
    studios[hung].signal("SIGCONT");
    await comesBack(hung, "Titles");
    await bothShow("Titles");
  });
});
