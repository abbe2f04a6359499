/** What the page shows of the past is what was, also where its line to the engine broke in between. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { otherLabel } from "../../src/core/ids.ts";
import { activePaths } from "../../src/visualiser/page/state-paths.ts";
import { describeWithServer } from "../support/servers.ts";
import { OpenStage } from "./open-stage.ts";
import { activeIn, engineName as name, tallySays } from "./stage.ts";

describeWithServer("chromium", "the page, looking back", () => {
  const stage = new OpenStage();
  beforeAll(() => stage.open());
  afterAll(() => stage.close());

  test("the past is shown as it was recorded", async () => {
    await stage.press("Hand over");
    await stage.idle();
    const { page } = stage.watched;
    const traces = { a: await stage.set.traceOf("a"), b: await stage.set.traceOf("b") };
    const slider = page.getByRole("slider", { name: "Moment that is shown" });
    for (const label of ["a", "b"] as const) {
      const changes = traces[label].filter(({ machine, type }) => machine === "leadership" && type === "transition");
      expect(changes.length).toBeGreaterThan(1);
      for (const { atUnixMs } of changes) {
        await slider.evaluate((input: HTMLInputElement, value) => {
          input.value = String(value - Number(input.dataset["from"]));
          input.dispatchEvent(new Event("input", { bubbles: true }));
        }, atUnixMs + 0.001);
        const then = traces[label].filter(
          (entry) => entry.machine === "leadership" && entry.atUnixMs <= atUnixMs + 0.001,
        );
        const wanted = activePaths(then.at(-1)?.to).sort();
        await expect.poll(async () => (await activeIn(page, label, "leadership")).sort()).toEqual(wanted);
      }
    }
    await page.getByRole("button", { name: "Live" }).click();
    await tallySays(page, "on air", name(await stage.set.leader()));
  });

  test("a frozen leader: the page goes to the other engine and comes back, without a gap", async () => {
    const { page } = stage.watched;
    const leader = await stage.set.leader();
    await stage.press("Freeze or wake it");
    await tallySays(page, "on air", name(otherLabel(leader)));
    await stage.idle();
    await stage.press("Freeze or wake it");
    await stage.idle();
    await tallySays(page, "on air", name(otherLabel(leader)));
    const changes = (await stage.set.traceOf(otherLabel(leader))).filter(({ type }) => type === "transition");
    const slider = page.getByRole("slider", { name: "Moment that is shown" });
    const shownMs = (): Promise<number> =>
      slider.evaluate((input: HTMLInputElement) => Number(input.dataset["from"]) + Number(input.value));
    const back = page.getByRole("button", { name: "Previous change" });
    await back.click();
    // Only from here does the moment stand still: live, a late change may come between two looks at it.
    const seen = [await shownMs()];
    for (let before = Infinity; (await shownMs()) < before;) {
      before = await shownMs();
      await back.click();
      seen.push(await shownMs());
    }
    expect(changes.length).toBeGreaterThan(5);
    const isSeen = (ms: number): boolean => seen.some((seenMs) => Math.abs(seenMs - ms) < 0.05);
    expect(changes.filter(({ atUnixMs }) => !isSeen(atUnixMs))).toEqual([]);
    await page.getByRole("button", { name: "Live" }).click();
  });

  test("nothing was asked of another host, and nothing went wrong but the line to what was killed", () => {
    const { strangers, errors } = stage.watched;
    expect(strangers).toEqual([]);
    expect(errors.filter((text) => !text.includes("WebSocket connection to"))).toEqual([]);
  });
});
