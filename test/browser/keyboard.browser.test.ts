/** The page by keyboard alone, and for those who do not want things to move. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { otherLabel } from "../../src/core/ids.ts";
import { describeWithServer } from "../support/servers.ts";
import { OpenStage } from "./open-stage.ts";
import { engineName, openPage, tallySays, type WatchedPage } from "./stage.ts";

const CONTROLS = "button, a[href], input, select, textarea, summary, [tabindex='0']";
/** More presses of Tab than there are controls. */
const MAX_PRESSES = 100;

/** Numbers the controls that can be used now, in the order of the page. How many there are. */
function numbered(page: Page): Promise<number> {
  return page.locator(CONTROLS).evaluateAll((all) => {
    const usable = all.filter((one) => one.checkVisibility() && !one.matches(":disabled"));
    usable.forEach((one, index) => one.setAttribute("data-stop", String(index)));
    return usable.length;
  });
}

interface Stop {
  readonly stop: string | null;
  /** Whether one sees where the focus is: on the control, or on the label that stands for it. */
  readonly isSeen: boolean;
}

function focused(page: Page): Promise<Stop> {
  return page.locator(":focus").evaluate((one: HTMLElement) => {
    const shown = one.closest("label") ?? one;
    const { outlineStyle, outlineWidth } = getComputedStyle(shown);
    const { width, height } = shown.getBoundingClientRect();
    const isSeen = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2 && width > 8 && height > 8;
    return { stop: one.dataset["stop"] ?? null, isSeen };
  });
}

/** Goes on with Tab until the focus stands on the control of this name. */
async function tabTo(page: Page, role: "button" | "slider", name: string): Promise<void> {
  const isThere = (): Promise<boolean> =>
    page
      .getByRole(role, { name })
      .first()
      .evaluate((one) => one === document.activeElement);
  for (let presses = 0; !(await isThere()); presses += 1) {
    if (presses === MAX_PRESSES) throw new Error(`Tab does not reach ${name}`);
    await page.keyboard.press("Tab");
  }
}

/** The longest of all transitions and animations of the page. */
function longestMotionMs(page: Page): Promise<number> {
  return page.locator("*").evaluateAll((all) => {
    const secondsOf = (text: string): number[] => text.split(",").map((part) => Number.parseFloat(part));
    const styles = all.map((one) => getComputedStyle(one));
    const moves = styles.flatMap((style) => [
      ...secondsOf(style.transitionDuration),
      ...(style.animationName === "none" ? [] : secondsOf(style.animationDuration)),
    ]);
    return 1_000 * Math.max(...moves);
  });
}

describeWithServer("chromium", "the page, by keyboard", () => {
  const stage = new OpenStage();
  let watched: WatchedPage;
  beforeAll(async () => {
    await stage.open();
    watched = await openPage(stage.browser, stage.set.address, {}, stage.set.streams);
    await watched.page.waitForSelector(".state.active");
    await watched.page.waitForSelector(".faults button:enabled");
  });
  afterAll(() => stage.close());

  test("Tab goes to every control, in the order of the page, and shows where it is", async () => {
    const { page } = watched;
    const count = await numbered(page);
    expect(count).toBeGreaterThan(15);
    const stops: Stop[] = [];
    for (let press = 0; press < count; press += 1) {
      await page.keyboard.press("Tab");
      stops.push(await focused(page));
    }
    const wanted = Array.from({ length: count }, (_, index) => ({ stop: String(index), isSeen: true }));
    expect(stops).toEqual(wanted);
  });

  test("Enter and Space press, arrows move through time", async () => {
    const { page } = watched;
    await tabTo(page, "button", "Open all");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("details:not([open])").count()).toBe(0);
    const leader = await stage.set.leader();
    await tabTo(page, "button", "Hand over");
    await page.keyboard.press("Space");
    await tallySays(page, "on air", engineName(otherLabel(leader)));
    const live = page.getByRole("button", { name: "Live" });
    await tabTo(page, "slider", "Moment that is shown");
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => live.getAttribute("aria-pressed")).toBe("false");
    await tabTo(page, "button", "Live");
    await page.keyboard.press("Enter");
    await expect.poll(() => live.getAttribute("aria-pressed")).toBe("true");
    expect(watched.errors).toEqual([]);
  });

  test("nothing moves by itself where motion is not wanted", async () => {
    const { page } = watched;
    await page.emulateMedia({ reducedMotion: "no-preference" });
    expect(await longestMotionMs(page)).toBeGreaterThan(0);
    await page.emulateMedia({ reducedMotion: "reduce" });
    expect(await longestMotionMs(page)).toBe(0);
  });
});
