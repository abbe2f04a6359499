/**
 * The pages of both engines follow a real pair through every fault. Each change of state, by the engines' own traces, is
 * compared with the moment at which each page lit it, and the slowest counts. A machine that has no time for a page now and
 * then is no fault of the page: of a few rounds the best counts.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import * as faults from "../../src/cli/demo/faults.ts";
import type { Plant } from "../../src/cli/demo/plant.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { describeWithServer } from "../support/servers.ts";
import { LitNotes } from "./lit.ts";
import { activeIn, engineName as name, openBrowser, openPage, Stage, tallySays, type WatchedPage } from "./stage.ts";

const FOLLOWS_WITHIN_MS = 250;
const ROUNDS = 3;
const BOTH = ["a", "b"] as const;
const NOTICED = { timeout: 15_000 };

describeWithServer("chromium", "both pages, live", () => {
  let stage: Stage;
  let close = async (): Promise<void> => {};
  const watched = {} as Record<Label, WatchedPage>;
  const notes = {} as Record<Label, LitNotes>;

  beforeAll(async () => {
    const browser = await openBrowser();
    stage = await Stage.open();
    close = async () => {
      await browser.close();
      await stage.close();
    };
    for (const label of BOTH) {
      watched[label] = await openPage(browser, `${stage.url(label)}/machines/`, {}, stage.streams);
      const { page } = watched[label];
      await page.getByRole("button", { name: "Open all" }).click();
      await page.locator(".state.active").nth(20).waitFor();
      notes[label] = await LitNotes.of(page);
    }
  });
  afterAll(() => close());

  /** How far behind the slowest change was shown that `tellers` tell of after `act`, on the slower page. */
  async function behindMs(act: (plant: Plant) => Promise<unknown>, tellers: readonly Label[]): Promise<number> {
    for (const label of BOTH) await notes[label].clear();
    const sinceUnixMs = Date.now();
    await act(stage.plant);
    const behind: number[] = [];
    for (const teller of tellers) {
      const trace = (await stage.traceOf(teller)).filter(({ atUnixMs }) => atUnixMs >= sinceUnixMs);
      for (const label of BOTH) {
        behind.push(...(await notes[label].behindMs(teller, trace)));
        expect(notes[label].untrue(teller, trace)).toEqual([]);
      }
    }
    expect(behind.length).toBeGreaterThan(0);
    return Math.max(...behind);
  }

  async function bestOf(round: (leader: Label, follower: Label) => Promise<number>): Promise<number> {
    const rounds: number[] = [];
    while (rounds.length < ROUNDS && !rounds.some((ms) => ms < FOLLOWS_WITHIN_MS)) {
      await faults.untilSettled(stage.plant);
      const leader = await stage.leader();
      rounds.push(await round(leader, otherLabel(leader)));
    }
    console.log(`${expect.getState().currentTestName}: slowest ${rounds.map(Math.round).join(", ")} ms`);
    return Math.min(...rounds);
  }

  async function bothSay(...words: readonly string[]): Promise<void> {
    for (const label of BOTH) await tallySays(watched[label].page, ...words);
  }

  test("a handover", async () => {
    const slowest = await bestOf(async (_leader, follower) => {
      const ms = await behindMs(faults.handover, BOTH);
      await bothSay("on air", name(follower));
      const won = watched.a.page.locator(`[id="${follower}:leadership/role.candidate/on/WON→leader"]`);
      expect(await won.getAttribute("class")).toContain("taken");
      return ms;
    });
    expect(slowest).toBeLessThan(FOLLOWS_WITHIN_MS);
  });

  test("a killed leader: its page goes over to the other engine, says so, and shows it come back", async () => {
    const slowest = await bestOf(async (leader, follower) => {
      const ms = await behindMs(faults.kill, [follower]);
      await bothSay("on air", name(follower));
      const { page } = watched[leader];
      expect(await page.getByRole("status").first().innerText()).toContain(`engine ${follower.toUpperCase()} tells`);
      const gone = page.locator(`section[data-engine="${leader}"]`);
      expect(await gone.innerText()).toContain("not reachable");
      await faults.restart(stage.plant);
      await expect.poll(() => gone.innerText()).toContain("follower");
      return ms;
    });
    expect(slowest).toBeLessThan(FOLLOWS_WITHIN_MS);
  });

  test("a frozen leader, and its waking", async () => {
    const slowest = await bestOf(async (leader, follower) => {
      const frozen = await behindMs(faults.freeze, [follower]);
      await bothSay("on air", name(follower));
      await expect
        .poll(() => watched[leader].page.locator(`section[data-engine="${leader}"]`).innerText())
        .toContain("not reachable");
      const awake = await behindMs(faults.thaw, BOTH);
      return Math.max(frozen, awake);
    });
    expect(slowest).toBeLessThan(FOLLOWS_WITHIN_MS);
  });

  test("a cut link, and its end", async () => {
    const slowest = await bestOf(async (leader, follower) => {
      const cut = await behindMs(async (plant) => {
        plant.cutLink();
        for (const label of BOTH) {
          await expect.poll(() => activeIn(watched[label].page, label, "peer-link"), NOTICED).toEqual(["silent"]);
        }
      }, BOTH);
      await bothSay("on air", name(leader));
      const healed = await behindMs(faults.healLink, BOTH);
      expect(await activeIn(watched.a.page, follower, "peer-link")).toEqual(["alive"]);
      return Math.max(cut, healed);
    });
    expect(slowest).toBeLessThan(FOLLOWS_WITHIN_MS);
  });

  test("a split with both on air, and the recovery", async () => {
    const slowest = await bestOf(async () => {
      const split = await behindMs(faults.splitBrain, BOTH);
      await bothSay("both on air", "A and B");
      const whole = await behindMs(faults.recover, BOTH);
      await bothSay("on air", name(await stage.leader()));
      return Math.max(split, whole);
    });
    expect(slowest).toBeLessThan(FOLLOWS_WITHIN_MS);
  });

  test("nothing was asked of another host, and nothing went wrong but the line to what was killed", () => {
    for (const { strangers, errors } of Object.values(watched)) {
      expect(strangers).toEqual([]);
      expect(errors.filter((text) => !text.includes("WebSocket connection to"))).toEqual([]);
    }
  });
});
