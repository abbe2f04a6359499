/** The page follows a real pair through handover, kill and partition. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { untilSettled } from "../../src/cli/demo/faults.ts";
import { otherLabel } from "../../src/core/ids.ts";
import { describeWithServer } from "../support/servers.ts";
import { OpenStage } from "./open-stage.ts";
import { activeIn, engineName as name, tallySays } from "./stage.ts";

/** Behind the event itself: the stream gathers, the page draws a frame. */
const FOLLOWS_WITHIN_MS = 250;

describeWithServer("chromium", "the page, live", () => {
  const stage = new OpenStage();
  beforeAll(() => stage.open());
  afterAll(() => stage.close());

  test("a handover, and within 250 ms of it", async () => {
    const { page } = stage.watched;
    const next = otherLabel(await stage.set.leader());
    await page.evaluate((id) => {
      const box = document.querySelector(`[id="${id}"]`);
      const noted = window as unknown as { litAtMs?: number };
      new MutationObserver(() => {
        if (box?.classList.contains("active")) noted.litAtMs ??= Date.now();
      }).observe(box as Element, { attributes: true });
    }, `${next}:leadership/role.leader`);
    await stage.press("Hand over");
    await tallySays(page, "on air", name(next));
    const litAtMs = await page.evaluate(() => (window as unknown as { litAtMs: number }).litAtMs);
    const won = (await stage.set.traceOf(next)).filter(({ event }) => event === "WON").at(-1);
    expect(litAtMs - (won?.atUnixMs ?? 0)).toBeLessThan(FOLLOWS_WITHIN_MS);
    expect(
      await page.locator(`[id="${next}:leadership/role.candidate/on/WON→leader"]`).getAttribute("class"),
    ).toContain("taken");
    expect(await activeIn(page, otherLabel(next), "leadership")).toContain("role.follower");
  });

  test("a killed leader, and its restart", async () => {
    await untilSettled(stage.set.plant);
    const leader = await stage.set.leader();
    await stage.press("Kill the leader");
    await tallySays(stage.watched.page, "on air", name(otherLabel(leader)));
    await expect
      .poll(() => stage.watched.page.locator(`section[data-engine="${leader}"]`).innerText())
      .toContain("not reachable");
    await stage.idle();
    await stage.press("Restart what was killed");
    await stage.idle();
    await expect
      .poll(() => stage.watched.page.locator(`section[data-engine="${leader}"]`).innerText())
      .toContain("follower");
  });

  test("a partition and its end", async () => {
    await untilSettled(stage.set.plant);
    const leader = await stage.set.leader();
    const follower = otherLabel(leader);
    await stage.press("Cut or heal the peer link");
    await expect
      .poll(() => activeIn(stage.watched.page, follower, "peer-link"), { timeout: 15_000 })
      .toEqual(["silent"]);
    await tallySays(stage.watched.page, "on air", name(leader));
    await stage.idle();
    await stage.press("Cut or heal the peer link");
    await stage.idle();
    await expect.poll(() => activeIn(stage.watched.page, follower, "peer-link")).toEqual(["alive"]);
  });

  test("nothing was asked of another host, and nothing went wrong but the line to what was killed", () => {
    const { strangers, errors } = stage.watched;
    expect(strangers).toEqual([]);
    expect(errors.filter((text) => !text.includes("WebSocket connection to"))).toEqual([]);
  });
});
