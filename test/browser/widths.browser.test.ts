/** H7, H8, H9: the page at three widths: nothing overflows, positions have epochs, no connection is told as such. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { splitBrain, recover } from "../../src/cli/demo/faults.ts";
import { loadRundown, Show } from "../../src/cli/demo/show.ts";
import { otherLabel } from "../../src/core/ids.ts";
import { call } from "../support/http-call.ts";
import { describeWithServer } from "../support/servers.ts";
import { OpenStage } from "./open-stage.ts";
import { openPage, tallySays } from "./stage.ts";

const WIDTHS = [1440, 1024, 390] as const;
const FOLDER = process.env["SCREENSHOTS"] ?? "test-results";

describeWithServer("chromium", "the page at three widths", () => {
  const stage = new OpenStage();
  beforeAll(async () => {
    mkdirSync(FOLDER, { recursive: true });
    await stage.open();
  });
  afterAll(() => stage.close());

  async function overflowing(colorScheme: "dark" | "light", name: string): Promise<string[]> {
    const wide: string[] = [];
    for (const width of WIDTHS) {
      const { page } = await openPage(
        stage.browser,
        `${stage.set.url("b")}/machines/`,
        { viewport: { width, height: 900 }, colorScheme },
        stage.set.streams,
      );
      await page.waitForSelector(".state.active");
      await page.screenshot({ path: join(FOLDER, `page-${name}-${width}-${colorScheme}.png`), animations: "disabled" });
      const found = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      if (found > 0) wide.push(`${name} at ${width} px, ${colorScheme}: ${found} px too wide`);
      await page.close();
    }
    return wide;
  }

  test("a legend says what the colours mean, and a hold is shown at both engines while it stands", async () => {
    const { page } = stage.watched;
    expect(await page.getByLabel("What the colours mean").innerText()).toMatch(
      /active state\s+leads\s+last transition/,
    );
    const hold = (on: boolean) =>
      call("POST", `${stage.set.url("a")}/api/maintenance`, { on, reason: "cabling at the desk" });
    expect((await hold(true)).status).toBe(200);
    const shown = page.getByText("Maintenance by open-mode: cabling at the desk");
    await expect.poll(() => shown.count(), { timeout: 20_000 }).toBe(2);
    expect((await hold(false)).status).toBe(200);
    await expect.poll(() => shown.count(), { timeout: 20_000 }).toBe(0);
  });

  test("H8, H9: a split shows both positions with epochs and what diverged, and nothing overflows", async () => {
    const { plant } = stage.set;
    const show = new Show(loadRundown(), { a: plant.engines.a.url, b: plant.engines.b.url });
    await show.play(4);
    expect([...(await overflowing("dark", "live")), ...(await overflowing("light", "live"))]).toEqual([]);
    const isolated = await stage.set.leader();
    await splitBrain(plant);
    await Promise.all([show.play(3, isolated), show.play(3, otherLabel(isolated))]);
    const { page } = stage.watched;
    await tallySays(page, "both on air");
    for (const label of ["A", "B"]) {
      const panel = page.getByLabel(`Engine ${label}`, { exact: true });
      await expect.poll(() => panel.innerText()).toMatch(/last\s+\d+, epoch \d+[^]*diverged\s+\d+ only here/);
    }
    expect(await overflowing("dark", "split")).toEqual([]);
    await recover(plant);
    await tallySays(page, "on air", "Engine");
    // The history has the longest cause that there is: a person's.
    const leader = await stage.set.leader();
    expect((await call("POST", `${stage.set.url(leader)}/api/handover`, { reason: "looked at" })).status).toBe(200);
    await expect.poll(() => page.getByLabel("Leadership history").innerText()).toContain("handover by open-mode");
    expect(await overflowing("light", "handover")).toEqual([]);
  });

  test("H7: without a connection the tally says so and who was on air last", async () => {
    const context = await stage.browser.newContext();
    const page = await context.newPage();
    await page.goto(`${stage.set.url("a")}/machines/`);
    await tallySays(page, "on air", "Engine");
    const leader = (await stage.set.leader()).toUpperCase();
    await stage.set.plant.close();
    await tallySays(page, "not connected", `last known: ${leader} on air, \\d+ s ago`);
  });
});
