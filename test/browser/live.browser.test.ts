/**
 * The pages of both engines follow a real pair through every fault. Each change of state, by the engines' own traces, is
 * compared with the moment at which each page lit it, and the slowest counts. A machine that has no time for a page now and
 * then is no fault of the page: of a few rounds the best counts.
 */
import { afterEach, beforeEach, expect, test } from "vitest";
import * as faults from "../../src/cli/demo/faults.ts";
import type { Plant } from "../../src/cli/demo/plant.ts";
import { describeWithServer } from "../support/servers.ts";
import { activeIn, engineName as name } from "./stage.ts";
import { BOTH, FOLLOWS_WITHIN_MS, TwoPages } from "./two-pages.ts";

const NOTICED = { timeout: 15_000 };

let pages: TwoPages;
beforeEach(async () => void (pages = await TwoPages.open()));
afterEach(() => pages.close());

describeWithServer("chromium", "both pages follow", () => {
  test("a handover", async () => {
    const slowestMs = await pages.bestOf(async (_leader, follower) => {
      const ms = await pages.behindMs(faults.handover, BOTH);
      await pages.say("on air", name(follower));
      const won = pages.watched.a.page.locator(`[id="${follower}:leadership/candidate/on/campaign done→leader"]`);
      expect(await won.getAttribute("class")).toContain("taken");
      return ms;
    });
    expect(slowestMs).toBeLessThan(FOLLOWS_WITHIN_MS);
  });

  test("a killed leader: its page goes over to the other engine, says so, and shows it come back", async () => {
    const slowestMs = await pages.bestOf(async (leader, follower) => {
      const ms = await pages.behindMs(faults.kill, [follower]);
      await pages.say("on air", name(follower));
      const { page } = pages.watched[leader];
      expect(await page.getByRole("status").first().innerText()).toContain(`engine ${follower.toUpperCase()} tells`);
      const gone = page.locator(`section[data-engine="${leader}"]`);
      expect(await gone.innerText()).toContain("not reachable");
      await faults.restart(pages.stage.plant);
      await expect.poll(() => gone.innerText()).toContain("follower");
      return ms;
    });
    expect(slowestMs).toBeLessThan(FOLLOWS_WITHIN_MS);
  });

  test("a frozen leader, and its waking", async () => {
    const slowestMs = await pages.bestOf(async (leader, follower) => {
      const frozen = await pages.behindMs(faults.freeze, [follower]);
      await pages.say("on air", name(follower));
      const gone = pages.watched[leader].page.locator(`section[data-engine="${leader}"]`);
      await expect.poll(() => gone.innerText()).toContain("not reachable");
      const awake = await pages.behindMs(faults.thaw, BOTH);
      return Math.max(frozen, awake);
    });
    expect(slowestMs).toBeLessThan(FOLLOWS_WITHIN_MS);
  });
});

describeWithServer("chromium", "both pages follow a cut and a recovery:", () => {
  test("a cut link, and its end", async () => {
    const cutLink = async (plant: Plant): Promise<void> => {
      plant.cutLink();
      for (const label of BOTH) {
        const { page } = pages.watched[label];
        await expect.poll(() => activeIn(page, label, "peer-link"), NOTICED).toEqual(["silent"]);
      }
    };
    const slowestMs = await pages.bestOf(async (leader, follower) => {
      const cut = await pages.behindMs(cutLink, BOTH);
      await pages.say("on air", name(leader));
      const healed = await pages.behindMs(faults.healLink, BOTH);
      expect(await activeIn(pages.watched.a.page, follower, "peer-link")).toEqual(["alive"]);
      return Math.max(cut, healed);
    });
    expect(slowestMs).toBeLessThan(FOLLOWS_WITHIN_MS);
  });

  test("a split with both on air, and the recovery", async () => {
    const slowestMs = await pages.bestOf(async () => {
      const split = await pages.behindMs(faults.splitBrain, BOTH);
      await pages.say("both on air", "A and B");
      const whole = await pages.behindMs(faults.recover, BOTH);
      await pages.say("on air", name(await pages.stage.leader()));
      return Math.max(split, whole);
    });
    expect(slowestMs).toBeLessThan(FOLLOWS_WITHIN_MS);
  });
});
