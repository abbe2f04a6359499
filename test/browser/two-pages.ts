/** The pages of both engines side by side, each opened at its own engine, and how far they are behind it. */
import type { Browser } from "playwright-core";
import { expect } from "vitest";
import { untilSettled } from "../../src/cli/demo/faults.ts";
import type { Plant } from "../../src/cli/demo/plant.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { LitNotes } from "./lit.ts";
import { openBrowser, openPage, Stage, tallySays, type WatchedPage } from "./stage.ts";

export const FOLLOWS_WITHIN_MS = 250;
const ROUNDS = 3;

export const BOTH = ["a", "b"] as const;

export class TwoPages {
  readonly stage: Stage;
  readonly watched: Readonly<Record<Label, WatchedPage>>;
  readonly #browser: Browser;
  readonly #notes: Readonly<Record<Label, LitNotes>>;

  private constructor(
    browser: Browser,
    stage: Stage,
    watched: Record<Label, WatchedPage>,
    notes: Record<Label, LitNotes>,
  ) {
    this.#browser = browser;
    this.stage = stage;
    this.watched = watched;
    this.#notes = notes;
  }

  static async open(): Promise<TwoPages> {
    const [browser, stage] = await Promise.all([openBrowser(), Stage.open()]);
    const openAt = async (label: Label): Promise<WatchedPage> => {
      const watched = await openPage(browser, `${stage.url(label)}/machines/`, {}, stage.streams);
      await watched.page.getByRole("button", { name: "Open all" }).click();
      await watched.page.locator(".state.active").nth(20).waitFor();
      return watched;
    };
    const watched = { a: await openAt("a"), b: await openAt("b") };
    const notes = { a: await LitNotes.of(watched.a.page), b: await LitNotes.of(watched.b.page) };
    return new TwoPages(browser, stage, watched, notes);
  }

  /** Nothing was asked of another host, and nothing went wrong but the line to what was killed. */
  async close(): Promise<void> {
    await this.#browser.close();
    await this.stage.close();
    for (const { strangers, errors } of Object.values(this.watched)) {
      expect(strangers).toEqual([]);
      expect(errors.filter((text) => !text.includes("WebSocket connection to"))).toEqual([]);
    }
  }

  /** What both pages say of who is on air, once they do. */
  async say(...words: readonly string[]): Promise<void> {
    for (const label of BOTH) await tallySays(this.watched[label].page, ...words);
  }

  /** How far behind the slowest change was shown that `tellers` tell of after `act`, on the slower page. */
  async behindMs(act: (plant: Plant) => Promise<unknown>, tellers: readonly Label[]): Promise<number> {
    for (const label of BOTH) await this.#notes[label].clear();
    const sinceUnixMs = Date.now();
    await act(this.stage.plant);
    const behind: number[] = [];
    for (const teller of tellers) {
      const trace = (await this.stage.traceOf(teller)).filter(({ atUnixMs }) => atUnixMs >= sinceUnixMs);
      for (const label of BOTH) {
        behind.push(...(await this.#notes[label].behindMs(teller, trace)));
        expect(this.#notes[label].untrue(teller, trace)).toEqual([]);
      }
    }
    expect(behind.length).toBeGreaterThan(0);
    return Math.max(...behind);
  }

  /** The best of a few rounds; the first one that is good enough is the last. What came of them is printed. */
  async bestOf(round: (leader: Label, follower: Label) => Promise<number>): Promise<number> {
    const rounds: number[] = [];
    while (rounds.length < ROUNDS && !rounds.some((ms) => ms < FOLLOWS_WITHIN_MS)) {
      await untilSettled(this.stage.plant);
      const leader = await this.stage.leader();
      rounds.push(await round(leader, otherLabel(leader)));
    }
    console.log(`${expect.getState().currentTestName}: slowest ${rounds.map(Math.round).join(", ")} ms`);
    return Math.min(...rounds);
  }
}
