/**
 * How the page looks and for whom it works: conflicts resolved by an operator, no serious fault by axe,
 * pictures of its main views. `SCREENSHOTS=docs/images npm run test:browser` renews those of the docs.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recover, splitBrain } from "../../src/cli/demo/faults.ts";
import { Show, loadRundown } from "../../src/cli/demo/show.ts";
import type { Conflict } from "../../src/core/command.ts";
import { otherLabel, type Label } from "../../src/core/ids.ts";
import { describeWithServer } from "../support/servers.ts";
import { OpenStage } from "./open-stage.ts";
import { openPage, tallySays } from "./stage.ts";

const FOLDER = process.env["SCREENSHOTS"] ?? "test-results";
/** Until the strips of the heartbeats of a page have something to show. */
const STRIP_FILLS_MS = 6_000;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const found = await page.evaluate<{ violations: Violation[] }>("axe.run()");
  const serious = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}

async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  await page.screenshot({ path: join(FOLDER, `visualiser-${name}.png`), animations: "disabled" });
}

describeWithServer("chromium", "the page, looked at", () => {
  const stage = new OpenStage();
  const conflictsOf = async (label: Label): Promise<Conflict[]> => {
    const answer = await fetch(`${stage.set.url(label)}/api/conflicts`);
    return ((await answer.json()) as { conflicts: Conflict[] }).conflicts;
  };
  beforeAll(() => stage.open());
  afterAll(() => stage.close());

  test("two on air are unmistakable; a conflict resolved on the page is resolved on both engines", async () => {
    const { page } = stage.watched;
    const { plant } = stage.set;
    const show = new Show(loadRundown(), { a: plant.engines.a.url, b: plant.engines.b.url });
    await show.play(4);
    const isolated = await stage.set.leader();
    await splitBrain(plant);
    await Promise.all([show.play(6, isolated), show.play(6, otherLabel(isolated))]);
    await tallySays(page, "both on air", "A and B");
    await picture(page, "split");
    await recover(plant);
    await expect.poll(async () => (await conflictsOf("a")).length, { timeout: 20_000 }).toBeGreaterThan(0);
    await page.getByText(/^\d+ settled$/).click();
    const keep = page.getByRole("button", { name: /^Keep what stands/ }).first();
    await keep.waitFor();
    const id =
      (await page
        .locator(".conflict")
        .filter({ has: page.getByRole("button") })
        .first()
        .getAttribute("data-conflict")) ?? "";
    await keep.click();
    for (const label of ["a", "b"] as const) {
      const outcome = async (): Promise<unknown> =>
        (await conflictsOf(label)).find((conflict) => conflict.id === id)?.outcome;
      await expect.poll(outcome, { timeout: 20_000 }).toBe("resolved");
    }
  });

  test.each(["dark", "light"] as const)("%s: no serious fault, and a picture", async (colorScheme) => {
    const { page, errors } = await openPage(stage.browser, `${stage.set.url("a")}/machines/`, {
      colorScheme,
      viewport: { width: 1280, height: 1290 },
    });
    await page.waitForSelector(".state.active");
    await expect.poll(() => page.locator(".engine .role").allInnerTexts()).toEqual(expect.arrayContaining(["leader"]));
    await expect.poll(() => page.evaluate("performance.now()")).toBeGreaterThan(STRIP_FILLS_MS);
    // CH7: the actor tree, and what is left of the delays that run.
    const row = (name: string) => page.locator("summary").filter({ has: page.locator(".machine", { hasText: name }) });
    expect(await row("campaign").locator(".machine").innerText()).toBe("└ campaign");
    await expect
      .poll(() => row("leadership").locator(".delay").allInnerTexts())
      .toContainEqual(expect.stringMatching(/^votesLapse \d/));
    await expect
      .poll(() => page.locator(".waits").allInnerTexts())
      .toContainEqual(expect.stringMatching(/^waits for [a-z-]+/));
    await picture(page, colorScheme);
    await page.getByRole("button", { name: "Open all" }).click();
    expect(await seriousFaults(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    await picture(page, `phone-${colorScheme}`);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    const isCut = (part: Element): boolean => part.scrollWidth > part.clientWidth;
    expect(await page.locator(".history").evaluate(isCut)).toBe(false);
    expect(errors).toEqual([]);
    await page.close();
  });
});
