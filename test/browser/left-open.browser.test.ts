/**
 * A page left open beside a pair at load. It keeps a bounded past, so what counts is how much happens, not how long: less than
 * a minute brings enough events, and a slow machine gets more time.
 * `LEFT_OPEN_MINUTES=10 npm run test:browser -- left-open` takes the full time. What came of it is printed.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { CDPSession } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Show, loadRundown } from "../../src/cli/demo/show.ts";
import { MAX_RECORDED } from "../../src/visualiser/inspected.ts";
import { describeWithServer } from "../support/servers.ts";
import { LitNotes } from "./lit.ts";
import { OpenStage } from "./open-stage.ts";
import { watchShifts, worstShift } from "./shifts.ts";
import { openPage } from "./stage.ts";

const MINUTES = Number(process.env["LEFT_OPEN_MINUTES"] ?? 0.75);
const LOOKS = 10;
const MAX_HEAP_BYTES = 100_000_000;
/** What is renewed five times a second moves nothing. An alarm that comes may, so that the best of a few rounds counts. */
const MAX_SHIFT = 0.02;
const FOLLOWS_WITHIN_MS = 250;
const ROUNDS = 3;
/** More callers give no more commands a second, and leave the machine no time for the changes of state. */
const SHOWS = 4;
const BETWEEN_TOGGLES_MS = 3;
/** A machine that brings the events slowly gets so many times as long. */
const MOST_TIMES = 10;
/** More than a pair at load brings in ten minutes, unless somebody works against it. */
const MIN_EVENTS = MAX_RECORDED / 2;
const BOTH = ["a", "b"] as const;

interface Look {
  readonly heapBytes: number;
  readonly nodes: number;
}

async function look(session: CDPSession): Promise<Look> {
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (wanted: string): number => metrics.find(({ name }) => name === wanted)?.value ?? Infinity;
  return { heapBytes: of("JSHeapUsedSize"), nodes: of("Nodes") };
}

/** Commands from several callers, and changes of state on both engines, for as long as it runs. */
class Load {
  readonly #stage: OpenStage;
  readonly #done: Promise<unknown>;
  #running = true;

  constructor(stage: OpenStage) {
    this.#stage = stage;
    const urls = { a: stage.set.url("a"), b: stage.set.url("b") };
    const shows = Array.from({ length: SHOWS }, (_, at) => new Show(loadRundown(), urls, `show-${at}`));
    this.#done = Promise.all([this.#toggle(), ...shows.map(async (show) => this.#play(show))]);
  }

  async end(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #play(show: Show): Promise<void> {
    while (this.#running) await show.play(1);
  }

  async #toggle(): Promise<void> {
    while (this.#running) {
      await this.#maintenance(true);
      await this.#maintenance(false);
    }
  }

  async #maintenance(on: boolean): Promise<void> {
    const answer = await fetch(`${this.#stage.set.url("a")}/api/maintenance`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ on, reason: "load" }),
    });
    expect(answer.status).toBe(200);
    await delay(BETWEEN_TOGGLES_MS);
  }
}

async function lastCommandSeqAt(url: string): Promise<number> {
  const state = (await (await fetch(`${url}/api/state`)).json()) as { lastCommandSeq: number };
  return state.lastCommandSeq;
}

describeWithServer("chromium", "the page, left open", () => {
  const stage = new OpenStage();
  beforeAll(() => stage.open());
  afterAll(() => stage.close());

  /** How far behind the slowest change of the last second is shown. */
  async function slowestMs(notes: LitNotes): Promise<number> {
    await notes.clear();
    const sinceUnixMs = Date.now();
    await delay(1_000);
    const behind: number[] = [];
    for (const label of BOTH) {
      const trace = (await stage.set.traceOf(label)).filter(({ atUnixMs }) => atUnixMs >= sinceUnixMs);
      behind.push(...(await notes.behindMs(label, trace)));
    }
    expect(behind.length).toBeGreaterThan(10);
    return Math.max(...behind);
  }

  /** How many events both engines have recorded: a change of state is mostly the follower's, whichever that is. */
  async function eventsOfBoth(): Promise<number> {
    const traces = await Promise.all(BOTH.map(async (label) => stage.set.traceOf(label)));
    return traces.reduce((sum, trace) => sum + (trace.at(-1)?.seq ?? 0), 0);
  }

  test("it stands still", async () => {
    const { page } = await openPage(stage.browser, `${stage.set.url("b")}/machines/`);
    await page.waitForSelector(".state.active");
    await expect.poll(() => page.locator(".engine .role").count()).toBe(2);
    const show = new Show(loadRundown(), { a: stage.set.url("a"), b: stage.set.url("b") });
    await watchShifts(page);
    const rounds: number[] = [];
    while (rounds.length < ROUNDS && !rounds.some((shift) => shift < MAX_SHIFT)) {
      await show.play(60);
      rounds.push(await worstShift(page));
    }
    expect(Math.min(...rounds)).toBeLessThan(MAX_SHIFT);
    await page.close();
  });

  test("it stays small, and does not fall behind", { timeout: (MOST_TIMES * MINUTES + 2) * 60_000 }, async () => {
    const { page } = await openPage(stage.browser, `${stage.set.url("b")}/machines/`);
    await page.waitForSelector(".state.active");
    await expect.poll(() => page.locator(".engine .role").count()).toBe(2);
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    const load = new Load(stage);
    const looks: Look[] = [];
    while (looks.length < LOOKS || (looks.length < MOST_TIMES * LOOKS && (await eventsOfBoth()) <= MIN_EVENTS)) {
      await delay((MINUTES * 60_000) / LOOKS);
      looks.push(await look(session));
    }
    const notes = await LitNotes.of(page);
    const rounds: number[] = [];
    while (rounds.length < ROUNDS && !rounds.some((ms) => ms < FOLLOWS_WITHIN_MS)) rounds.push(await slowestMs(notes));
    await load.end();
    const [lastCommandSeq, events] = [await lastCommandSeqAt(stage.set.url("b")), await eventsOfBoth()];
    const heapsMb = looks.map(({ heapBytes }) => Math.round(heapBytes / 100_000) / 10);
    console.log({
      minutes: (looks.length * MINUTES) / LOOKS,
      commands: lastCommandSeq,
      events,
      heapsMb,
      slowestMs: rounds.map(Math.round),
    });
    expect(events).toBeGreaterThan(MIN_EVENTS);
    expect(Math.max(...looks.map(({ heapBytes }) => heapBytes))).toBeLessThan(MAX_HEAP_BYTES);
    expect(looks.at(-1)?.nodes).toBeLessThan((looks[0]?.nodes ?? 0) * 1.5);
    expect(Math.min(...rounds)).toBeLessThan(FOLLOWS_WITHIN_MS);
    const shown = page.locator('[data-engine="b"] .numbers').last();
    await expect.poll(() => shown.innerText()).toContain(lastCommandSeq.toLocaleString("en-US"));
    await page.close();
  });
});
